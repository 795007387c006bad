"""The automation conditions: when Dagster rebuilds an asset without being asked.

They take effect once the sensor `follow_data_versions` is turned on.
"""

from typing import Final

import dagster as dg

_Condition = dg.AutomationCondition

_NEVER_BUILT: Final = _Condition.missing() & ~_Condition.execution_failed()
_SOURCE_CHANGED: Final = _Condition.any_deps_match(
    _Condition.data_version_changed() | _Condition.will_be_requested()
).since_last_handled()

_CHECKS_PASSED: Final = _Condition.all_deps_match(
    _Condition.all_checks_match(_Condition.check_passed(), blocking_only=True)
    | _Condition.will_be_requested()
)
"""True if the blocking checks of every input passed, or the input is about to be rebuilt.

Its checks then run in the same run, where a failed one holds back the rest.
"""

_READY: Final = (
    ~_Condition.any_deps_missing()
    & ~_Condition.any_deps_in_progress()
    & ~_Condition.in_progress()
    & _CHECKS_PASSED
)

REBUILD_ON_CHANGE: Final = ((_NEVER_BUILT | _SOURCE_CHANGED) & _READY).with_label(
    "rebuild when an input changes"
)
"""Rebuild a split of an asset when the data version of an input changes.

Unlike with `eager()`, a new materialization with an equal data version requests nothing. Everything
downstream is requested in the same run, so that no split is left half-built between two runs. A
failed blocking check holds back everything downstream, in that run and in later ones. A split whose
first build failed waits for a change, and is not tried again at each evaluation.
"""

KEEP_CURRENT: Final = (~_Condition.missing() & _SOURCE_CHANGED & _READY).with_label(
    "rebuild when an input changes, once built"
)
"""The same for an asset that is first built on request only, such as an export."""

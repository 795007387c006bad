"""The conditions by which automation rebuilds an asset.

Nothing is evaluated until the sensor `follow_data_versions` is turned on.
"""

from typing import Final

import dagster as dg

_Condition = dg.AutomationCondition

_NEVER_MADE: Final = _Condition.missing() & ~_Condition.execution_failed()
_SOURCE_CHANGED: Final = _Condition.any_deps_match(
    _Condition.data_version_changed() | _Condition.will_be_requested()
).since_last_handled()

_CHECKS_PASSED: Final = _Condition.all_deps_match(
    _Condition.all_checks_match(_Condition.check_passed(), blocking_only=True)
    | _Condition.will_be_requested()
)
"""Checks ride along with an asset that is requested, and hold back the rest of that run."""

_FREE: Final = (
    ~_Condition.any_deps_missing()
    & ~_Condition.any_deps_in_progress()
    & ~_Condition.in_progress()
    & _CHECKS_PASSED
)

REBUILD_ON_CHANGE: Final = ((_NEVER_MADE | _SOURCE_CHANGED) & _FREE).with_label("follow")
"""Rebuild a split of an asset when one of its inputs has another data version.

An equal data version requests nothing, unlike with `eager()`. Everything that follows is requested
in the same run: a split is never left half-way between two runs. A blocking check that has failed
holds back what follows, in that run and in any later one. A split that failed before it was ever
made waits for a change: it is not tried at each evaluation.
"""

KEEP_CURRENT: Final = (~_Condition.missing() & _SOURCE_CHANGED & _FREE).with_label("keep up")
"""The same for an asset that is made only on request: once it was made, it follows."""

"""Whether a split is still of the download as it is, and how long ago it was built.

Dagster's own policy is content when any partition is new; this is true split by split.
"""

from datetime import UTC, datetime
from typing import Final

import dagster as dg

from df2_assets.checks.finding import Finding
from df2_assets.defs.runs.history import last_made, made_from, observed
from df2_assets.errors import LayoutError
from df2_assets.store.consistency import standing
from df2_assets.store.layout import Roots
from df2_assets.store.listing import scan

NAME: Final = "freshness"
SAYS: Final = "Of the download as it is now, and built no longer ago than `limits.max_age_days`."

_MADE_OF: Final = ("raw_annotation_index", "sku_groups", "crops")
_DAY: Final = 86400.0


def find(
    instance: dg.DagsterInstance, run_id: str, roots: Roots, split: str, max_age_days: float
) -> Finding:
    """Looks at the download anew, unless the run `run_id` has done so."""
    made = last_made(instance, "image_text", split)
    if made is None:
        return Finding(False, "warn", 0, f"{split} has not been built on this instance: build it.")
    age = (datetime.now(UTC).timestamp() - made.timestamp) / _DAY
    problems = []
    if age > max_age_days:
        problems.append(f"it was built {age:.1f} days ago, and {max_age_days:g} are the limit")
    version, current = made_from(instance, split), _current(instance, run_id, roots, split)
    if current is None:
        problems.append("the download is not there any more")
    elif version != current:
        problems.append("the download has changed since")
    problems += standing(roots, split, _MADE_OF)
    summary = f"Built {age:.1f} days ago from the download as it is."
    if problems:
        summary = f"{split} is not fresh: {'; '.join(problems)}. Build it again."
    return Finding(not problems, "warn", 1, summary, numbers={"age_days": age})


def _current(instance: dg.DagsterInstance, run_id: str, roots: Roots, split: str) -> str | None:
    """The data version of the download now; None where it is not there."""
    seen = observed(instance, split)
    if seen is not None and seen.run_id == run_id:
        return seen.version
    try:
        return scan(roots, split).digest
    except LayoutError:
        return None

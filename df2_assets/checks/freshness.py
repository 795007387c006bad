"""Whether a split still belongs to the download as it is, and how long ago it was built.

Dagster's own freshness policy passes when any partition is new; this looks at each split.
"""

import time
from dataclasses import dataclass
from typing import Final

from df2_assets.checks.finding import Finding
from df2_assets.errors import LayoutError
from df2_assets.store.layout import Roots
from df2_assets.store.listing import scan
from df2_assets.store.state import consistency_problems

_MADE_OF: Final = ("raw_annotation_index", "sku_groups", "crops")
_DAY: Final = 86400.0


@dataclass(frozen=True)
class LastBuild:
    """When a split was built (seconds since 1970), and from which version of the download.

    `observed` is the version of the download now, where that is known.
    """

    timestamp: float
    version: str | None
    observed: str | None = None


def freshness(
    roots: Roots, split: str, last_build: LastBuild | None, max_age_days: float
) -> Finding:
    """Compare the last build with the download, its age with the limit, and tables with tables."""
    if last_build is None:
        return Finding(False, "warn", 0, f"{split} has not been built on this instance: build it.")
    age = (time.time() - last_build.timestamp) / _DAY
    problems = []
    if age > max_age_days:
        problems.append(f"it was built {age:.1f} days ago, and {max_age_days:g} are the limit")
    current = last_build.observed or _version(roots, split)
    if current is None:
        problems.append("the download is not there any more")
    elif last_build.version != current:
        problems.append("the download has changed since")
    problems += consistency_problems(roots, split, _MADE_OF)
    summary = f"Built {age:.1f} days ago from the download as it is."
    if problems:
        summary = f"{split} is not fresh: {'; '.join(problems)}. Build it again."
    return Finding(not problems, "warn", 1, summary, numbers={"age_days": age})


def _version(roots: Roots, split: str) -> str | None:
    """Return the data version of the download now; None where it is gone."""
    try:
        return scan(roots, split).digest
    except LayoutError:
        return None

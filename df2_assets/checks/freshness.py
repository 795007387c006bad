"""The check of freshness: whether the download has changed since a split was built, and when.

Dagster's own freshness policy passes as soon as any partition is new; this check is per split.
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
"""Seconds."""


@dataclass(frozen=True)
class LastBuild:
    """When a split was built (seconds since 1970), and from which version of the download.

    `observed` is the current version of the download; None if it has not been observed.
    """

    timestamp: float
    version: str | None
    observed: str | None = None


def freshness(
    roots: Roots, split: str, last_build: LastBuild | None, max_age_days: float
) -> Finding:
    """Check the age of the last build, and whether its input and its tables are unchanged."""
    if last_build is None:
        return Finding(False, "warn", 0, f"{split} has not been built on this instance: build it.")
    age = (time.time() - last_build.timestamp) / _DAY
    problems = []
    if age > max_age_days:
        problems.append(f"it was built {age:.1f} days ago, and the limit is {max_age_days:g}")
    current = last_build.observed or _version(roots, split)
    if current is None:
        problems.append("the download is missing")
    elif last_build.version != current:
        problems.append("the download has changed since")
    problems += consistency_problems(roots, split, _MADE_OF)
    summary = f"Built {age:.1f} days ago from the download as it is."
    if problems:
        summary = f"{split} is not fresh: {'; '.join(problems)}. Build it again."
    return Finding(not problems, "warn", 1, summary, numbers={"age_days": age})


def _version(roots: Roots, split: str) -> str | None:
    """Return the current data version of the download; None if it is missing."""
    try:
        return scan(roots, split).digest
    except LayoutError:
        return None

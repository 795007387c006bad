"""Faults: what is wrong on disk, one by one, and who can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec
import pandas as pd

from df2_assets.checks import offenders
from df2_assets.checks.finding import Finding


class Fault(msgspec.Struct):
    """Something wrong, found by `check`, for `build`, `export` or a person to `repair`.

    The other fields can be pasted into `explain`; `path` is relative to SKU_ROOT.
    """

    check: str
    what: str
    repair: Literal["build", "export", "you"] = "build"
    path: str | None = None
    sku_id: str | None = None
    image_id: str | None = None
    item_idx: int | None = None


@dataclass(frozen=True)
class Seen:
    """What a check found when the disk was looked at again, and the faults in that."""

    finding: Finding
    faults: list[Fault] = field(default_factory=list)


def listed(check: str, rows: pd.DataFrame, yours: Iterable[str] = ()) -> list[Fault]:
    """A fault for each offender; those at a path in `yours` are for a person to mend."""
    hands_off = frozenset(yours)
    columns = ["what", "crop_path", "sku_id", "image_id", "item_idx"]
    faults = []
    for what, *rest in rows[columns].itertuples(index=False):
        path, sku_id, image_id, item_idx = (
            None if pd.isna(value) or value == "" else value for value in rest
        )
        repair: Literal["build", "you"] = "you" if path in hands_off else "build"
        item = None if item_idx is None else int(item_idx)
        faults.append(Fault(check, what, repair, path, sku_id, image_id, item))
    return faults


def also(finding: Finding, split: str, paths: list[str], what: str) -> Finding:
    """`finding` with further offenders, where there are any: crops or other files by path."""
    if not paths:
        return finding
    more = offenders.crops(paths).assign(split=split, what=what)
    summary = f"{offenders.number_of(len(paths), 'file')}: {what}. Build again."
    return replace(
        finding,
        passed=False,
        severity="error",
        summary=summary if finding.passed else f"{finding.summary} {summary}",
        offenders=pd.concat([finding.offenders, more], ignore_index=True),
    )

"""Faults: what is wrong on disk, one by one, and who can mend it."""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from df2_assets.checks.finding import Finding


class Fault(msgspec.Struct):
    """Something wrong that `check` has found, for `build`, `export` or a person to `repair`.

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
    """The finding of a check whose files were read back, and the faults in it."""

    finding: Finding
    faults: list[Fault] = field(default_factory=list)

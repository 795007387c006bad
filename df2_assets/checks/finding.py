"""The result of a check, a finding with its offenders, and how findings are stored on disk."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import msgspec
import pandas as pd
import pyarrow.parquet as pq

from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.skus import CROP_NAME, SKU_ID, sku_uid
from df2_assets.dataset.taxonomy import DOMAINS, SPLITS
from df2_assets.errors import escape_untrusted
from df2_assets.store import tables
from df2_assets.store.layout import Roots

ITEM: Final = ["split", "image_id", "item_idx"]
CROP: Final = ["split", "sku_id", "image_id", "item_idx", "crop_path"]

_CROP_PATH: Final = re.compile(
    rf"({'|'.join(SPLITS)})/(?:{'|'.join(DOMAINS.values())})/({SKU_ID.pattern})/{CROP_NAME.pattern}",
    re.ASCII,
)

Severity = Literal["warn", "error"]
State = Literal["passed", "warned", "failed"]


@dataclass(frozen=True)
class Finding:
    """The result of a check of a split.

    `severity` is how bad it is that the check did not pass. `checked_count` is how many images,
    items, crops or lines were checked. `summary` gives the counts and, if something is wrong, what
    to do. `offenders` has one row per offender, and all of them. `numbers` have stable names,
    because the UI plots them over time. `tables` are small tables to show with the finding. `note`
    explains what is correct but may surprise people.
    """

    passed: bool
    severity: Severity
    checked_count: int
    summary: str
    offenders: pd.DataFrame = field(default_factory=pd.DataFrame)
    numbers: dict[str, int | float] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    note: str | None = None


class Problem(msgspec.Struct):
    """Something wrong on disk that `check` detects.

    `repair` is the command that repairs it, without `df2-assets` and the split, such as `build` or
    `export coco`. It is `you` if only a person can. The other fields can be pasted into `explain`;
    `path` is relative to SKU_ROOT.
    """

    check: str
    what: str
    repair: str = "build"
    path: str | None = None
    sku_id: str | None = None
    image_id: str | None = None
    item_idx: int | None = None


@dataclass(frozen=True)
class Inspection:
    """The finding of a check that read files back from disk, and the problems in it.

    `copied` is the number of files of which only the time has changed, which is not a problem.
    """

    finding: Finding
    problems: list[Problem] = field(default_factory=list)
    copied: int = 0


def offending_rows(
    rows: pd.DataFrame, masks: Mapping[str, "pd.Series[bool]"], columns: list[str]
) -> pd.DataFrame:
    """Return the rows that each mask selects, with the mask's name in the column `what`.

    A row that two masks select is returned twice. Null in a mask does not select a row.
    """
    selected = {what: mask.fillna(False).astype(bool) for what, mask in masks.items()}
    parts = [
        rows.loc[mask, columns].assign(what=what) for what, mask in selected.items() if mask.any()
    ]
    return pd.concat(parts or [rows[:0][columns].assign(what="")], ignore_index=True)


def crop_rows(paths: Iterable[str]) -> pd.DataFrame:
    """Return the columns of `CROP`, read from the path of each crop.

    If a path does not have the contract's form, only the split is filled in. Characters that cannot
    be printed are escaped.
    """
    rows = []
    for path in paths:
        match = _CROP_PATH.fullmatch(path)
        split, sku_id, image_id, item_idx = (
            match.groups() if match else (path.split("/")[0], None, None, None)
        )
        item = int(item_idx) if item_idx else None
        rows.append((split, sku_id, image_id, item, escape_untrusted(path, 1000)))
    types = {name: "Int32" if name == "item_idx" else TEXT for name in CROP}
    return pd.DataFrame(rows, columns=CROP).astype(types)


def number_of(count: int, singular: str, plural: str | None = None) -> str:
    """Return `1 image`, `1,200 images`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def describe_first(problems: Sequence[tuple[str, str]], foreign: int = 0) -> str:
    """Return the first of problems, each a path or nothing and what is wrong, and how many follow.

    If some of them are `foreign` files, it also says to move these away.
    """
    (path, what), *others = problems
    first = f"{escape_untrusted(path, 300)}: {what}" if path else what
    more = f" (and {len(others):,} more)" if others else ""
    move = f". Move {number_of(foreign, 'foreign file')} away" if foreign else ""
    return first + more + move


class RecordedFinding(msgspec.Struct, frozen=True):
    """The latest finding of a check of a split, stored so that reports need no Dagster."""

    asset: str
    check: str
    passed: bool
    severity: str
    checked_count: int
    summary: str
    numbers: dict[str, int | float]
    offenders: int

    @property
    def state(self) -> State:
        return "passed" if self.passed else "warned" if self.severity == "warn" else "failed"


def count_states(findings: Iterable[RecordedFinding]) -> dict[str, int]:
    """Return how many checks passed, warned and failed."""
    counts = Counter(finding.state for finding in findings)
    return {state: counts[state] for state in get_args(State)}


def record_finding(finding: Finding, roots: Roots, asset: str, check: str, split: str) -> None:
    """Write a finding as JSON and, if it has any, all its offenders as Parquet next to it.

    Offenders with a `sku_id` get a `sku_uid`.
    """
    path = roots.offenders(asset, check, split)
    if len(finding.offenders):
        with roots.sku.atomic(path) as temporary:
            _add_sku_uids(finding.offenders, split).to_parquet(temporary, index=False)
    else:
        path.unlink(missing_ok=True)
    recorded = RecordedFinding(
        asset,
        check,
        finding.passed,
        finding.severity,
        finding.checked_count,
        finding.summary,
        finding.numbers,
        len(finding.offenders),
    )
    text = msgspec.json.format(msgspec.json.encode(recorded), indent=2) + b"\n"
    roots.sku.publish(roots.finding(asset, check, split), [text], lambda: None)


def _add_sku_uids(offenders: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return offenders with `sku_uid` after `sku_id`, null where an offender is of no SKU."""
    if "sku_id" not in offenders:
        return offenders
    ids = offenders["sku_id"].astype(TEXT)
    uids = sku_uid(split, "") + ids.where(ids != "")
    offenders = offenders.copy(deep=False)
    offenders.insert([*offenders].index("sku_id") + 1, "sku_uid", uids)
    return offenders


def read_findings(roots: Roots, split: str) -> list[RecordedFinding]:
    """Return the recorded findings of a split, by asset and check; skip those it cannot decode."""
    findings = []
    for path in roots.findings(split):
        try:
            findings.append(msgspec.json.decode(path.read_bytes(), type=RecordedFinding))
        except msgspec.DecodeError:
            continue
    return findings


def read_offenders(roots: Roots, asset: str, check: str, split: str) -> pd.DataFrame | None:
    """Return all offenders in the latest finding of a check; None if there are none."""
    try:
        return tables.frame(
            pq.ParquetFile(tables.parquet(roots.offenders(asset, check, split))).read()
        )
    except FileNotFoundError:
        return None

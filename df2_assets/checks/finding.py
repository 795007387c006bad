"""What a check returns, a finding with its offenders, and how findings lie on disk."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import msgspec
import pandas as pd
import pyarrow.parquet as pq

from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.skus import CROP_NAME, SKU_ID
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
    """The result of a check over a split.

    `severity` says how bad it is when not passed. `offenders` has one row per offender, with all of
    them. `summary` is a sentence with the counts and, where something is wrong, what to do.
    `numbers` have stable names: the UI plots them over time. `tables` are further small tables to
    show. `note` says what is as it should be and still surprises people.
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
class Inspection:
    """The finding of a check whose files were read back, and the problems in it.

    `copied` counts files whose time alone is not the recorded one, which is no problem.
    """

    finding: Finding
    problems: list[Problem] = field(default_factory=list)
    copied: int = 0


def offending_rows(
    rows: pd.DataFrame, masks: Mapping[str, "pd.Series[bool]"], columns: list[str]
) -> pd.DataFrame:
    """Return the rows that each mask picks, with `what` naming the mask: one row per offence.

    A null in a mask does not pick.
    """
    parts = [
        rows.loc[mask.fillna(False).astype(bool), columns].assign(what=what)
        for what, mask in masks.items()
    ]
    return pd.concat(parts, ignore_index=True)


def crop_rows(paths: Iterable[str]) -> pd.DataFrame:
    """Return what each crop's path says, in the columns of `CROP`.

    A path that does not have the contract's form has its split only; what is not printable in it
    is escaped.
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


class RecordedFinding(msgspec.Struct, frozen=True):
    """The last finding of a check over a split, as the gallery reads it without Dagster."""

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
    """Write a finding as JSON, and beside it all its offenders, if any, as Parquet."""
    path = roots.offenders(asset, check, split)
    if len(finding.offenders):
        with roots.sku.atomic(path) as temporary:
            finding.offenders.to_parquet(temporary, index=False)
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


def read_findings(roots: Roots, split: str) -> list[RecordedFinding]:
    """Return the recorded findings of a split by asset and check, less those that are illegible."""
    findings = []
    for path in roots.findings(split):
        try:
            findings.append(msgspec.json.decode(path.read_bytes(), type=RecordedFinding))
        except msgspec.DecodeError:
            continue
    return findings


def read_offenders(roots: Roots, asset: str, check: str, split: str) -> pd.DataFrame | None:
    """Return all offenders that a check named last; None where it named none."""
    try:
        return tables.frame(pq.read_table(tables.parquet(roots.offenders(asset, check, split))))
    except FileNotFoundError:
        return None

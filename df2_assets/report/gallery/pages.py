"""The values of the gallery's page: readiness, checks and reasons of refusals."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import pandas as pd

from df2_assets.checks.finding import RecordedFinding, State, read_offenders
from df2_assets.dataset.frames import rows
from df2_assets.dataset.reasons import MEANINGS
from df2_assets.dataset.skus import SKU_ID
from df2_assets.dataset.taxonomy import LABELS
from df2_assets.errors import escape_untrusted
from df2_assets.report.readiness import CEILING_KS, Readiness, describe_verdict
from df2_assets.store.layout import Roots

_ROWS: Final = 20
_PAIRS: Final = 24


def readiness_page(ready: Readiness, states: Mapping[str, int]) -> dict[str, Any]:
    """Return what the template shows about readiness."""
    numbers, not_compared = ready.numbers, " and ".join(ready.not_compared)
    leaking = f"{ready.leaking_crops:,}"
    if not_compared:
        leaking = f"{leaking} so far" if ready.leaking_crops else "unknown"
    has_unpaired = numbers["unpaired_skus"] > 0
    unpaired = [("unpaired_skus", "SKUs with one domain", "kept, but not assessed")] * has_unpaired
    figures = (
        ("paired_skus", "Paired SKUs", "with catalog and query crops"),
        *unpaired,
        ("queries", "Queries", "user crops with an answer in the catalog"),
        ("answers_per_query", "Answers per query", "catalog crops, on average"),
        (
            "queries_without_answer",
            "Queries without an answer",
            "usable user items of garments without a catalog crop",
        ),
        (
            "catalog_without_query",
            "Catalog without a query",
            "usable shop items of garments without a query crop",
        ),
        ("prompts", "Prompts", "different texts"),
        ("skus_per_prompt", "SKUs per prompt", "that share a text, on average"),
    )
    pairs = ready.leaks.drop_duplicates(["crop_path"])
    gaps = [f"{kind.replace('_', ' ')} by {100 * numbers[f'{kind}_gap']:.0f}%" for kind in LABELS]
    return {
        "figures": [
            {
                "name": name,
                "value": f"{numbers[key]:,}",
                "note": note,
                "alarm": False,
            }
            for key, name, note in figures
        ]
        + [
            {
                "name": "Leaking crops",
                "value": leaking,
                "note": f"not compared with {not_compared}"
                if not_compared
                else "whose picture is also in another split",
                "alarm": ready.leaking_crops > 0,
            }
        ],
        "verdict": describe_verdict(ready, states),
        "gap": f"They differ in {', in '.join(gaps[:-1])} and in {gaps[-1]} of the crops.",
        "balance": {
            str(kind): rows.to_dict("records")
            for kind, rows in ready.balance.groupby("kind", sort=False)
        },
        "prompts": ready.prompts.to_dict("records"),
        "distinct": numbers["prompts"],
        "ceilings": ready.ceilings.to_dict("records") if numbers["queries"] else [],
        "ceiling_ks": CEILING_KS,
        "leaks": pairs.head(_PAIRS).to_dict("records"),
        "more_leaks": max(0, len(pairs) - _PAIRS),
        "not_compared": not_compared,
    }


def checks_page(
    roots: Roots, split: str, recorded: Sequence[RecordedFinding]
) -> list[dict[str, Any]]:
    """Return what the template shows about the checks, the worst first."""
    shown = [_describe_check(roots, split, finding) for finding in recorded]
    order = get_args(State)[::-1]
    return sorted(shown, key=lambda check: order.index(check["state"]))


def reasons_page(refusals: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each reason that occurs, with its count and meaning."""
    counts = refusals["reason"].value_counts()
    return [
        {"reason": reason.value, "count": int(counts[reason.value]), "meaning": meaning}
        for reason, meaning in MEANINGS.items()
        if reason.value in counts.index
    ]


def named_skus(
    roots: Roots, split: str, recorded: Sequence[RecordedFinding]
) -> tuple[list[str], dict[str, list[int]]]:
    """Return the checks that name SKUs and, by SKU id, the numbers of the checks that name it."""
    checks: list[str] = []
    named: dict[str, list[int]] = {}
    for finding in recorded:
        offenders = read_offenders(roots, finding.asset, finding.check, split)
        if offenders is None or "sku_id" not in offenders:
            continue
        skus = sorted(set(offenders["sku_id"].dropna().tolist()))
        if not skus:
            continue
        for sku_id in skus:
            named.setdefault(sku_id, []).append(len(checks))
        checks.append(finding.check)
    return checks, named


def _describe_check(roots: Roots, split: str, finding: RecordedFinding) -> dict[str, Any]:
    offenders = read_offenders(roots, finding.asset, finding.check, split)
    head = pd.DataFrame() if offenders is None else offenders.head(_ROWS).dropna(axis=1, how="all")
    listed = head.drop(columns="split", errors="ignore")
    path = roots.offenders(finding.asset, finding.check, split)
    return {
        "state": finding.state,
        "name": finding.check.replace("_", " "),
        "asset": finding.asset,
        "summary": finding.summary,
        "checked_count": finding.checked_count,
        "offenders": finding.offenders,
        "file": path.relative_to(roots.sku_root).as_posix(),
        "shown": _choose_crops(head),
        "columns": [str(name).replace("_", " ") for name in listed.columns],
        "rows": [
            [_cell(str(name), value) for name, value in zip(listed, row, strict=True)]
            for row in listed.itertuples(index=False)
        ],
    }


def _choose_crops(head: pd.DataFrame) -> list[dict[str, str | None]]:
    """Return the crops among the rows, each with the crop to compare it with. List a pair once."""
    if "crop_path" not in head:
        return []
    beside = next((name for name in ("like", "same_as", "unlike") if name in head), "crop_path")
    shown: dict[frozenset[str], dict[str, str | None]] = {}
    for path, sku_id, other in rows(head, "crop_path", "sku_id", beside):
        if path:
            pair = {"path": path, "sku_id": sku_id, "beside": None if other == path else other}
            shown.setdefault(frozenset((path, other)), pair)
    return list(shown.values())


def _cell(name: str, value: object) -> dict[str, Any]:
    """Return a cell of a table. `sku`: it is a SKU of this split, so it may be a link."""
    is_missing = pd.isna(value)  # type: ignore[call-overload]
    text = "" if is_missing else escape_untrusted(str(value), 200)
    return {"text": text, "sku": name == "sku_id" and SKU_ID.fullmatch(text) is not None}

"""What the gallery's page says beside its data: figures, readiness, checks, reasons of refusals."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import pandas as pd

from df2_assets.checks.finding import RecordedFinding, State, read_offenders
from df2_assets.dataset.frames import rows
from df2_assets.dataset.reasons import MEANINGS
from df2_assets.dataset.skus import SKU_ID
from df2_assets.errors import escape_untrusted
from df2_assets.report.readiness import Readiness, verdict
from df2_assets.store.layout import Roots

_ROWS: Final = 20
_PAIRS: Final = 24


def readiness_page(found: Readiness, states: Mapping[str, int]) -> dict[str, Any]:
    """What the template shows of a split's readiness."""
    numbers, not_compared = found.numbers, " and ".join(found.not_compared)
    leaking = f"{found.leaking_crops:,}"
    if not_compared:
        leaking = f"{leaking} so far" if found.leaking_crops else "unknown"
    figures = (
        ("paired_skus", "Paired SKUs", "with catalog and query crops"),
        ("queries", "Queries", "user crops with an answer in the catalog"),
        ("answers_per_query", "Answers per query", "catalog crops, on average"),
        (
            "queries_without_answer",
            "Queries without an answer",
            "usable user items whose garment has no catalog crop: left out",
        ),
        (
            "catalog_without_query",
            "Catalog without a query",
            "usable shop items that no user item asks for: left out",
        ),
        ("prompts", "Prompts", "different texts"),
        ("skus_per_prompt", "SKUs per prompt", "that share a text, on average"),
    )
    pairs = found.leaks.drop_duplicates(["crop_path"])
    gaps = (f"{kind} by {100 * numbers[f'{kind}_gap']:.0f}%" for kind in ("occlusion", "viewpoint"))
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
                else "whose picture another split has too",
                "alarm": found.leaking_crops > 0,
            }
        ],
        "verdict": verdict(found, states),
        "gap": f"They differ in {' and in '.join(gaps)} of the crops.",
        "balance": {
            str(kind): rows.to_dict("records")
            for kind, rows in found.balance.groupby("kind", sort=False)
        },
        "prompts": found.prompts.to_dict("records"),
        "distinct": numbers["prompts"],
        "leaks": pairs.head(_PAIRS).to_dict("records"),
        "more_leaks": max(0, len(pairs) - _PAIRS),
        "not_compared": not_compared,
    }


def checks_page(
    roots: Roots, split: str, recorded: Sequence[RecordedFinding]
) -> list[dict[str, Any]]:
    """What the template shows of the checks, what is worst first."""
    shown = [_check(roots, split, one) for one in recorded]
    order = get_args(State)[::-1]
    return sorted(shown, key=lambda one: order.index(one["state"]))


def reasons_page(refusals: pd.DataFrame) -> list[dict[str, Any]]:
    """How often each reason was given, and what it means."""
    counts = refusals["reason"].value_counts()
    return [
        {"reason": reason.value, "count": int(counts[reason.value]), "meaning": meaning}
        for reason, meaning in MEANINGS.items()
        if reason.value in counts.index
    ]


def named_skus(
    roots: Roots, split: str, recorded: Sequence[RecordedFinding]
) -> tuple[list[str], dict[str, list[int]]]:
    """The checks that name SKUs, and for each SKU that is named by which of them."""
    checks: list[str] = []
    named: dict[str, list[int]] = {}
    for one in recorded:
        found = read_offenders(roots, one.asset, one.check, split)
        if found is None or "sku_id" not in found:
            continue
        skus = sorted(set(found["sku_id"].dropna().tolist()))
        if not skus:
            continue
        for sku_id in skus:
            named.setdefault(sku_id, []).append(len(checks))
        checks.append(one.check)
    return checks, named


def _check(roots: Roots, split: str, one: RecordedFinding) -> dict[str, Any]:
    named = read_offenders(roots, one.asset, one.check, split)
    head = pd.DataFrame() if named is None else named.head(_ROWS).dropna(axis=1, how="all")
    listed = head.drop(columns="split", errors="ignore")
    path = roots.offenders(one.asset, one.check, split)
    return {
        "state": one.state,
        "name": one.check.replace("_", " "),
        "asset": one.asset,
        "summary": one.summary,
        "looked_at": one.looked_at,
        "offenders": one.offenders,
        "file": path.relative_to(roots.sku_root).as_posix(),
        "shown": _shown(head),
        "columns": [str(name).replace("_", " ") for name in listed.columns],
        "rows": [[_cell(value) for value in row] for row in listed.itertuples(index=False)],
    }


def _shown(head: pd.DataFrame) -> list[dict[str, str | None]]:
    """The crops among the rows, each pair once: a crop beside the one that it is compared with."""
    if "crop_path" not in head:
        return []
    beside = next((name for name in ("like", "same_as", "unlike") if name in head), "crop_path")
    shown: dict[frozenset[str], dict[str, str | None]] = {}
    for path, sku_id, other in rows(head, "crop_path", "sku_id", beside):
        if path:
            pair = {"path": path, "sku_id": sku_id, "beside": None if other == path else other}
            shown.setdefault(frozenset((path, other)), pair)
    return list(shown.values())


def _cell(value: object) -> dict[str, Any]:
    is_missing = pd.isna(value)  # type: ignore[call-overload]
    text = "" if is_missing else escape_untrusted(str(value), 200)
    return {"text": text, "sku": SKU_ID.fullmatch(text) is not None}

"""Whether the prompts say what they should, read back without the rules that wrote them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final

import pandas as pd

from df2_assets.checks.finding import Finding
from df2_assets.checks.offenders import number_of
from df2_assets.dataset.metadata import ImageText
from df2_assets.dataset.prompts import Variant
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, OCCLUSIONS, VIEWPOINTS
from df2_assets.errors import MissingTableError
from df2_assets.store import state
from df2_assets.store.contract_files import read_image_text
from df2_assets.store.layout import Roots

COMBINATIONS: Final = "crops by combination"
"""The name of the table of all 234 combinations."""

_PROMPT: Final = re.compile(
    r"A (?P<photo>catalog product|user) photo of a (?P<person>person wearing a )?"
    r"(?P<occlusion>(?:partially|heavily) occluded )?(?P<category>.+?)"
    r" (?P<view>that is not being worn|from the front|from the side or back)\."
)
_SAID_DOMAIN: Final = {"catalog product": "catalog", "user": "query"}
_SAID_OCCLUSION: Final = {None: 1, "partially occluded ": 2, "heavily occluded ": 3}
_SAID_VIEW: Final = {"that is not being worn": 1, "from the front": 2, "from the side or back": 3}


def coverage_on_disk(roots: Roots, split: str) -> Finding:
    """`prompt_coverage` of the JSONL on disk; one that is not there or not whole is an error."""
    try:
        records = read_image_text(roots, split)
        return prompt_coverage(split, records, state.load(roots, split).variants)
    except MissingTableError as problem:
        return Finding(False, "error", 0, str(problem))


def prompt_coverage(
    split: str, records: Sequence[ImageText], variants: tuple[Variant, ...] = ()
) -> Finding:
    """Every prompt read back to what it says, and how many crops each combination has.

    `records` have a prompt for each of `variants` as well, which is held against what its templates
    give. Combinations are category by domain by occlusion by viewpoint: 234. A wrong prompt is an
    error, a combination without crops a warning; an empty split has nothing to say.
    """
    said = Counter(
        (r.category_id, r.category_name, r.domain, r.occlusion, r.viewpoint, r.text)
        for r in records
    )
    wrong = {key: what for key in said if (what := _wrong_prompt(*key))}
    rows: list[tuple[Any, ...]] = []
    for r in records if wrong else ():
        key = r.category_id, r.category_name, r.domain, r.occlusion, r.viewpoint, r.text
        if key in wrong:
            rows.append(_row(split, r, r.text, wrong[key]))
    rows += _wrong_variants(split, records, variants)
    cells: Counter[tuple[int, str, int, int]] = Counter()
    for (category_id, _, domain, occlusion, viewpoint, _), crops in said.items():
        cells[category_id, domain, occlusion, viewpoint] += crops
    combinations = list(product(CATEGORIES, DOMAINS.values(), OCCLUSIONS, VIEWPOINTS))
    empty = [cell for cell in combinations if not cells[cell]] if records else []
    nowhere = (None, None, None, None)
    rows += (
        (split, *nowhere, category_id, CATEGORIES[category_id], *rest, None, "no crop of this kind")
        for category_id, *rest in empty
    )
    wrong_rows = len(rows) - len(empty)
    summary = "No prompts: the split has no SKU."
    if records:
        summary = (
            f"{number_of(len(records) * (1 + len(variants)), 'prompt')}, {wrong_rows:,} wrong; "
            f"{len(empty):,} of {len(combinations)} combinations without a crop."
        )
    if wrong_rows:
        summary += f" Rerun image_text for {split}."
    return Finding(
        not rows,
        "error" if wrong_rows else "warn",
        len(records),
        summary,
        _prompt_rows(rows),
        {"wrong_prompts": wrong_rows, "empty_combinations": len(empty)},
        {COMBINATIONS: _table(cells)} if records else {},
    )


def _wrong_prompt(
    category_id: int, category_name: str, domain: str, occlusion: int, viewpoint: int, text: str
) -> str | None:
    """What is wrong with a prompt, or None."""
    match = _PROMPT.fullmatch(text)
    if match is None:
        return "not a sentence of the contract"
    worn = domain == "query" and viewpoint in (2, 3)
    wrong = {
        "category": match["category"] != category_name
        or category_name != CATEGORIES.get(category_id),
        "domain": _SAID_DOMAIN[match["photo"]] != domain,
        "occlusion": _SAID_OCCLUSION[match["occlusion"]] != occlusion,
        "viewpoint": _SAID_VIEW[match["view"]] != viewpoint,
        "person": (match["person"] is not None) != worn,
    }
    names = [name for name, is_wrong in wrong.items() if is_wrong]
    return f"the prompt says another {', '.join(names)}" if names else None


def _wrong_variants(
    split: str, records: Sequence[ImageText], variants: tuple[Variant, ...]
) -> Iterator[tuple[Any, ...]]:
    """A row for each text that is not what its template gives."""
    for r in records if variants else ():
        for variant in variants:
            text = getattr(r, variant.key)
            labels = r.domain, r.category_name, r.occlusion, r.viewpoint
            if text != variant.prompt(r.image_path, *labels):
                yield _row(split, r, text, f"{variant.key} is not what its template gives")


def _row(split: str, r: ImageText, text: str, what: str) -> tuple[Any, ...]:
    crop = split, r.sku_id, r.image_id, r.item_idx, r.image_path
    return *crop, r.category_id, r.category_name, r.domain, r.occlusion, r.viewpoint, text, what


def _prompt_rows(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = ["split", "sku_id", "image_id", "item_idx", "crop_path", "category_id"]
    columns += ["category_name", "domain", "occlusion", "viewpoint", "text", "what"]
    return pd.DataFrame(rows, columns=columns).astype({"item_idx": "Int32"})


def _table(cells: Counter[tuple[int, str, int, int]]) -> pd.DataFrame:
    """Counts: a row a category and domain, a column an occlusion and viewpoint."""
    return pd.DataFrame(
        [
            {"category": name, "domain": domain}
            | {
                f"occlusion {o}, viewpoint {v}": cells[category_id, domain, o, v]
                for o, v in product(OCCLUSIONS, VIEWPOINTS)
            }
            for (category_id, name), domain in product(CATEGORIES.items(), DOMAINS.values())
        ]
    )

"""Whether `{split}_image_text.jsonl` has the crops of the metadata, and prompts that suit them."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, product
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import pandas as pd

from df2_assets.checks.finding import CROP, Finding, crop_rows, number_of
from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.metadata import Crop, ImageText, Sku
from df2_assets.dataset.prompts import Variant
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, OCCLUSIONS, RELEASED, VIEWPOINTS
from df2_assets.errors import MissingTableError
from df2_assets.store import state, tables
from df2_assets.store.contract_files import read_image_text, read_metadata
from df2_assets.store.layout import Roots

COMBINATIONS: Final = "crops by combination"
"""The name of the table of all 234 combinations."""

_PROMPT: Final = re.compile(
    r"A (?P<photo>catalog product|user) photo of a (?P<person>person wearing a )?"
    r"(?P<occlusion>(?:partially|heavily) occluded )?(?P<category>.+?)"
    r" (?P<view>that is not being worn|from the front|from the side or back)\."
)
_LABELS: Final = ("category_id", "category_name", "domain", "occlusion", "viewpoint")
_LABELS_AND_TEXT: Final = attrgetter(*_LABELS, "text")
_SAID_DOMAIN: Final = {"catalog product": "catalog", "user": "query"}
_SAID_OCCLUSION: Final = {None: 1, "partially occluded ": 2, "heavily occluded ": 3}
_SAID_VIEW: Final = {"that is not being worn": 1, "from the front": 2, "from the side or back": 3}

_Line = dict[str, Any]


class _Wanted(NamedTuple):
    """A crop of the metadata and its place there."""

    place: int
    sku_id: str
    sku: Sku
    domain: str
    crop: Crop


def matches_metadata(roots: Roots, split: str) -> Finding:
    """Compare the lines of the JSONL with the crops of the metadata: one to one, in order.

    After `text` come the prompts that the split was made with, and nothing else.
    """
    texts = ["text", *(variant.key for variant in state.load(roots, split).variants)]
    try:
        wanted = {one.crop.crop_path: one for one in _wanted(roots, split)}
        lines = roots.image_text(split).read_bytes().splitlines()
    except MissingTableError as problem:
        return Finding(False, "error", 0, str(problem))
    except OSError as problem:
        summary = f"{roots.image_text(split)}: {os.strerror(problem.errno or 0)}."
        return Finding(False, "error", 0, f"{summary} Materialize image_text for {split}.")
    last = -1
    seen: set[str] = set()
    problems: list[tuple[int | None, _Line, str]] = []
    for number, data in enumerate(lines, 1):
        line = _decoded(data)
        if line is None:
            problems.append((number, {}, "not a JSON object"))
            continue
        path = line.get("image_path")
        one = wanted.get(path) if isinstance(path, str) else None
        if one is None:
            problems.append((number, line, "no such crop in the metadata"))
            continue
        entry = _entry(split, one)
        if one.crop.crop_path in seen:
            problems.append((number, entry, "a second line of the crop"))
            continue
        seen.add(one.crop.crop_path)
        what = _difference(line, entry, texts)
        if what:
            problems.append((number, entry, what))
        if one.place < last:
            problems.append((number, entry, "out of order"))
        last = max(last, one.place)
    problems += (
        (None, _entry(split, one), "no line") for path, one in wanted.items() if path not in seen
    )
    found = _offending_lines(split, problems)
    summary = f"{number_of(len(lines), 'line')}, {number_of(len(wanted), 'crop')} in the metadata"
    if found.empty:
        summary += ": one to one."
    else:
        summary += f"; {number_of(len(found), 'problem')}. Rerun image_text for {split}."
    numbers: dict[str, int | float] = {"lines": len(lines), "crops": len(wanted)}
    return Finding(found.empty, "error", len(lines), summary, found, numbers)


def _wanted(roots: Roots, split: str) -> Iterator[_Wanted]:
    """Yield the crops of the metadata in its order. Raises MissingTableError."""
    places = count()
    for sku_id, sku in read_metadata(roots, split).skus.items():
        for domain, crops in (("catalog", sku.catalog), ("query", sku.query)):
            for crop in crops:
                yield _Wanted(next(places), sku_id, sku, domain, crop)


def _entry(split: str, wanted: _Wanted) -> _Line:
    """Return the line that a crop of the metadata should have, less the texts."""
    _, sku_id, sku, domain, crop = wanted
    return {
        "split": split,
        "sku_id": sku_id,
        "pair_id": sku.pair_id,
        "style": sku.style,
        "category_id": sku.category_id,
        "category_name": sku.category_name,
        "domain": domain,
        "image_path": crop.crop_path,
        "orig_image_path": crop.orig_image_path,
        "image_id": crop.image_id,
        "item_idx": crop.item_idx,
        "bbox": list(crop.bbox),
        "occlusion": crop.occlusion,
        "viewpoint": crop.viewpoint,
    }


def _decoded(data: bytes) -> _Line | None:
    try:
        line = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None
    return line if isinstance(line, dict) else None


def _difference(line: _Line, entry: _Line, texts: list[str]) -> str | None:
    keys = list(line)
    for text in texts:
        if not isinstance(line.pop(text, None), str):
            return f"{text} is missing"
    if line != entry:
        names = [name for name in entry | line if line.get(name, line) != entry.get(name, entry)]
        return f"differs in {', '.join(names)}"
    return None if keys == [*entry, *texts] else "keys in another order"


def _offending_lines(split: str, problems: list[tuple[int | None, _Line, str]]) -> pd.DataFrame:
    rows = crop_rows(str(entry.get("image_path", "")) for _, entry, _ in problems)
    lines = pd.array([number for number, _, _ in problems], "Int64")
    whats = pd.Series([what for _, _, what in problems], dtype=TEXT)
    return rows.assign(split=split, line=lines, what=whats)


def prompt_coverage(roots: Roots, split: str) -> Finding:
    """Judge the prompts of the JSONL on disk; a missing or damaged one is an error."""
    try:
        records = read_image_text(roots, split)
        variants = state.load(roots, split).variants
        return coverage(split, records, variants, is_full=_is_full(roots, split))
    except MissingTableError as problem:
        return Finding(False, "error", 0, str(problem))


def _is_full(roots: Roots, split: str) -> bool:
    """Return whether the split has as many images as were released."""
    files = tables.find(roots, "files", split)
    return files is not None and len(files["image_size"].drop_null()) >= RELEASED[split].images


def coverage(
    split: str,
    records: Sequence[ImageText],
    variants: tuple[Variant, ...] = (),
    *,
    is_full: bool,
) -> Finding:
    """Read every prompt back to its labels, and count the crops of each combination.

    `records` also have a prompt for each of `variants`, which is compared with what its template
    gives. Combinations are category by domain by occlusion by viewpoint: 234. A wrong prompt is an
    error. A combination without crops is a warning in a split of the release's size, and only
    counted in a smaller one, where it is normal.
    """
    label_counts = Counter(map(_LABELS_AND_TEXT, records))
    wrong = {key: what for key in label_counts if (what := _wrong_prompt(*key))}
    suspects = records if wrong else ()
    problems = [(r, r.text, wrong[key]) for r in suspects if (key := _LABELS_AND_TEXT(r)) in wrong]
    problems += _wrong_variants(records, variants)
    cells: Counter[tuple[int, str, int, int]] = Counter()
    for (category_id, _, *labels, _), crops in label_counts.items():
        cells[category_id, *labels] += crops
    combinations = list(product(CATEGORIES, DOMAINS.values(), OCCLUSIONS, VIEWPOINTS))
    empty = [cell for cell in combinations if not cells[cell]] if records else []
    wrong_rows = len(problems)
    summary = "No prompts: the split has no SKU."
    if records:
        summary = (
            f"{number_of(len(records) * (1 + len(variants)), 'prompt')}, {wrong_rows:,} wrong; "
            f"{len(empty):,} of {len(combinations)} combinations without a crop."
        )
    if wrong_rows:
        summary += f" Rerun image_text for {split}."
    missing = empty if is_full else []
    return Finding(
        not (problems or missing),
        "error" if wrong_rows else "warn",
        len(records),
        summary,
        _offending_prompts(split, problems, missing),
        {"wrong_prompts": wrong_rows, "empty_combinations": len(empty)},
        {COMBINATIONS: _table(cells)} if records else {},
    )


def _wrong_prompt(
    category_id: int, category_name: str, domain: str, occlusion: int, viewpoint: int, text: str
) -> str | None:
    """Return what is wrong with a prompt, or None."""
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
    records: Sequence[ImageText], variants: tuple[Variant, ...]
) -> Iterator[tuple[ImageText, str, str]]:
    """Yield each text that is not what its template gives, with its line and what is wrong."""
    for r, variant in product(records, variants):
        text = getattr(r, variant.key)
        labels = r.domain, r.category_name, r.occlusion, r.viewpoint
        if text != variant.prompt(r.image_path, *labels):
            yield r, text, f"{variant.key} is not what its template gives"


def _offending_prompts(
    split: str,
    problems: Iterable[tuple[ImageText, str, str]],
    empty: Iterable[tuple[int, str, int, int]],
) -> pd.DataFrame:
    """Return one row per wrong prompt, then one per combination without crops."""
    rows = [
        (split, r.sku_id, r.image_id, r.item_idx, r.image_path, *_LABELS_AND_TEXT(r)[:-1], *texts)
        for r, *texts in problems
    ]
    rows += [
        (split, *[None] * 4, c, CATEGORIES[c], *labels, None, "no crop of this kind")
        for c, *labels in empty
    ]
    columns = [*CROP, *_LABELS, "text", "what"]
    return pd.DataFrame(rows, columns=columns).astype({"item_idx": "Int32"})


def _table(cells: Counter[tuple[int, str, int, int]]) -> pd.DataFrame:
    """Count crops: one row per category and domain, one column per occlusion and viewpoint."""
    return pd.DataFrame(
        [
            {"category": name, "domain": domain}
            | {
                f"{occlusion} occlusion, {viewpoint}": cells[category_id, domain, o, v]
                for (o, occlusion), (v, viewpoint) in product(
                    OCCLUSIONS.items(), VIEWPOINTS.items()
                )
            }
            for (category_id, name), domain in product(CATEGORIES.items(), DOMAINS.values())
        ]
    )

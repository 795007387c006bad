"""Whether `{split}_image_text.jsonl` says what the metadata says, in the right words."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final

import msgspec
import pandas as pd

from df2_assets.dataset.metadata import ImageText
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, OCCLUSIONS, VIEWPOINTS
from df2_assets.errors import MissingTableError
from df2_assets.inspection.finding import Finding
from df2_assets.inspection.offenders import number_of
from df2_assets.pipeline.publishing import read_metadata
from df2_assets.store.layout import Roots

_Entry = dict[str, Any]

_PROMPT: Final = re.compile(
    r"A (?P<photo>catalog product|user) photo of a (?P<person>person wearing a )?"
    r"(?P<occlusion>(?:partially|heavily) occluded )?(?P<category>.+?)"
    r" (?P<view>that is not being worn|from the front|from the side or back)\."
)
_SAID_DOMAIN: Final = {"catalog product": "catalog", "user": "query"}
_SAID_OCCLUSION: Final = {None: 1, "partially occluded ": 2, "heavily occluded ": 3}
_SAID_VIEW: Final = {"that is not being worn": 1, "from the front": 2, "from the side or back": 3}


def matches_metadata(roots: Roots, split: str) -> Finding:
    """The lines of the JSONL are the crops of the metadata: one to one, in order, in each field."""
    try:
        entries = {entry["image_path"]: entry for entry in _entries(roots, split)}
        lines = roots.image_text(split).read_bytes().splitlines()
    except MissingTableError as problem:
        return Finding(False, "error", 0, str(problem))
    except OSError as problem:
        summary = f"{roots.image_text(split)}: {os.strerror(problem.errno or 0)}."
        return Finding(False, "error", 0, f"{summary} Materialize image_text for {split}.")
    order = {path: place for place, path in enumerate(entries)}
    last = -1
    seen: set[str] = set()
    faults: list[tuple[int | None, _Entry, str]] = []
    for number, data in enumerate(lines, 1):
        line = _decoded(data)
        if line is None:
            faults.append((number, {}, "not a JSON object"))
            continue
        path = line.get("image_path")
        entry = entries.get(path) if isinstance(path, str) else None
        if entry is None:
            faults.append((number, line, "no such crop in the metadata"))
            continue
        if path in seen:
            faults.append((number, entry, "a second line of the crop"))
            continue
        seen.add(entry["image_path"])
        what = _difference(line, entry)
        if what:
            faults.append((number, entry, what))
        if order[entry["image_path"]] < last:
            faults.append((number, entry, "out of order"))
        last = max(last, order[entry["image_path"]])
    faults += ((None, entries[path], "no line") for path in order if path not in seen)
    found = _named(split, faults)
    summary = f"{number_of(len(lines), 'line')}, {number_of(len(entries), 'crop')} in the metadata"
    if found.empty:
        summary += ": one to one."
    else:
        summary += f"; {number_of(len(found), 'fault')}. Rerun image_text for {split}."
    numbers: dict[str, int | float] = {"lines": len(lines), "crops": len(entries)}
    return Finding(found.empty, "error", len(lines), summary, found, numbers)


def prompt_coverage(split: str, records: Sequence[ImageText]) -> Finding:
    """Every prompt read back to what it says, and how many crops each combination has.

    Combinations are category by domain by occlusion by viewpoint: 234. A wrong prompt is an error,
    a combination without crops a warning; an empty split has nothing to say.
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
            rows.append((split, r.sku_id, r.image_id, r.item_idx, r.image_path, *key, wrong[key]))
    cells: Counter[tuple[int, str, int, int]] = Counter()
    for (category_id, _, domain, occlusion, viewpoint, _), count in said.items():
        cells[category_id, domain, occlusion, viewpoint] += count
    combinations = list(product(CATEGORIES, DOMAINS.values(), OCCLUSIONS, VIEWPOINTS))
    empty = [cell for cell in combinations if not cells[cell]] if records else []
    nowhere = (None, None, None, None)
    rows += (
        (split, *nowhere, category_id, CATEGORIES[category_id], *rest, None, "no crop of this kind")
        for category_id, *rest in empty
    )
    wrong_rows = len(rows) - len(empty)
    summary = (
        f"{number_of(len(records), 'prompt')}, {wrong_rows:,} wrong; "
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
        {"crops by combination": _table(cells)} if records else {},
    )


def _entries(roots: Roots, split: str) -> Iterator[_Entry]:
    """The JSONL's lines as the metadata wants them, less the text. Raises MissingTableError."""
    document = read_metadata(roots, split)
    for sku_id, sku in document.skus.items():
        for domain, crops in (("catalog", sku.catalog), ("query", sku.query)):
            for crop in crops:
                yield {
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


def _decoded(data: bytes) -> _Entry | None:
    try:
        line = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None
    return line if isinstance(line, dict) else None


def _difference(line: _Entry, entry: _Entry) -> str | None:
    text = line.pop("text", None)
    if not isinstance(text, str):
        return "text is missing"
    if line != entry:
        names = [name for name in entry | line if line.get(name, line) != entry.get(name, entry)]
        return f"differs in {', '.join(names)}"
    return None if list(line) == list(entry) else "keys in another order"


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


def _named(split: str, faults: list[tuple[int | None, _Entry, str]]) -> pd.DataFrame:
    names = {"sku_id": "str", "image_id": "str", "item_idx": "str", "image_path": "str"}
    rows = [
        (split, number, *(_text(entry.get(name)) for name in names), what)
        for number, entry, what in faults
    ]
    columns = ["split", "line", "sku_id", "image_id", "item_idx", "crop_path", "what"]
    return pd.DataFrame(rows, columns=columns).astype({"line": "Int64", "what": "str"})


def _text(value: object) -> str | None:
    return None if value is None else str(value)


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

"""Whether `{split}_image_text.jsonl` says what the metadata says."""

import os
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pandas as pd

from df2_assets.checks.finding import Finding
from df2_assets.checks.offenders import number_of
from df2_assets.dataset.metadata import Crop, Sku
from df2_assets.errors import MissingTableError
from df2_assets.store import state
from df2_assets.store.contract_files import read_metadata
from df2_assets.store.layout import Roots

_Line = dict[str, Any]


class _Wanted(NamedTuple):
    """A crop of the metadata and its place there."""

    place: int
    sku_id: str
    sku: Sku
    domain: str
    crop: Crop


def matches_metadata(roots: Roots, split: str) -> Finding:
    """The lines of the JSONL are the crops of the metadata: one to one, in order, in each field.

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
    faults: list[tuple[int | None, _Line, str]] = []
    for number, data in enumerate(lines, 1):
        line = _decoded(data)
        if line is None:
            faults.append((number, {}, "not a JSON object"))
            continue
        path = line.get("image_path")
        one = wanted.get(path) if isinstance(path, str) else None
        if one is None:
            faults.append((number, line, "no such crop in the metadata"))
            continue
        entry = _entry(split, one)
        if one.crop.crop_path in seen:
            faults.append((number, entry, "a second line of the crop"))
            continue
        seen.add(one.crop.crop_path)
        what = _difference(line, entry, texts)
        if what:
            faults.append((number, entry, what))
        if one.place < last:
            faults.append((number, entry, "out of order"))
        last = max(last, one.place)
    faults += (
        (None, _entry(split, one), "no line") for path, one in wanted.items() if path not in seen
    )
    found = _named(split, faults)
    summary = f"{number_of(len(lines), 'line')}, {number_of(len(wanted), 'crop')} in the metadata"
    if found.empty:
        summary += ": one to one."
    else:
        summary += f"; {number_of(len(found), 'fault')}. Rerun image_text for {split}."
    numbers: dict[str, int | float] = {"lines": len(lines), "crops": len(wanted)}
    return Finding(found.empty, "error", len(lines), summary, found, numbers)


def _wanted(roots: Roots, split: str) -> Iterator[_Wanted]:
    """The crops of the metadata in its order. Raises MissingTableError."""
    places = count()
    for sku_id, sku in read_metadata(roots, split).skus.items():
        for domain, crops in (("catalog", sku.catalog), ("query", sku.query)):
            for crop in crops:
                yield _Wanted(next(places), sku_id, sku, domain, crop)


def _entry(split: str, wanted: _Wanted) -> _Line:
    """The line that a crop of the metadata wants, less the texts."""
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


def _named(split: str, faults: list[tuple[int | None, _Line, str]]) -> pd.DataFrame:
    names = {"sku_id": "str", "image_id": "str", "item_idx": "str", "image_path": "str"}
    rows = [
        (split, number, *(_text(entry.get(name)) for name in names), what)
        for number, entry, what in faults
    ]
    columns = ["split", "line", "sku_id", "image_id", "item_idx", "crop_path", "what"]
    return pd.DataFrame(rows, columns=columns).astype({"line": "Int64", "what": "str"})


def _text(value: object) -> str | None:
    return None if value is None else str(value)

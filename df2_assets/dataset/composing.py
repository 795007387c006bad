"""The text of the contract files, composed column by column from rows of `sku_groups`.

The names and the order of fields are those of `dataset.metadata`. Values need no escapes: paths and
ids consist of letters, digits and `/_.`, and the names of categories come from the taxonomy. Only
the texts that people write may contain other characters.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import repeat
from textwrap import indent
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.metadata import Crop, ImageText, Sku
from df2_assets.dataset.prompts import NO_TEXTS, Subject, Texts, prompt
from df2_assets.dataset.record import EDGES, IMAGE_TEXT, SKU_METADATA

_TEXTS: Final = {
    field.name
    for field in (*SKU_METADATA.fields, *IMAGE_TEXT.fields)
    if field.kind == "string" and field.name != "text"
}
"""The fields whose values stand between quotation marks. A prompt comes as JSON."""

_LABELS: Final = ("domain", "category_name", "occlusion", "viewpoint")
"""What the prompt of a crop depends on."""

_PLACE: Final = re.compile(r"<(\w+)>")

Columns = Mapping[str, pa.Array]
"""Texts by the name of their field, as many for each."""


def compose_skus(crops: pa.Table) -> list[str]:
    """Return each SKU with its id, as in the metadata document but without commas between them.

    `crops` are rows of `sku_groups` in the order of that table, with all crops of each SKU.
    """
    columns = _columns(crops, "[\n  <x1>,\n  <y1>,\n  <x2>,\n  <y2>\n]", depth=10)
    ids = columns["sku_id"].dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    is_catalog = pc.equal(columns["domain"], "catalog").to_numpy(zero_copy_only=False)
    queries = starts + np.add.reduceat(is_catalog, starts, dtype=np.int64)
    edges = np.append(np.stack([starts, queries], axis=1).ravel(), len(ids))
    entries = pa.ListArray.from_arrays(pa.array(edges, pa.int32()), _fill(_CROP, columns))
    joined = pc.binary_join(entries, ",\n")
    brackets = pc.binary_join_element_wise("[\n", joined, "\n      ]", "")
    lists = pc.if_else(pc.equal(joined, ""), "[]", brackets)
    of_skus = {name: column.take(pa.array(starts)) for name, column in columns.items()}
    skus = _fill(_SKU, {**of_skus, "catalog": lists[::2], "query": lists[1::2]})
    return list(skus.to_pylist())


def compose_lines(
    crops: pa.Table, texts: Texts = NO_TEXTS, captions: pa.Table | None = None
) -> bytes:
    """Return the lines of the JSONL for rows of `sku_groups`, with further `texts`.

    If a text needs the colours of the crops, `crops` has them in a further column.
    `captions` has one row per crop and one column per key; null stands for the contract's prompt.
    """
    columns = _columns(crops, "[<x1>,<y1>,<x2>,<y2>]")
    colours = crops["colour"].to_pylist() if texts.use_colour else repeat(None)
    prompts = _prompts(columns, texts, captions, colours)
    line = _template(dict.fromkeys((*ImageText.__struct_fields__, *prompts))) + "\n"
    lines = _fill(line, {**columns, "image_path": columns["crop_path"], **prompts})
    # The last buffer of an array has its texts one after the other.
    return bytes(lines.buffers()[2])


def _prompts(
    columns: Columns,
    texts: Texts,
    captions: pa.Table | None,
    colours: Iterable[str | None],
) -> Columns:
    """Return the texts of each crop as JSON, by their key."""
    together = pc.binary_join_element_wise(*(columns[name] for name in _LABELS), "|")
    together = together.dictionary_encode()
    labels = [
        (domain, name, int(occlusion), int(viewpoint))
        for domain, name, occlusion, viewpoint in (
            text.split("|") for text in together.dictionary.to_pylist()
        )
    ]
    of_labels = pa.array([_json(prompt(*labels_of_prompt)) for labels_of_prompt in labels])
    prompts = {"text": of_labels.take(together.indices)}
    if texts.rules:
        identity = (columns[name].to_pylist() for name in ("crop_path", "sku_id", "style"))
        crops = [
            Subject(path, sku_id, int(style), *labels[int(place)], colour)
            for (path, sku_id, style, place), colour in zip(
                zip(*identity, together.indices.to_pylist(), strict=True), colours, strict=False
            )
        ]
        for rule in texts.rules:
            prompts[rule.key] = pa.array([_json(rule.prompt(crop)) for crop in crops])
    if captions is not None:
        for key, column in zip(captions.column_names, captions.columns, strict=True):
            written = (None if text is None else _json(text) for text in column.to_pylist())
            prompts[key] = pc.coalesce(pa.array(written, pa.string()), prompts["text"])
    return prompts


def _columns(crops: pa.Table, box: str, depth: int = 0) -> Columns:
    """Return the fields as texts, with `bbox` as the template `box`, indented by `depth`."""
    table = crops.combine_chunks()
    names = [*EDGES, *(name for name in table.column_names if name in _FIELDS)]
    columns = {name: pc.cast(table[name].combine_chunks(), pa.string()) for name in names}
    return {**columns, "bbox": _fill(indent(box, " " * depth).lstrip(), columns)}


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _template(names: Iterable[str], depth: int | None = None) -> str:
    """Return a JSON object with a place `<name>` for the value of each name.

    With `depth` it is indented by 2, and begins after that many spaces.
    """
    text = msgspec.json.encode({name: f"<{name}>" for name in names})
    if depth is not None:
        text = indent(msgspec.json.format(text, indent=2).decode(), " " * depth).encode()
    return re.sub(r'"<(\w+)>"', _unquote, text.decode())


def _unquote(place: re.Match[str]) -> str:
    return place[0] if place[1] in _TEXTS else f"<{place[1]}>"


def _fill(template: str, columns: Columns) -> pa.Array:
    """Return one text per row: the template with the values of the row in its places."""
    parts = _PLACE.split(template)
    pieces = [columns[part] if at % 2 else part for at, part in enumerate(parts)]
    return pc.binary_join_element_wise(*pieces, "")


_FIELDS: Final = {field.name for field in SKU_METADATA.fields} | {"split"}
_CROP: Final = _template(Crop.__struct_fields__, 8)
_SKU: Final = _template(Sku.__struct_fields__, 4).replace("    {", '    "<sku_id>": {', 1)

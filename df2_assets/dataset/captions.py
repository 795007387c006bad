"""Captions from outside: a JSONL file that people write, joined to crops by path and digest.

Each line has the `crop_path` of a crop (relative to SKU_ROOT), the `sha256` of its bytes, and one
or more captions, each under its key. All lines have the same keys. A caption whose digest is not
that of the crop is stale: it was written for other bytes, and is not used.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.prompts import Captions
from df2_assets.dataset.skus import CROP_PATH
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.dataset.templates import find_key_problem
from df2_assets.errors import CaptionsError, escape_controls, has_controls

_CROP: Final = re.compile(rf"({'|'.join(SPLITS)})/{CROP_PATH}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PLACE: Final = ("crop_path", "sha256")
_FORM: Final = "each line has crop_path, sha256 and at least one caption, such as caption"
_ROWS: Final = 10_000
"""How many lines are Python objects at the same time."""

CURRENT, STALE = "current", "stale"
"""The states of a caption that a crop has."""


def parse_captions(
    lines: Iterable[bytes], name: str, split: str | None = None
) -> tuple[Captions, pa.Table]:
    """Return the description of a file of captions, and the table of those of a split.

    The table has the columns `crop_path`, `sha256` and one per key, all of strings; without `split`
    it has no rows. Messages call the file `name`. Raises CaptionsError for the first line that is
    wrong, whichever split it is of.
    """
    digest = sha256()
    keys: tuple[str, ...] = ()
    numbers: dict[str, int] = {}
    parts: list[pa.Table] = []
    rows: list[dict[str, str]] = []
    for number, line in enumerate(lines, 1):
        digest.update(line)
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        entry = _decode(line, where)
        keys = keys or _read_keys(entry, where)
        _require_entry(entry, keys, where)
        path = entry["crop_path"]
        first = numbers.setdefault(path, number)
        if first != number:
            raise CaptionsError(f"{where}: line {first} is of {path} too: give each crop once.")
        if split is not None and path.startswith(f"{split}/"):
            rows.append(entry)
        if len(rows) == _ROWS:
            parts.append(_table(rows, keys))
            rows = []
    if not numbers:
        raise CaptionsError(f"{name} has no captions: {_FORM}.")
    return Captions(keys, digest.hexdigest()), pa.concat_tables([*parts, _table(rows, keys)])


def match_captions(
    captions: pa.Table, crop_paths: pa.ChunkedArray, manifest: pa.Table
) -> tuple[pa.Table, pa.ChunkedArray]:
    """Return the captions of crops by key, and the state of each: current, stale, or null.

    Both have one row per path, in the order of `crop_paths`. A caption is current if its digest is
    that of the crop in the manifest; any other is null.
    """
    made = pc.index_in(crop_paths, value_set=manifest["crop_path"].combine_chunks())
    places = pc.index_in(crop_paths, value_set=captions["crop_path"].combine_chunks())
    taken = captions.take(places)
    is_current = pc.equal(taken["sha256"], manifest["sha256"].take(made))
    texts = taken.drop_columns([*_PLACE])
    columns = [pc.if_else(is_current, column, None) for column in texts.columns]
    state = pc.if_else(is_current, CURRENT, STALE)
    return pa.table(columns, names=texts.column_names), state


def _decode(line: bytes, where: str) -> dict[str, Any]:
    try:
        entry = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CaptionsError(f"{where}: this is not JSON ({_show(str(error))}).") from error
    if not isinstance(entry, dict):
        raise CaptionsError(f"{where}: {_show(entry)} is not a JSON object: {_FORM}.")
    return entry


def _read_keys(entry: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return the keys of the captions of the first line, which those after it must have too."""
    for name in _PLACE:
        if name not in entry:
            raise CaptionsError(f"{where}: {name} is missing: {_FORM}.")
    keys = tuple(key for key in entry if key not in _PLACE)
    if not keys:
        raise CaptionsError(f"{where}: a caption is missing: {_FORM}.")
    for key in keys:
        if problem := find_key_problem(key):
            raise CaptionsError(f"{where}: {problem}")
    return keys


def _require_entry(entry: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    """Raise CaptionsError unless a line has a path, a digest and a text under each key."""
    expected = {*_PLACE, *keys}
    if entry.keys() != expected:
        missing = [name for name in (*_PLACE, *keys) if name not in entry]
        what = f"{missing[0]} is missing" if missing else "unknown key "
        if not missing:
            what += _show(next(name for name in entry if name not in expected))
        raise CaptionsError(f"{where}: {what}: each line has {', '.join((*_PLACE, *keys))}.")
    for name, value in entry.items():
        if not isinstance(value, str):
            raise CaptionsError(f"{where}: {name} is {_show(value)}: give text.")
        if has_controls(value):
            raise CaptionsError(
                f"{where}: {name} has a line break, a tab or another control character: a caption "
                "is one line."
            )
        if not value.strip():
            raise CaptionsError(f"{where}: {name} is empty: leave out crops without a caption.")
    if not _CROP.fullmatch(entry["crop_path"]):
        raise CaptionsError(
            f"{where}: crop_path is {_show(entry['crop_path'])}: give the path of a crop relative "
            "to SKU_ROOT, such as train/query/000001_01_05/000002_item1.jpg."
        )
    if not _DIGEST.fullmatch(entry["sha256"]):
        raise CaptionsError(
            f"{where}: sha256 is {_show(entry['sha256'])}: give the 64 hexadecimal digits of the "
            "crop's SHA-256, in lower case."
        )


def _table(rows: list[dict[str, str]], keys: tuple[str, ...]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in (*_PLACE, *keys)])
    return pa.Table.from_pylist(rows, schema)


def _show(value: object) -> str:
    return escape_controls(value, 80)

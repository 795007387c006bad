"""Exports held against the split that they are of: their files, and every row in them."""

import csv
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import pandas as pd
import pyarrow as pa

from df2_assets.checks.faults import Fault, Seen
from df2_assets.checks.finding import Finding, crop_rows, number_of
from df2_assets.errors import Df2Error, inert
from df2_assets.exports import record as records
from df2_assets.exports.form import Form
from df2_assets.exports.formats import FORMATS
from df2_assets.exports.loose import LOOSE, loose_name
from df2_assets.exports.source import Source, current_digest, open_source
from df2_assets.store import crop_tree
from df2_assets.store.checksums import digest, digest_each
from df2_assets.store.files import statuses
from df2_assets.store.layout import Roots

CHECK: Final = "matches_image_text"

_FOREIGN: Final = "not a file of this export: move it away"
_UNREADABLE: Final = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    tarfile.TarError,
    csv.Error,
    msgspec.MsgspecError,
    pa.ArrowException,
)
"""What a file that is damaged or edited makes its reader raise."""

_Wrong = list[tuple[str, str]]
"""A path or the name of a row, and what is wrong with it."""


def matches_image_text(roots: Roots, split: str, name: str) -> Finding:
    """Every file is there as it was left, and every row says what the JSONL says of its crop."""
    looked_at = 0
    wrong = _standing(roots, split, name)
    if not wrong:
        wrong = _files(roots, split, name, deep=False)
        source = open_source(roots, split)
        for kind, form in FORMATS[name].forms.items():
            rows, different = _rows(form, source, roots.export(name, split), kind)
            looked_at += rows
            wrong += different
    return _finding(split, name, wrong, looked_at, f"{number_of(looked_at, 'row')} as in the JSONL")


def exports_on_disk(roots: Roots, split: str, *, deep: bool) -> dict[tuple[str, str], Seen]:
    """All exports that were ever made of a split; if `deep`, every file by its digest."""
    return {
        (name, CHECK): _seen(roots, split, name, deep=deep)
        for name in FORMATS
        if records.is_made(roots, name, split)
    }


def _seen(roots: Roots, split: str, name: str, *, deep: bool) -> Seen:
    wrong = _standing(roots, split, name) or _files(roots, split, name, deep=deep)
    listed = records.digests(roots.export(name, split))
    finding = _finding(
        split, name, wrong, len(listed), f"{number_of(len(listed), 'file')} as written"
    )
    faults = []
    for path, what in wrong:
        repair: Literal["export", "you"] = "you" if what == _FOREIGN else "export"
        faults.append(Fault(f"{name}: {CHECK}", what, repair, path or None))
    return Seen(finding, faults)


def _finding(split: str, name: str, wrong: _Wrong, looked_at: int, well: str) -> Finding:
    if not wrong:
        return Finding(True, "error", looked_at, f"{well}.", numbers={"rows": looked_at})
    again = f"Run df2-assets export {name} --split {split}."
    places = [place for place, _ in wrong]
    said = [what for _, what in wrong]
    first = f"{inert(places[0], 300)}: {said[0]}" if places[0] else said[0]
    more = f" (and {len(wrong) - 1:,} more)" if len(wrong) > 1 else ""
    offenders = crop_rows(places).assign(split=split, what=pd.array(said, "str"))
    return Finding(
        False, "error", looked_at, f"{first}{more}. {again}", offenders, {"rows": looked_at}
    )


def _standing(roots: Roots, split: str, name: str) -> _Wrong:
    """Why an export is not of the split as it is; nothing where it is."""
    if not records.is_made(roots, name, split):
        return [("", f"{name} of {split} has not been made")]
    made_from = records.load(roots, name, split).made_from
    try:
        current = current_digest(roots, split)
    except Df2Error as problem:
        return [("", str(problem).rstrip("."))]
    if made_from is None:
        return [("", f"{name} of {split} is half-written: an export is running or was stopped")]
    if made_from != current:
        return [("", f"{name} was made from another build of {split} than the one at hand")]
    return []


def _files(roots: Roots, split: str, name: str, *, deep: bool) -> _Wrong:
    """Files that are missing, other than they were, or not the export's."""
    folder = roots.export(name, split)
    listed = records.digests(folder)
    recorded = records.load(roots, name, split).files
    if not recorded.keys() <= listed.keys():
        return [("", "the list of its digests does not have all its files")]
    try:
        there = statuses(folder)
        of_crops = crop_tree.scan(roots, split).crops if _has_loose(listed) else {}
    except Df2Error as problem:
        return [("", str(problem).rstrip("."))]
    crops = {loose_name(path): status for path, status in of_crops.items()}
    wrong = [(path, "missing") for path in sorted(listed.keys() - there.keys())]
    read = _digests(folder, [path for path in listed if path in there]) if deep else {}
    for path, sha256 in listed.items():
        if path not in there:
            continue
        same = records.is_as_left(there[path], recorded.get(path), sha256, crops.get(path))
        if not same and not deep:
            wrong.append((path, "changed since it was written"))
        elif deep and read.get(path) != sha256:
            wrong.append((path, "its bytes are not those that were written"))
    for path in sorted(there.keys() - listed.keys()):
        ours = records.is_own(path, FORMATS[name].own)
        wrong.append((path, "left over: no longer part of the export" if ours else _FOREIGN))
    top = folder.relative_to(roots.sku_root).as_posix()
    return [(f"{top}/{path}", what) for path, what in wrong]


def _has_loose(names: Iterable[str]) -> bool:
    return any(name.startswith(f"{LOOSE}/") for name in names)


def _digests(folder: Path, names: list[str]) -> dict[str, str | None]:
    """The digest of each file; None where it cannot be read. Crops are many and small."""
    loose = [name for name in names if name.startswith(f"{LOOSE}/")]
    found = dict(zip(loose, digest_each(folder, loose), strict=True))
    for name in set(names).difference(loose):
        with suppress(OSError):
            found[name] = digest(folder / name)
    return found


def _rows(form: Form, source: Source, folder: Path, kind: str) -> tuple[int, _Wrong]:
    """How many rows there are, and which of them are not as the JSONL makes them."""
    count = 0
    wrong: _Wrong = []
    pairs = zip_longest(form.expected(source), form.found(folder, source.split))
    missing: dict[str, dict[str, Any]] = {}
    extra: dict[str, dict[str, Any]] = {}
    try:
        for wanted, found in pairs:
            count += found is not None
            if wanted == found:
                continue
            missing.update([wanted] if wanted else [])
            extra.update([found] if found else [])
            for key in {one[0] for one in (wanted, found) if one}:
                if key in missing and key in extra:
                    wrong += _compared(key, missing.pop(key), extra.pop(key), kind)
    except _UNREADABLE as problem:
        return count, [*wrong, ("", f"{kind} cannot be read: {inert(str(problem), 200)}")]
    wrong += [(key, f"not in {kind}") for key in missing]
    wrong += [(key, f"in {kind}, and not in the JSONL, or twice") for key in extra]
    return count, wrong


def _compared(
    key: str, wanted: dict[str, Any], found: dict[str, Any], kind: str
) -> Iterator[tuple[str, str]]:
    names = wanted.keys() | found.keys()
    nothing = object()
    differ = sorted(n for n in names if wanted.get(n, nothing) != found.get(n, nothing))
    if differ:
        yield key, f"differs in {', '.join(map(inert, differ))} in {kind}"

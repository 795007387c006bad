"""The check of embeddings: whether each encoder has one usable vector for every crop on disk."""

from collections.abc import Iterator
from shlex import quote
from typing import Final

import numpy as np
import pandas as pd

from df2_assets.checks.finding import Finding, Inspection, Problem, crop_rows, number_of
from df2_assets.dataset.frames import TEXT
from df2_assets.embeddings import files
from df2_assets.embeddings.files import Record
from df2_assets.store.layout import Roots

CHECK: Final = "vectors_match_crops"

_MISSING: Final = "missing or damaged"

_Problem = tuple[str, str]
"""The path of a crop or of a file, and what is wrong with its vector."""


def vectors_match_crops(roots: Roots, split: str, manifest: pd.DataFrame) -> Finding:
    """Find crops without a vector, and vectors that are of no crop, not finite, or zero.

    All encoders that the split has embeddings of are checked. Embeddings of earlier crops, and
    those that are half-written, are only a warning, because `embed` makes the rest.
    """
    return inspect_embeddings(roots, split, manifest, deep=True).finding


def inspect_embeddings(
    roots: Roots, split: str, manifest: pd.DataFrame, *, deep: bool
) -> Inspection:
    """Return the inspection of the embeddings of all encoders.

    Unless it is `deep`, no vector is read: it finds embeddings of earlier crops, and missing files.
    """
    digests = manifest[manifest["reason"].isna()].set_index("crop_path")["sha256"]
    broken: list[tuple[str, str, str]] = []
    rows = 0
    encoders = files.find_encoders(roots, split)
    outdated = {
        name: "made from earlier crops"
        for name in encoders
        if not files.is_current(roots, split, name)
    }
    current = [name for name in encoders if name not in outdated]
    outdated |= dict.fromkeys(files.find_unrecorded(roots, split), "half-written")
    for encoder in current:
        record = files.find_record(roots, files.folder_of(roots, split, encoder))
        if record is not None:
            rows += record.rows
            compared = (
                _compare(roots, split, record, digests) if deep else _absent(roots, split, record)
            )
            broken += [(encoder, *problem) for problem in compared]
    which = f"{number_of(len(current), 'encoder')}, {number_of(rows, 'vector')}"
    summary = f"{which}: {'one for each crop, all finite' if deep else 'every file is there'}."
    if broken:
        encoder, path, what = broken[0]
        summary = (
            f"{which}: {len(broken):,} wrong. The first is {what} ({path}). Run df2-assets embed "
            f"--split {split} --encoder {quote(encoder)}"
        )
    elif outdated:
        each = "; ".join(f"the embeddings of {name} are {what}" for name, what in outdated.items())
        summary += (
            f" {each[0].upper()}{each[1:]}. Run df2-assets embed --split {split} --encoder "
            f"{quote(next(iter(outdated)))}"
        )
    names, paths, whats = zip(*broken, strict=True) if broken else ((), (), ())
    offenders = crop_rows(paths).assign(
        split=split, encoder=pd.Series(names, dtype=TEXT), what=pd.Series(whats, dtype=TEXT)
    )
    finding = Finding(
        not (broken or outdated),
        "error" if broken else "warn",
        rows,
        summary,
        offenders,
        {"vectors": rows, "wrong_vectors": len(broken), "outdated_encoders": len(outdated)},
    )
    whole = ((name, None, f"those of {name} are {what}") for name, what in outdated.items())
    problems = [
        Problem(f"embeddings: {CHECK}", what, f"embed --encoder {quote(encoder)}", path)
        for encoder, path, what in (*broken, *whole)
    ]
    return Inspection(finding, problems)


def _absent(roots: Roots, split: str, record: Record) -> Iterator[_Problem]:
    """Yield the parts of an encoder that are not on disk."""
    folder = files.folder_of(roots, split, record.encoder)
    on_disk = files.find_parts(roots, folder)
    for name in record.parts:
        if name not in on_disk:
            yield (folder / name).relative_to(roots.sku_root).as_posix(), _MISSING


def _compare(
    roots: Roots, split: str, record: Record, digests: "pd.Series[str]"
) -> Iterator[_Problem]:
    """Yield what is wrong with the vectors of an encoder, one part in memory at a time."""
    folder = files.folder_of(roots, split, record.encoder)
    missing = digests.to_dict()
    for name in record.parts:
        part = files.find_part(roots, folder / name)
        if part is None:
            yield (folder / name).relative_to(roots.sku_root).as_posix(), _MISSING
            continue
        vectors = files.vectors_of(part)
        columns = (part[name].to_pylist() for name in ("crop_path", "digest"))
        finite: list[bool] = np.isfinite(vectors).min(axis=1).tolist()
        largest: list[float] = np.abs(vectors).max(axis=1).tolist()
        for path, digest, is_finite, value in zip(*columns, finite, largest, strict=True):
            if missing.pop(path, None) != digest:
                yield path, "a vector of another crop"
            elif vectors.shape[1] != record.dimension:
                yield path, f"a vector of {vectors.shape[1]} values, not {record.dimension}"
            elif not is_finite:
                yield path, "a vector with NaN or infinity"
            elif not value:
                yield path, "a vector of length 0"
    yield from ((str(path), "without a vector") for path in missing)

"""The check of embeddings: whether each encoder has one usable vector for every crop on disk."""

from collections.abc import Iterator
from shlex import quote

import numpy as np
import pandas as pd

from df2_assets.checks.finding import Finding, crop_rows, number_of
from df2_assets.dataset.frames import TEXT
from df2_assets.embeddings import files
from df2_assets.embeddings.files import Record
from df2_assets.store.layout import Roots

_Problem = tuple[str, str]
"""The path of a crop or of a file, and what is wrong with its vector."""


def vectors_match_crops(roots: Roots, split: str, manifest: pd.DataFrame) -> Finding:
    """Find crops without a vector, and vectors that are of no crop, not finite, or zero.

    All encoders that the split has embeddings of are checked. Embeddings of earlier crops are only
    a warning, because they are as they were written.
    """
    digests = manifest[manifest["reason"].isna()].set_index("crop_path")["sha256"]
    broken: list[tuple[str, str, str]] = []
    rows = 0
    encoders = files.find_encoders(roots, split)
    outdated = [name for name in encoders if not files.is_current(roots, split, name)]
    for encoder in encoders:
        record = files.find_record(roots, files.folder_of(roots, split, encoder))
        if record is not None and encoder not in outdated:
            rows += record.rows
            broken += [(encoder, *problem) for problem in _compare(roots, split, record, digests)]
    which = f"{number_of(len(encoders) - len(outdated), 'encoder')}, {number_of(rows, 'vector')}"
    summary = f"{which}: one for each crop, all finite."
    if broken:
        encoder, path, what = broken[0]
        summary = (
            f"{which}: {len(broken):,} wrong. The first is {what} ({path}). Run df2-assets embed "
            f"--split {split} --encoder {quote(encoder)}"
        )
    elif outdated:
        summary += (
            f" The embeddings of {', '.join(outdated)} are of earlier crops: run df2-assets embed "
            f"--split {split} --encoder {quote(outdated[0])}"
        )
    names, paths, whats = zip(*broken, strict=True) if broken else ((), (), ())
    offenders = crop_rows(paths).assign(
        split=split, encoder=pd.Series(names, dtype=TEXT), what=pd.Series(whats, dtype=TEXT)
    )
    return Finding(
        not (broken or outdated),
        "error" if broken else "warn",
        rows,
        summary,
        offenders,
        {"vectors": rows, "wrong_vectors": len(broken), "outdated_encoders": len(outdated)},
    )


def _compare(
    roots: Roots, split: str, record: Record, digests: "pd.Series[str]"
) -> Iterator[_Problem]:
    """Yield what is wrong with the vectors of an encoder, one part in memory at a time."""
    folder = files.folder_of(roots, split, record.encoder)
    missing = digests.to_dict()
    for name in record.parts:
        part = files.find_part(roots, folder / name)
        if part is None:
            yield (folder / name).relative_to(roots.sku_root).as_posix(), "missing or damaged"
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

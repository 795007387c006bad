"""Crops that the next build is to make anew, though their size and time say nothing."""

from collections.abc import Iterable

import msgspec

from df2_assets.pipeline.planning import recorded
from df2_assets.store.checksums import digest
from df2_assets.store.journal import CropRow, journal
from df2_assets.store.layout import Roots
from df2_assets.store.state import mark_incomplete


def mark_damaged(roots: Roots, split: str, crop_paths: Iterable[str]) -> list[str]:
    """Put those of the crops into the journal whose bytes are not the recorded ones; which.

    They lose their fingerprint there, and the split is incomplete until it is built. The caller
    holds the split for writing: a crop that was made anew in the meantime is left alone.
    """
    known = recorded(roots, split)
    rows = [row for path in crop_paths if (row := known.get(path)) and _is_damaged(roots, row)]
    if rows:
        mark_incomplete(roots, split)
        with journal(roots, split) as noted:
            noted.add([msgspec.structs.replace(row, fingerprint=None) for row in rows])
    return [row.crop_path for row in rows]


def _is_damaged(roots: Roots, row: CropRow) -> bool:
    if row.reason is not None:
        return False
    try:
        return digest(roots.crop(row.crop_path)) != row.sha256
    except OSError:
        return True

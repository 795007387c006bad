"""Whether the data set at hand is the one that a split was built from."""

from typing import Final

from df2_assets.errors import AnotherDataSetError, ProvenanceError
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets.store.listing import Listing

_ENOUGH: Final = 10
"""Images that an earlier build has to have seen for their sizes to tell one data set."""


def place(roots: Roots) -> str:
    """DF2_ROOT as the side table of the index records it, links followed."""
    return str(roots.df2_root.resolve())


def refuse_another_data_set(roots: Roots, split: str, listing: Listing) -> None:
    """Raise AnotherDataSetError where most images are not those that the split was built from.

    A data set may move, and where it lies it may be edited at will. Elsewhere it is the same one
    as long as at least half of the images that the earlier build saw have the size that they had.
    """
    before = _place_before(roots, split)
    if before == place(roots):
        return
    files = tables.find(roots, "files", split)
    if files is None:
        return
    known = tables.frame(files).set_index("image_id")["image_size"].dropna()
    now = listing.files.set_index("image_id")["image_size"].reindex(known.index)
    same = int((now.astype("Int64") == known.astype("Int64")).sum())
    if len(known) >= _ENOUGH and 2 * same < len(known):
        where = f"from {before}" if before else "from another folder"
        raise AnotherDataSetError(
            f"{split} under {roots.sku_root} was built {where}, and of the {len(known):,} images "
            f"that were there, {same:,} have the same size in {roots.df2_root}: this is another "
            f"data set. Set SKU_ROOT to another folder, or remove "
            f"{roots.table('files', split)} to have the earlier build replaced."
        )


def refuse_moved(roots: Roots, split: str) -> None:
    """Raise ProvenanceError where the index of the split was read from another DF2_ROOT."""
    before = _place_before(roots, split)
    if before not in (None, place(roots)):
        raise ProvenanceError(
            f"The index of {split} was read from {before}, and DF2_ROOT is {roots.df2_root}: "
            f"rerun raw_annotation_index, or build_dataset, for {split}."
        )


def _place_before(roots: Roots, split: str) -> str | None:
    """Where the split's index was read from; None where that is not recorded."""
    files = tables.origin(roots, "files", split)
    return files.made_from.get("df2_root") if files else None

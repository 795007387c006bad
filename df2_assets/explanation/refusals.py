"""The refusals of the last build of a split, even if a check stopped that build."""

import pandas as pd

from df2_assets.dataset.reasons import responsible_file
from df2_assets.dataset.skus import collect_refusals, refused_in_index
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.store import tables
from df2_assets.store.layout import Roots


def read_refusals(roots: Roots, split: str) -> pd.DataFrame:
    """Return one row per refused file, item or crop, by image and item.

    The columns are those of `refusals`, and `file`: the image or annotation that causes the
    refusal, relative to DF2_ROOT. If the build did not reach the table `refusals`, the rows come
    from the tables that it made.

    Raises MissingTableError if no annotation was read.
    """
    refused = _read_tables(roots, split)
    causes = zip(refused["image_id"], refused["reason"], strict=True)
    files = [responsible_file(split, image_id, reason) for image_id, reason in causes]
    return refused.assign(file=pd.Series(files, index=refused.index, dtype="str"))


def _read_tables(roots: Roots, split: str) -> pd.DataFrame:
    try:
        return tables.frame(tables.read(roots, "refusals", split))
    except (MissingTableError, ProvenanceError):
        index = tables.frame(tables.read(roots, "raw_annotation_index", split))
    try:
        groups, manifest = (tables.read(roots, asset, split) for asset in ("sku_groups", "crops"))
    except (MissingTableError, ProvenanceError):
        return refused_in_index(index)
    return collect_refusals(split, index, tables.frame(groups), tables.frame(manifest))


def first_of_each_reason(refused: pd.DataFrame) -> pd.DataFrame:
    """Return the first row of each reason. The column `rows` has the number of its rows."""
    firsts = refused.drop_duplicates("reason")
    return firsts.assign(rows=firsts["reason"].map(refused["reason"].value_counts()))

"""The crops that the retrieval benchmark of a split has beyond those of the contract.

The gallery is every shop item, so items of style 0 and of SKUs with one domain need crops as well.
"""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.skus import describe_crops
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.store import tables
from df2_assets.store.layout import BENCHMARK_CROPS, Roots


def group_benchmark(
    roots: Roots, split: str, index: pd.DataFrame, manifest: pd.DataFrame
) -> pd.DataFrame:
    """Return the crops to make: columns of `sku_groups`, with paths in the benchmark's own folder.

    They are the usable shop items of an index, and the consumer items of style above 0, without
    those whose crop the contract's `manifest` has on disk.
    """
    is_in = (index["source"] == "shop") | (index["style"] > 0)
    usable = index[index["reason"].isna() & is_in]
    crops = describe_crops(usable.assign(domain=usable["source"].map(DOMAINS)))
    is_on_disk = crops["crop_path"].isin(manifest["crop_path"][manifest["reason"].isna()])
    extra = crops[~is_on_disk].reset_index(drop=True)
    return extra.assign(crop_path=_prefix(roots, split) + extra["crop_path"])


def read_extra_crops(roots: Roots, split: str) -> pa.Table:
    """Return path, SKU and digest of the benchmark's own crops that are on disk.

    Raises MissingTableError or ProvenanceError.
    """
    manifest = tables.read(roots, BENCHMARK_CROPS, split)
    on_disk = manifest.filter(pc.is_null(manifest["reason"]))
    return on_disk.select(["crop_path", "sku_uid", "sha256"])


def item_paths(roots: Roots, split: str, crop_paths: list[str]) -> list[str]:
    """Return for each of the benchmark's own crops the path that it would have in the contract."""
    prefix = _prefix(roots, split)
    return [path.removeprefix(prefix) for path in crop_paths]


def _prefix(roots: Roots, split: str) -> str:
    """Return what precedes the path that one of the crops would have in the contract."""
    folder = roots.benchmark_crops(split).relative_to(roots.sku_root).as_posix()
    return folder.removesuffix(split)

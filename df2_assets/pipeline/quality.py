"""What every crop of a split looks like, in numbers. Only crops with new bytes are opened."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import pandas as pd
import pyarrow as pa

from df2_assets.dataset.perceptual import MEASURES_VERSION, Measures
from df2_assets.dataset.tables import CROP_QUALITY
from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.errors import ProvenanceError
from df2_assets.pipeline.cutting import CropFiles, measure_each
from df2_assets.store import tables
from df2_assets.store.layout import Roots

_SHARD: Final = 200


@dataclass(frozen=True)
class Measured:
    """The table of `crop_quality`, the one before it, and how many crops were opened."""

    table: pa.Table
    before: pa.Table | None
    opened: int


def measure_crops(
    roots: Roots, split: str, manifest: pd.DataFrame, engine: Engine, progress: Progress
) -> Measured:
    """Measure the crops of the manifest that are on disk, in its order.

    Raises ProvenanceError where a crop is not there or cannot be read.
    """
    made = manifest.loc[manifest["reason"].isna(), ["crop_path", "sha256"]]
    before = tables.find(roots, "crop_quality", split)
    known = None if before is None else tables.frame(before)
    kept = _unchanged(made, known)
    todo = made[~made["crop_path"].isin(kept["crop_path"])]
    measures = _measure(roots, split, todo["crop_path"].tolist(), engine, progress)
    new = pd.DataFrame(measures, columns=list(Measures._fields), index=todo.index)
    together = pd.concat([kept, todo.join(new).assign(version=MEASURES_VERSION)])
    table = tables.from_frame(together.sort_values("crop_path"), CROP_QUALITY)
    return Measured(table, before, len(todo))


def _unchanged(made: pd.DataFrame, known: pd.DataFrame | None) -> pd.DataFrame:
    """The known rows of crops whose bytes are still those that were measured, in the same way."""
    if known is None:
        return pd.DataFrame(columns=CROP_QUALITY.names)
    known = known[known["version"] == MEASURES_VERSION]
    return known.merge(made, on=["crop_path", "sha256"])


def _measure(
    roots: Roots, split: str, paths: list[str], engine: Engine, progress: Progress
) -> list[Measures]:
    """Return the measures of crops in the order of `paths`."""
    by_path: dict[str, Measures] = {}
    with (
        progress(f"looking at crops of {split}", len(paths), "crops") as advance,
        closing(
            map_shards(engine, measure_each, CropFiles(str(roots.sku_root), paths), _SHARD)
        ) as results,
    ):
        for shard, result in results:
            each = [None] if isinstance(result, Lost) else result
            for path, measures in zip(shard.crop_paths, each, strict=True):
                if measures is None:
                    raise ProvenanceError(
                        f"{path} is not there or cannot be read: "
                        f"run df2-assets build --split {split}"
                    )
                by_path[path] = measures
            advance(len(shard.crop_paths))
    return [by_path[path] for path in paths]

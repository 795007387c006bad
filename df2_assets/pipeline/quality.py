"""Measuring what the crops of a split look like. Only crops with new bytes are opened."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.perceptual import MEASURES_VERSION, Measures
from df2_assets.dataset.tables import CROP_QUALITY
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress
from df2_assets.errors import ProvenanceError
from df2_assets.pipeline.crops import read_crops
from df2_assets.pipeline.cutting import measure_each
from df2_assets.store import tables
from df2_assets.store.layout import Roots

_SHARD: Final = 200


@dataclass(frozen=True)
class Measured:
    """The table `crop_quality`, the previous one, and how many crops were opened."""

    table: pa.Table
    before: pa.Table | None
    opened: int


def measure_crops(
    roots: Roots, split: str, manifest: pd.DataFrame, engine: Engine, progress: Progress
) -> Measured:
    """Measure the crops of the manifest that are on disk, in its order.

    Raises ProvenanceError where a crop is missing or cannot be read.
    """
    made = manifest.loc[manifest["reason"].isna(), ["crop_path", "sku_uid", "sha256"]]
    before = tables.find(roots, "crop_quality", split)
    kept = _unchanged(made, CROP_QUALITY.empty_table() if before is None else before)
    todo = made[~made["crop_path"].isin(kept["crop_path"])]
    measures = _measure(roots, split, todo["crop_path"].tolist(), engine, progress)
    new = pd.DataFrame(measures, columns=list(Measures._fields), index=todo.index)
    rows = (kept, todo.join(new).assign(version=MEASURES_VERSION))
    together = pa.concat_tables(tables.from_frame(part, CROP_QUALITY) for part in rows)
    return Measured(together.sort_by("crop_path"), before, len(todo))


def _unchanged(made: pd.DataFrame, before: pa.Table) -> pd.DataFrame:
    """Return the rows of crops whose bytes and measures are still the same."""
    known = tables.frame(before.filter(pc.field("version") == MEASURES_VERSION))
    return known.merge(made, on=[*made])


def _measure(
    roots: Roots, split: str, paths: list[str], engine: Engine, progress: Progress
) -> list[Measures]:
    """Return the measures of crops in the order of `paths`."""
    by_path: dict[str, Measures] = {}
    with (
        progress(f"measuring crops of {split}", len(paths), "crops") as advance,
        closing(read_crops(roots, paths, engine, measure_each, _SHARD)) as results,
    ):
        for path, measures in results:
            if measures is None:
                raise ProvenanceError(
                    f"{path} is missing or cannot be read: run df2-assets build --split {split}"
                )
            by_path[path] = measures
            advance(1)
    return [by_path[path] for path in paths]

"""Measuring what the crops of a split look like. Only crops with new bytes are opened."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.colours import COLOURS_VERSION, CropColour
from df2_assets.dataset.perceptual import MEASURES_VERSION, Measures
from df2_assets.dataset.tables import INPUTS, SCHEMAS
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress
from df2_assets.errors import ProvenanceError
from df2_assets.pipeline.crops import read_crops
from df2_assets.pipeline.cutting import CropFiles, measure_each, read_each_colour
from df2_assets.pipeline.labels import update_labels
from df2_assets.store import state, tables
from df2_assets.store.layout import Roots

_SHARD: Final = 200


class Measurement(NamedTuple):
    """A table of what crops look like.

    It has the values `fields` that `read` returns for each crop in a worker process, the `version`
    of the rules, and what else the values follow from: a crop is measured again if any of that has
    changed. `title` is for the progress of the work.
    """

    asset: str
    title: str
    fields: tuple[str, ...]
    version: int
    read: Callable[[CropFiles], list[Any]]


QUALITY: Final = Measurement(
    "crop_quality", "measuring crops", Measures._fields, MEASURES_VERSION, measure_each
)
COLOURS: Final = Measurement(
    "colours", "reading colours", CropColour._fields, COLOURS_VERSION, read_each_colour
)


@dataclass(frozen=True)
class Measured:
    """The new table of a measurement, the previous one, and how many crops were opened."""

    table: pa.Table
    before: pa.Table | None
    opened: int


def measure_crops(
    roots: Roots,
    split: str,
    manifest: pd.DataFrame,
    engine: Engine,
    progress: Progress,
    measurement: Measurement = QUALITY,
) -> Measured:
    """Measure the crops of the manifest that are on disk, in its order.

    The manifest may have a column `mask`, which is passed to the workers.

    Raises ProvenanceError where a crop is missing or cannot be read.
    """
    schema = SCHEMAS[measurement.asset]
    results = (*measurement.fields, "version")
    made = manifest[manifest["reason"].isna()]
    keys = made[[name for name in schema.names if name not in results]]
    before = tables.find(roots, measurement.asset, split)
    known = schema.empty_table() if before is None else before
    kept = _unchanged(keys, known.filter(pc.field("version") == measurement.version))
    todo = made[~made["crop_path"].isin(kept["crop_path"])]
    masks = todo["mask"] if "mask" in todo else repeat(None)
    crops = [*zip(todo["crop_path"], masks, strict=False)]
    values = _measure(roots, split, crops, engine, progress, measurement)
    new = pd.DataFrame(values, columns=list(measurement.fields), index=todo.index)
    rows = (kept, keys.loc[todo.index].join(new).assign(version=measurement.version))
    together = pa.concat_tables(tables.from_frame(part, schema) for part in rows)
    return Measured(together.sort_by("crop_path"), before, len(todo))


def update_colours(roots: Roots, split: str, engine: Engine, progress: Progress) -> int:
    """Update the table of colours of a split, and its labels; return how many crops were opened.

    The split is incomplete from the first change on, because its prompts have the old colours.
    Raises what `update_labels` and `measure_crops` do.
    """
    labels = update_labels(roots, split, engine, progress).table
    crops = tables.read(roots, "crops", split)
    place = pc.index_in(crops["crop_path"], labels["crop_path"])
    masks = pd.Series(labels["mask"].take(place).to_pylist(), dtype=object)
    digests = masks.map(lambda mask: hashlib.sha256(mask.encode()).hexdigest(), na_action="ignore")
    manifest = tables.frame(crops).assign(mask=masks, mask_sha256=digests)
    measured = measure_crops(roots, split, manifest, engine, progress, COLOURS)
    if measured.before is None or not measured.table.equals(measured.before):
        state.mark_incomplete(roots, split)
    inputs = tables.digests(roots, INPUTS[COLOURS.asset], split)
    tables.write(roots, COLOURS.asset, split, measured.table, inputs)
    return measured.opened


def _unchanged(keys: pd.DataFrame, known: pa.Table) -> pd.DataFrame:
    """Return the rows of `known` whose values follow from the same."""
    return tables.frame(known).merge(keys, on=[*keys])


def _measure(
    roots: Roots,
    split: str,
    crops: list[tuple[str, str | None]],
    engine: Engine,
    progress: Progress,
    measurement: Measurement,
) -> list[tuple[Any, ...]]:
    """Return the values of crops, in their order."""
    by_path: dict[str, tuple[Any, ...]] = {}
    with (
        progress(f"{measurement.title} of {split}", len(crops), "crops") as advance,
        closing(read_crops(roots, crops, engine, measurement.read, _SHARD)) as results,
    ):
        for path, values in results:
            if values is None:
                raise ProvenanceError(
                    f"{path} is missing or cannot be read: run df2-assets build --split {split}"
                )
            by_path[path] = values
            advance(1)
    return [by_path[path] for path, _ in crops]

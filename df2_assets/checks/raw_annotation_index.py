"""The checks of the index; the blocking one comes with the asset's own step."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from df2_assets.checks.specs import results, spec
from df2_assets.inspection import raw_annotation_index as inspection
from df2_assets.pipeline.indexing import read_files
from df2_assets.resources import DataRoots
from df2_assets.store import tables

_ASSET: Final = "raw_annotation_index"

BLOCKING: Final = spec(
    _ASSET,
    "refusals_within_limit",
    "Refused images and refused items are each within the limit; a warning for any.",
    blocking=True,
)


@dg.multi_asset_check(
    name="raw_annotation_index_checks",
    specs=[
        spec(_ASSET, "pairing", "Every image has an annotation, every annotation an image."),
        spec(_ASSET, "boxes", "Boxes have an area, lie in the image, and few had to be clamped."),
        spec(_ASSET, "labels", "Labels are in range, names match ids, scales suit the boxes."),
        spec(_ASSET, "known_answers", "A full train split has as many pairs as is known of it."),
    ],
)
def raw_annotation_index_checks(
    context: dg.AssetCheckExecutionContext, data: DataRoots
) -> Iterator[dg.AssetCheckResult]:
    """What the index and its side table say of the annotations."""
    roots, split = data.roots, context.partition_key
    index = tables.frame(tables.read(roots, _ASSET, split))
    files = tables.frame(read_files(roots, split))
    findings = {
        "pairing": inspection.pairing(split, files),
        "boxes": inspection.boxes(index),
        "labels": inspection.labels(index),
        "known_answers": inspection.known_answers(split, index, files),
    }
    yield from results(roots, _ASSET, split, findings)

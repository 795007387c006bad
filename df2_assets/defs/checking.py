"""Jobs that only look: `check_only`, every check once more, and `check_freshness`, that one."""

from collections.abc import Iterator

import dagster as dg

from df2_assets.defs.checks import (
    crop_quality,
    crops,
    deepfashion2,
    exports,
    freshness,
    image_text,
    raw_annotation_index,
    sku_groups,
    sku_metadata,
)
from df2_assets.defs.checks.evaluations import evaluation
from df2_assets.defs.checks.specs import Findings, Pictures, results
from df2_assets.defs.metadata import check_result
from df2_assets.defs.partitions import splits
from df2_assets.defs.resources import DataRoots, Limits, SplitWriter
from df2_assets.defs.retries import retried
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.exports import NAMES
from df2_assets.exports.record import is_made
from df2_assets.store.layout import Roots


@dg.op(out={})
def check_split(
    context: dg.OpExecutionContext, output: SplitWriter, limits: Limits
) -> Iterator[dg.AssetCheckEvaluation]:
    """Evaluates the checks on the tables, crops and contract files as they are.

    Those of `crop_quality` where it was made of the crops at hand, those of the exports that were
    made. The split is held meanwhile.
    Raises MissingTableError where it was not built, ProvenanceError where its tables do not belong
    together.
    """
    roots, split = output.roots, context.partition_key
    with retried(context):
        found: dict[str, Findings] = {
            "deepfashion2": deepfashion2.find(roots, split),
            "raw_annotation_index": {
                raw_annotation_index.BLOCKING.name: raw_annotation_index.find_blocking(
                    roots, split, limits.max_refused
                ),
                **raw_annotation_index.find(roots, split),
            },
            "sku_groups": {
                sku_groups.BLOCKING.name: sku_groups.find_blocking(roots, split),
                **sku_groups.find(roots, split),
            },
            "crops": {
                crops.BLOCKING.name: crops.find_blocking(roots, split),
                **crops.find(roots, split),
            },
            "sku_metadata": sku_metadata.find(roots, split),
            "image_text": image_text.find(
                roots, split, context.instance, context.run_id, limits.max_age_days
            ),
        }
        try:
            found["crop_quality"] = crop_quality.find(roots, split)
        except (MissingTableError, ProvenanceError) as problem:
            context.log.info(f"crop_quality is not judged: {problem}")
        for name in NAMES:
            if is_made(roots, name, split):
                found[name] = exports.find(roots, split, name)
    for asset, findings in found.items():
        for result in results(roots, asset, split, findings, _pictures(roots, asset, split, found)):
            yield evaluation(context, result)


def _pictures(roots: Roots, asset: str, split: str, found: dict[str, Findings]) -> Pictures:
    """What the asset's own step would show."""
    drawn = {
        "raw_annotation_index": raw_annotation_index.show,
        "crops": crops.show,
        "crop_quality": crop_quality.show,
    }
    return drawn[asset](roots, split, found[asset]) if asset in drawn else {}


@dg.job(
    partitions_def=splits,
    description=(
        "Judges a split that was built: every check on its tables and files as they are, with "
        "today's settings. Makes nothing, and opens no image but to show an offender. "
        "`verify_dataset` looks at bytes instead."
    ),
)
def check_only() -> None:
    check_split()


@dg.op(out={})
def check_age(
    context: dg.OpExecutionContext, data: DataRoots, limits: Limits
) -> Iterator[dg.AssetCheckEvaluation]:
    """Evaluates `freshness` alone; a build may be at work meanwhile."""
    roots, split = data.roots, context.partition_key
    with retried(context):
        finding = freshness.find(
            context.instance, context.run_id, roots, split, limits.max_age_days
        )
    result = check_result(finding, roots, "image_text", freshness.NAME, split)
    yield evaluation(context, result)


@dg.job(
    partitions_def=splits,
    description="Looks whether a split is of the download as it is now, and how old it is.",
)
def check_freshness() -> None:
    check_age()

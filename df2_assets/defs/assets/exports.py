"""The exports: a complete split in the forms that training code loads, one asset a form.

None is part of `build_dataset`. What was exported once is kept up with by `follow_data_versions`,
where that is on; what never was is not asked for.
"""

from collections.abc import Callable

import dagster as dg

from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.conditions import KEEP_UP
from df2_assets.defs.metadata import export_result
from df2_assets.defs.resources import ProgressChoice, SplitWriter
from df2_assets.exports.build import export
from df2_assets.exports.formats import FORMATS

_Body = Callable[..., Result]


def _export_asset(body: _Body) -> dg.AssetsDefinition:
    form = FORMATS[body.__name__]
    return split_asset(
        group="exports",
        description=f"`_df2_assets/exports/{form.name}/{{split}}`: {form.title}.\n\n{form.summary}",
        kinds=form.kinds,
        tags=("export", "incremental"),
        code_version=form.code_version,
        deps=("crops", "image_text"),
        condition=KEEP_UP,
    )(body)


def _exported(
    context: dg.AssetExecutionContext, output: SplitWriter, progress: ProgressChoice
) -> Result:
    name, split = context.asset_key.path[-1], context.partition_key
    made = export(output.roots, split, name, progress.of(context.log))
    for path in made.foreign:
        context.log.warning(f"{path} is not a file of this export, and is left alone.")
    return export_result(name, made, output.roots.export(name, split))


@_export_asset
def webdataset(
    context: dg.AssetExecutionContext, output: SplitWriter, progress: ProgressChoice
) -> Result:
    return _exported(context, output, progress)


@_export_asset
def huggingface(
    context: dg.AssetExecutionContext, output: SplitWriter, progress: ProgressChoice
) -> Result:
    return _exported(context, output, progress)


@_export_asset
def open_clip(
    context: dg.AssetExecutionContext, output: SplitWriter, progress: ProgressChoice
) -> Result:
    return _exported(context, output, progress)


@_export_asset
def retrieval(
    context: dg.AssetExecutionContext, output: SplitWriter, progress: ProgressChoice
) -> Result:
    return _exported(context, output, progress)


@_export_asset
def pairs(
    context: dg.AssetExecutionContext, output: SplitWriter, progress: ProgressChoice
) -> Result:
    return _exported(context, output, progress)


@_export_asset
def croissant(
    context: dg.AssetExecutionContext, output: SplitWriter, progress: ProgressChoice
) -> Result:
    return _exported(context, output, progress)


@_export_asset
def coco(
    context: dg.AssetExecutionContext, output: SplitWriter, progress: ProgressChoice
) -> Result:
    return _exported(context, output, progress)


export_assets = [webdataset, huggingface, open_clip, retrieval, pairs, croissant, coco]

"""The exports: a complete split in formats that training code loads, one asset per format.

`build_dataset` makes none of them. Where `follow_data_versions` is on, it updates exports that were
made before; it never makes the first one.
"""

from typing import Final

import dagster as dg

from df2_assets.defs.assets.factories import AssetMaker, Result, split_asset
from df2_assets.defs.conditions import KEEP_CURRENT
from df2_assets.defs.metadata import export_result
from df2_assets.defs.resources import EngineChoice, ExportChoice, ProgressChoice, SplitWriter
from df2_assets.exports import EXPORTS
from df2_assets.exports.build import export
from df2_assets.exports.format import Export
from df2_assets.exports.record import export_name

_NUMBERS: Final = {
    "rows": "rows or samples in the export",
    "files": "files in the export",
    "bytes": "total size of all files in bytes",
    "written": "files that were written in this run",
    "unchanged": "files that did not change",
    "removed": "files that were removed, because the export no longer has them",
    "foreign": "files in the folder that are not part of the export; they are left alone",
}


def _export_asset(form: Export) -> AssetMaker:
    def body(
        context: dg.AssetExecutionContext,
        output: SplitWriter,
        progress: ProgressChoice,
        exports: ExportChoice,
        engine: EngineChoice,
    ) -> Result:
        roots, split, variant = output.roots, context.partition_key, exports.variant
        exported = export(
            roots,
            split,
            form.name,
            progress.of(context.log),
            variant=variant,
            engine=engine.start() if form.has_shapes else None,
            encoder=exports.encoder,
        )
        for path in exported.foreign:
            context.log.warning(f"{path} is not part of this export and was left alone.")
        return export_result(output.settings, export_name(form.name, variant), split, exported)

    body.__name__ = form.name
    return split_asset(
        group="exports",
        description=(
            f"This is the {form.name} export of a split: {form.title}.\n\n"
            f"It is in `_df2_assets/exports/{form.name}/{{split}}`. If a run has a crop variant in "
            "`resources.exports`, it writes that export instead, to "
            f"`_df2_assets/exports/{form.name}@{{variant}}/{{split}}`.\n\n{form.summary}"
        ),
        numbers=_NUMBERS,
        kinds=form.kinds,
        tags=("export", "incremental"),
        rules=form.code_version,
        deps=("crops", "image_text"),
        origin=form.write,
        condition=KEEP_CURRENT,
    )(body)


export_assets: Final = {name: _export_asset(form) for name, form in EXPORTS.items()}

"""The whole platform on one page."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from df2_assets.assets import all_assets
from df2_assets.automation import schedules
from df2_assets.checks import all_checks
from df2_assets.io_managers import TableIOManager
from df2_assets.resources import DataRoots, EngineChoice, Limits, ProgressChoice, SplitWriter
from df2_assets.settings import Settings, read_settings
from df2_assets.verification import verify_dataset


def build_defs(
    settings: Settings, *, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Fresh definitions for `settings`, with some resources replaced.

    Raises SettingsError. Which assets, checks and jobs there are never depends on the arguments.
    """
    dataset = dg.AssetSelection.assets("image_text", "refusals").upstream()
    source = dg.AssetSelection.assets("deepfashion2")
    build_dataset = dg.define_asset_job(
        "build_dataset",
        dataset | dg.AssetSelection.checks_for_assets("deepfashion2"),
        description="From annotations to crops, metadata and prompts, with every check.",
    )
    observe_deepfashion2 = dg.define_asset_job(
        "observe_deepfashion2",
        source.without_checks(),
        description="Records a data version for each split of the download.",
    )
    data = DataRoots.configure_at_launch(
        df2_root=str(settings.df2_root), sku_root=settings.sku_root
    )
    resources = {
        "data": data,
        "output": SplitWriter(data=data),
        "io_manager": TableIOManager(data=data),
        "engine": EngineChoice(kind=settings.engine, workers=settings.workers or 0),
        "progress": ProgressChoice(),
        "limits": Limits(max_refused=settings.max_refused),
    }
    return dg.Definitions(
        assets=all_assets,
        asset_checks=all_checks,
        jobs=[build_dataset, observe_deepfashion2, verify_dataset],
        schedules=schedules(settings),
        resources={**resources, **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )


defs = build_defs(read_settings())

"""The whole platform on one page."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from df2_assets.defs.assets import all_assets
from df2_assets.defs.assets.factories import hosted
from df2_assets.defs.checking import check_freshness, check_only
from df2_assets.defs.checks import all_checks
from df2_assets.defs.io_managers import TableIOManager
from df2_assets.defs.resources import make_resources
from df2_assets.defs.runs.history import SOURCE, TEMPLATES
from df2_assets.defs.runs.retention import clean_history
from df2_assets.defs.schedules import schedules
from df2_assets.defs.sensors import sensors
from df2_assets.defs.verification import verify_dataset
from df2_assets.settings import Settings, read_settings


def build_defs(
    settings: Settings, *, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Fresh definitions for `settings`, with some resources replaced.

    Raises SettingsError. Which assets, checks and jobs there are never depends on the arguments.
    """
    dataset = dg.AssetSelection.assets("image_text", "refusals").upstream()
    sources = dg.AssetSelection.assets(SOURCE, TEMPLATES)
    build_dataset = dg.define_asset_job(
        "build_dataset",
        dataset | dg.AssetSelection.checks_for_assets(SOURCE),
        description=(
            "Brings a split up to date: from annotations to crops, metadata and prompts, with "
            "every check. What has not changed is not made again."
        ),
    )
    refresh_reports = dg.define_asset_job(
        "refresh_reports",
        dg.AssetSelection.tag("report", ""),
        description="Makes the reports of a split that was built; no crop, and no contract file.",
    )
    build_exports = dg.define_asset_job(
        "build_exports",
        dg.AssetSelection.groups("exports"),
        description=(
            "Writes every export of a split that was built; df2-assets export, or a selection of "
            "assets, writes some. What has not changed is not written again."
        ),
    )
    observe_sources = dg.define_asset_job(
        "observe_sources",
        sources.without_checks(),
        description=(
            "Records a data version for each split of the download, and one of the templates."
        ),
    )
    resources = make_resources(settings)
    resources["io_manager"] = TableIOManager(data=resources["data"])
    return dg.Definitions(
        assets=[hosted(asset, settings.code_url) for asset in all_assets],
        asset_checks=all_checks,
        jobs=[
            build_dataset,
            check_only,
            check_freshness,
            refresh_reports,
            build_exports,
            observe_sources,
            verify_dataset,
            clean_history,
        ],
        schedules=schedules(settings),
        sensors=sensors(settings),
        resources={**resources, **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )


defs = build_defs(read_settings())

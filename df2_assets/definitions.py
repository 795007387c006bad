"""The whole platform on one page."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from df2_assets.defs.assets import all_assets
from df2_assets.defs.assets.factories import hosted
from df2_assets.defs.checks import all_checks
from df2_assets.defs.io_managers import TableIOManager
from df2_assets.defs.jobs import all_jobs
from df2_assets.defs.resources import make_resources
from df2_assets.defs.schedules import schedules
from df2_assets.defs.sensors import sensors
from df2_assets.settings import Settings, read_settings


def build_defs(
    settings: Settings, *, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Fresh definitions for `settings`, with some resources replaced.

    Raises SettingsError. Which assets, checks and jobs there are never depends on the arguments.
    """
    resources = make_resources(settings)
    resources["io_manager"] = TableIOManager(data=resources["data"])
    return dg.Definitions(
        assets=[hosted(asset, settings.code_url) for asset in all_assets],
        asset_checks=all_checks,
        jobs=all_jobs,
        schedules=schedules(settings),
        sensors=sensors(settings),
        resources={**resources, **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )


defs = build_defs(read_settings())

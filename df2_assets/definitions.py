"""The whole platform on one page."""

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

from df2_assets.defs.assets import core_assets
from df2_assets.defs.assets.exports import export_assets
from df2_assets.defs.assets.factories import link_code
from df2_assets.defs.checks import check_steps
from df2_assets.defs.io_managers import TABLES, TableIOManager
from df2_assets.defs.jobs import asset_jobs, verify_dataset
from df2_assets.defs.names import Names
from df2_assets.defs.resources import make_resources
from df2_assets.defs.runs.retention import clean_history
from df2_assets.defs.schedules import make_schedules
from df2_assets.defs.sensors import make_sensors
from df2_assets.exports import EXPORTS
from df2_assets.settings import Settings, read_settings


def build_defs(
    settings: Settings,
    *,
    key_prefix: str = "",
    exports: Collection[str] = tuple(EXPORTS),
    resource_overrides: Mapping[str, Any] | None = None,
) -> dg.Definitions:
    """Return fresh definitions of a data set, with some resources replaced by their base names.

    `key_prefix` begins all their names: one code location may hold several data sets. `exports` are
    those that have an asset. Which assets, checks and jobs exist never depends on `settings`.
    Raises SettingsError.
    """
    names = Names(key_prefix)
    makers = [*core_assets, *(export_assets[name] for name in exports)]
    assets = [link_code(make(names), settings.code_url) for make in makers]
    specs = {spec.key: spec for asset in assets for spec in asset.specs}
    jobs = [*asset_jobs(names, specs.values()), verify_dataset(names)]
    jobs.append(clean_history(names, {job.name for job in jobs}, specs.keys()))
    resources = make_resources(settings)
    resources[TABLES] = TableIOManager(data=resources["data"])
    resources.update(resource_overrides or {})
    return dg.Definitions(
        assets=assets,
        asset_checks=check_steps(names, {key.path[-1] for key in specs}),
        jobs=jobs,
        schedules=make_schedules(names, settings),
        sensors=make_sensors(names, settings, {job.name for job in jobs}, specs.keys()),
        resources={names.name(base): resource for base, resource in resources.items()},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the data set that the environment names."""
    return build_defs(read_settings())

"""Everything that Dagster loads for a data set: assets, checks, jobs, schedules and sensors."""

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
    """Return new definitions of one data set.

    `key_prefix` starts all names, so that a code location can hold several data sets. `exports` are
    the exports that become assets. `resource_overrides` replaces resources, by their names without
    the prefix. Which assets, checks and jobs exist never depends on `settings`.
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
    """Return the definitions of the data set that the environment variables configure."""
    return build_defs(read_settings())

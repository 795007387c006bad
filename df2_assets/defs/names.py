"""The names by which Dagster knows a data set: keys of assets, names of jobs, resources and groups.

A code location may hold several data sets. A prefix tells their definitions apart; without one, the
names are those of the docs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

# No public name in Dagster 1.13, whose version is bounded.
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

DATA_SET_TAG: Final = "df2_assets/data_set"
"""The tag of a run that names the prefix of its data set, where that has one."""


Job = dg.JobDefinition | UnresolvedAssetJobDefinition


@dataclass(frozen=True)
class Names:
    """The names of one data set's definitions."""

    prefix: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the data set's jobs, and so of their runs."""
        return {DATA_SET_TAG: self.prefix} if self.prefix else {}

    def key(self, asset: str) -> dg.AssetKey:
        """Return the key of an asset: `crops`, or `prefix/crops`."""
        return dg.AssetKey([self.prefix, asset] if self.prefix else [asset])

    def name(self, base: str) -> str:
        """Return the name of anything else: `build_dataset`, or `prefix_build_dataset`."""
        return f"{self.prefix}_{base}" if self.prefix else base

    def names(self, *bases: str) -> set[str]:
        """Return the names of several, such as the resources that a step requires."""
        return {self.name(base) for base in bases}

    def resources(self, context: Any, bases: Iterable[str]) -> dict[str, Any]:
        """Return resources of the data set, by their base names, in one of its steps."""
        return {base: getattr(context.resources, self.name(base)) for base in bases}


def sibling_key(key: dg.AssetKey, asset: str) -> dg.AssetKey:
    """Return the key of another asset of the same data set."""
    return dg.AssetKey([*key.path[:-1], asset])

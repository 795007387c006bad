"""The names of a data set's definitions: asset keys, and names of jobs, resources and groups.

A code location can hold several data sets, whose names begin with different prefixes. Without a
prefix, the names are those in the docs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

# Dagster 1.13, whose version is bounded, has no public name for this.
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

DATA_SET_TAG: Final = "df2_assets/data_set"
"""The tag that records the prefix of a run's data set, if it has one."""

Job = dg.JobDefinition | UnresolvedAssetJobDefinition


@dataclass(frozen=True)
class Names:
    """The names of one data set's definitions."""

    prefix: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the data set's jobs, which their runs inherit."""
        return {DATA_SET_TAG: self.prefix} if self.prefix else {}

    def key(self, asset: str) -> dg.AssetKey:
        """Return the key of an asset: `crops`, or `prefix/crops`."""
        return dg.AssetKey([self.prefix, asset] if self.prefix else [asset])

    def name(self, base: str) -> str:
        """Return the name of any other definition: `build_dataset`, or `prefix_build_dataset`."""
        return f"{self.prefix}_{base}" if self.prefix else base

    def names(self, *bases: str) -> set[str]:
        """Return the names of several definitions, such as the resources that a step requires."""
        return {self.name(base) for base in bases}

    def resources(self, context: Any, bases: Iterable[str]) -> dict[str, Any]:
        """Return resources of a step by their base names."""
        return {base: getattr(context.resources, self.name(base)) for base in bases}


def sibling_key(key: dg.AssetKey, asset: str) -> dg.AssetKey:
    """Return the key of another asset of the same data set."""
    return dg.AssetKey([*key.path[:-1], asset])

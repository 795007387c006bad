"""The IO manager for tables: Parquet files by split, whose inputs are compared when loaded."""

from typing import Final

import dagster as dg
import pyarrow as pa

from df2_assets.dataset.tables import INPUTS
from df2_assets.defs.failures import convert_errors
from df2_assets.defs.resources import DataRoots
from df2_assets.store import tables

TABLES: Final = "tables"
"""The key of the IO manager. The default key is left to other assets of a code location."""


class TableIOManager(dg.ConfigurableIOManager):
    """Tables of assets as Parquet files in `_df2_assets/tables`, one per split.

    Loading a missing or stale table raises Failure, which names the asset to materialize.
    """

    data: DataRoots

    @convert_errors()
    def handle_output(self, context: dg.OutputContext, obj: pa.Table) -> None:
        roots, asset, split = self.data.roots, context.asset_key.path[-1], context.partition_key
        inputs = tables.digests(roots, INPUTS[asset], split)
        tables.write(roots, asset, split, obj, inputs)

    @convert_errors()
    def load_input(self, context: dg.InputContext) -> pa.Table:
        return tables.read(self.data.roots, context.asset_key.path[-1], context.partition_key)

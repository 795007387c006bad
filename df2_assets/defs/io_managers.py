"""The IO manager for tables: Parquet files by split, whose inputs are compared when loaded."""

from typing import Final

import dagster as dg
import pyarrow as pa

from df2_assets.dataset.tables import INPUTS
from df2_assets.defs.failures import explained
from df2_assets.defs.resources import DataRoots
from df2_assets.store import tables

TABLES: Final = "tables"
"""The key of the IO manager: not the default one, which other assets of a location use."""


class TableIOManager(dg.ConfigurableIOManager):
    """Writes an asset's table under `_df2_assets/tables`, and reads it back.

    Loading a table that is missing or stale raises Failure, which names what to materialize.
    """

    data: DataRoots

    @explained()
    def handle_output(self, context: dg.OutputContext, obj: pa.Table) -> None:
        roots, asset, split = self.data.roots, context.asset_key.path[-1], context.partition_key
        inputs = tables.digests(roots, INPUTS[asset], split)
        tables.write(roots, asset, split, obj, inputs)

    @explained()
    def load_input(self, context: dg.InputContext) -> pa.Table:
        return tables.read(self.data.roots, context.asset_key.path[-1], context.partition_key)

"""What all assets of this project have in common."""

from collections.abc import Callable, Sequence
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import dagster as dg
import pyarrow as pa

from df2_assets.dataset.tables import SCHEMAS
from df2_assets.partitions import splits
from df2_assets.presentation import column_schema

if TYPE_CHECKING:
    Result = dg.MaterializeResult[Any]
else:  # Dagster reads annotations, and knows this one only without its parameter
    Result = dg.MaterializeResult

_TABLE = dg.PythonObjectDagsterType(pa.Table, "Table")


def split_asset(
    *,
    group: str,
    description: str,
    kinds: Sequence[str] = ("parquet",),
    code_version: str = "1",
    deps: Sequence[str] = (),
    check_specs: Sequence[dg.AssetCheckSpec] = (),
) -> Callable[[Callable[..., Result]], dg.AssetsDefinition]:
    """An asset partitioned by split, its columns described where it leaves a table."""

    def decorate(body: Callable[..., Result]) -> dg.AssetsDefinition:
        schema = SCHEMAS.get(body.__name__)
        return dg.asset(
            partitions_def=splits,
            group_name=group,
            description=cleandoc(description),
            kinds={"python", *kinds},
            owners=["team:df2-assets"],
            code_version=code_version,
            dagster_type=None if schema is None else _TABLE,
            metadata={} if schema is None else {"dagster/column_schema": column_schema(schema)},
            deps=deps,
            check_specs=check_specs,
        )(body)

    return decorate

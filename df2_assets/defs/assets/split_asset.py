"""What all assets of this project have in common."""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import pyarrow as pa

from df2_assets.dataset.documents import DOCUMENTS
from df2_assets.dataset.tables import SCHEMAS
from df2_assets.defs.assets.code import reference
from df2_assets.defs.conditions import FOLLOW
from df2_assets.defs.metadata import columns
from df2_assets.defs.partitions import splits
from df2_assets.defs.retries import retried

if TYPE_CHECKING:
    Result = dg.MaterializeResult[Any]
else:  # Dagster reads annotations, and knows this one only without its parameter
    Result = dg.MaterializeResult

OWNERS: Final = ["team:df2-assets"]

_TABLE = dg.PythonObjectDagsterType(pa.Table, "Table")


def split_asset(
    *,
    group: str,
    description: str,
    kinds: Sequence[str] = ("parquet",),
    tags: Sequence[str] = (),
    code_version: str = "1",
    deps: Sequence[str] = (),
    last: bool = False,
    condition: dg.AutomationCondition[Any] = FOLLOW,
) -> Callable[[Callable[..., Result]], dg.AssetsDefinition]:
    """An asset partitioned by split, its columns described where it leaves any.

    `tags` are words to search for in the UI. One that comes `last` waits for the checks of its run.
    `condition` is when it is made by itself.
    """

    def decorate(body: Callable[..., Result]) -> dg.AssetsDefinition:
        name = body.__name__
        schema = (SCHEMAS | DOCUMENTS).get(name)

        @wraps(body)
        def step(context: dg.AssetExecutionContext, **given: Any) -> Result:
            with retried(context.op_execution_context):
                result = body(context, **given)
            # With the result itself it would be kept once more, in the event of the step's output.
            context.add_asset_metadata(result.metadata or {})
            return result._replace(metadata=None)

        return dg.asset(
            partitions_def=splits,
            group_name=group,
            description=cleandoc(description),
            kinds={"python", *kinds},
            owners=OWNERS,
            tags=dict.fromkeys(tags, ""),
            code_version=code_version,
            dagster_type=_TABLE if name in SCHEMAS else None,
            metadata=reference(body) | ({} if schema is None else columns(schema)),
            automation_condition=condition,
            deps=deps,
            op_tags={"dagster/priority": "-1"} if last else None,
        )(step)

    return decorate

"""Which Dagster run made what lies under a SKU_ROOT."""

from datetime import datetime

import dagster as dg

from df2_assets.defs.assets import all_assets
from df2_assets.explain.steps import Run
from df2_assets.store.layout import Roots

_LOOKED_AT = 20


def made_by(instance: dg.DagsterInstance, roots: Roots, split: str) -> dict[str, Run]:
    """By asset, its latest materialization for `split` that wrote to this SKU_ROOT.

    An instance may have seen builds of several; the path that each recorded tells them apart.
    """
    runs: dict[str, Run] = {}
    for asset in all_assets:
        made = dg.AssetRecordsFilter(asset_key=asset.key, asset_partitions=[split])
        for record in instance.fetch_materializations(made, limit=_LOOKED_AT).records:
            event = record.asset_materialization
            path = event.metadata.get("path") if event else None
            if path and str(path.value).startswith(f"{roots.sku_root}/"):
                at = datetime.fromtimestamp(record.timestamp).astimezone()
                name = asset.key.path[-1]
                runs[name] = Run(record.run_id, at.isoformat(timespec="seconds"))
                break
    return runs

"""The last run of each asset of a split: `_df2_assets/runs/{asset}/{split}.json`.

Commands name runs, and know how fast they were, without opening Dagster's history.
"""

import platform
from datetime import datetime

import msgspec

from df2_assets.store.layout import Roots


class AssetRun(msgspec.Struct):
    """The run that last materialized an asset of a split, and when (ISO 8601).

    `images_per_second` is the rate of the last run on `host` that measured one.
    """

    run_id: str
    at: str
    host: str
    images_per_second: float | None = None


def load(roots: Roots, asset: str, split: str) -> AssetRun | None:
    """Return the last run of an asset; None where nothing, or nothing legible, is recorded."""
    try:
        return msgspec.json.decode(roots.run(asset, split).read_bytes(), type=AssetRun)
    except (OSError, msgspec.DecodeError):
        return None


def save(
    roots: Roots, asset: str, split: str, run_id: str, images_per_second: float | None = None
) -> None:
    """Record that a run materializes an asset now. Without a rate, an earlier one stays."""
    at = datetime.now().astimezone().isoformat(timespec="seconds")
    rate = images_per_second or load_rate(roots, asset, split)
    with roots.sku.atomic(roots.run(asset, split)) as temporary:
        run = AssetRun(run_id, at, platform.node(), rate)
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")


def load_rate(roots: Roots, asset: str, split: str) -> float | None:
    """Return the rate of an asset, in images per second, if it is known for this machine."""
    run = load(roots, asset, split)
    return run.images_per_second if run and run.host == platform.node() else None

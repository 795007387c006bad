"""A shard of crops, each looked at. Runs in worker processes."""

from typing import NamedTuple

from df2_assets.dataset.perceptual import Measures, measure


class Shard(NamedTuple):
    """Crops to measure, relative to SKU_ROOT."""

    sku_root: str
    crop_paths: list[str]


def measure_shard(shard: Shard) -> list[Measures | None]:
    """The measures of each crop; None for one that is not there or cannot be read."""
    return [_measured(f"{shard.sku_root}/{path}") for path in shard.crop_paths]


def _measured(path: str) -> Measures | None:
    try:
        with open(path, "rb") as file:
            return measure(file)
    except Exception:  # Pillow raises whatever its decoders meet in a damaged file
        return None

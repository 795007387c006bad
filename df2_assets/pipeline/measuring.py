"""A shard of crops, each looked at. Runs in worker processes."""

from typing import BinaryIO, NamedTuple

from df2_assets.dataset.perceptual import Measures, measure
from df2_assets.store.access import access


class Shard(NamedTuple):
    """Crops to measure, relative to SKU_ROOT."""

    sku_root: str
    crop_paths: list[str]


def measure_shard(shard: Shard) -> list[Measures | None]:
    """The measures of each crop; None for one that is not there or cannot be read."""
    root = shard.sku_root
    files = access(root).open_each(f"{root}/{path}" for path in shard.crop_paths)
    return [_measured(file) for file in files]


def _measured(file: BinaryIO | OSError) -> Measures | None:
    if isinstance(file, OSError):
        return None
    try:
        return measure(file)
    except Exception:  # Pillow raises whatever its decoders meet in a damaged file
        return None

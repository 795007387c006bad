"""What carrying out a plan would take: bytes and time, from a short probe on this machine."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import pandas as pd

from df2_assets.engines.base import Engine, Lost
from df2_assets.errors import DiskFullError
from df2_assets.pipeline.cutting import Probe, probe
from df2_assets.pipeline.planning import CropPlan
from df2_assets.store.files import free
from df2_assets.store.layout import Roots

_PROBED: Final = 24
_USUAL: Final = Probe(seconds=0.0027, images=1, pixels=100_000, bytes=25_000)
"""An image of the released data and its crops, where none of a plan's could be read."""

_BYTES_A_CROP_ELSEWHERE: Final = 1_500
"""Tables, metadata and JSONL together."""


@dataclass(frozen=True)
class Estimate:
    """`bytes` to be written beyond what they replace, `free` on the disk, `seconds` of cutting.

    `free` is None where there is no disk to fill.
    """

    images: int
    crops: int
    bytes: int
    free: int | None
    seconds: float

    @property
    def fits(self) -> bool:
        return self.free is None or self.bytes <= self.free


def estimate(
    roots: Roots, plan: CropPlan, engine: Engine, images_per_second: float | None = None
) -> Estimate:
    """What the plan's crops would take, at a rate seen before or, without one, as probed."""
    images = plan.images
    if not images:
        return Estimate(0, 0, 0, free(roots.sku_root), 0.0)
    found = _USUAL
    with closing(engine.map(probe, [images[:: -(-len(images) // _PROBED)]])) as results:
        for _, result in results:
            if not isinstance(result, Lost) and result.images and result.pixels:
                found = result
    rate = images_per_second or engine.workers * found.images / max(found.seconds, 1e-6)
    size = int(_pixels(plan.make) * found.bytes / found.pixels)
    replaced = sum(plan.tree.crops.get(path, (0, 0))[0] for path in plan.make["crop_path"])
    return Estimate(
        len(images),
        len(plan.make),
        max(0, size - replaced) + _BYTES_A_CROP_ELSEWHERE * len(plan.make),
        free(roots.sku_root),
        len(images) / rate,
    )


def refuse_full_disk(roots: Roots, split: str, needed: Estimate) -> None:
    """Raise DiskFullError, with the numbers, where the disk cannot hold the result."""
    if needed.free is not None and needed.bytes > needed.free:
        raise DiskFullError(
            f"{split} needs about {needed.bytes / 1e6:,.1f} MB for {needed.crops:,} crops, and "
            f"{roots.sku_root} has {needed.free / 1e6:,.1f} MB free: make room, or set SKU_ROOT to "
            "another disk."
        )


def _pixels(make: pd.DataFrame) -> int:
    return int(((make["x2"] - make["x1"]) * (make["y2"] - make["y1"])).sum())

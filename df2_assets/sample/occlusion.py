"""Occlusion: obstacles in front of a garment, and the share of it that they hide."""

import math
import random
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageChops, ImageStat

from df2_assets.sample.canvas import Camera, Part, Polygon, Size, coverage
from df2_assets.sample.layout import Garment
from df2_assets.sample.scenes import choose_thing

Obstacle = tuple[Camera, list[Part]]

_HIDDEN: Final = {1: (0.0, 0.14), 2: (0.18, 0.36), 3: (0.42, 0.72)}
"""The hidden share of the garment inside the frame, by occlusion label: from, up to."""

_SCALE: Final = 5
"""The factor by which images are reduced to measure shares."""

_OBSTACLES: Final = 3
_TRIES: Final = 14
"""The most obstacles in front of one garment, and the most places that are tried for each."""


def hide(garments: list[Garment], rng: random.Random, frame: Size) -> list[Obstacle]:
    """Return obstacles that hide as much of each garment as its label says.

    `garments` are in the order of painting: later ones already hide earlier ones.
    """
    labels = [garment.item.occlusion for garment in garments]
    masks = [_mask(garment.outlines, frame) for garment in garments]
    hidden = [Image.new("L", masks[0].size) for _ in masks]
    for i, mask in enumerate(masks):
        hidden[:i] = [ImageChops.lighter(below, mask) for below in hidden[:i]]
    obstacles: list[Obstacle] = []
    for i in sorted(range(len(labels)), key=lambda i: labels[i]):
        for _ in range(_OBSTACLES):
            if _share(masks[i], hidden[i]) >= _HIDDEN[labels[i]][0]:
                break
            parts = choose_thing(rng)
            best = math.inf
            for attempt in range(_TRIES):
                camera = _place(garments[i], attempt, rng, frame)
                mask = _mask([camera.at(part.outline) for part in parts], frame)
                after = [ImageChops.lighter(below, mask) for below in hidden]
                shares = [_share(*pair) for pair in zip(masks, after, strict=True)]
                cost = max(_HIDDEN[labels[i]][0] - shares[i], 0.0)
                cost += sum(
                    max(share - _HIDDEN[label][1], 0.0)
                    for label, share in zip(labels, shares, strict=True)
                )
                if cost < best:
                    best, chosen, covered = cost, camera, after
                if not cost:
                    break
            obstacles.append((chosen, parts))
            hidden = covered
    return obstacles


def _place(target: Garment, attempt: int, rng: random.Random, frame: Size) -> Camera:
    """Return a camera for an obstacle over a garment, larger with each attempt."""
    x1, y1, x2, y2 = target.box(frame)
    reach = math.sqrt((x2 - x1) * (y2 - y1) * sum(_HIDDEN[target.item.occlusion]) / 2)
    x, y = (a + (b - a) * rng.uniform(0.2, 0.8) for a, b in ((x1, x2), (y1, y2)))
    return Camera((0.42 + 0.06 * attempt) * reach, x, y, tilt=rng.uniform(-17, 17))


def _mask(outlines: Sequence[Polygon], frame: Size) -> Image.Image:
    small = [[(x / _SCALE, y / _SCALE) for x, y in outline] for outline in outlines]
    return coverage(small, (0, 0, frame[0] // _SCALE, frame[1] // _SCALE))


def _share(mask: Image.Image, over: Image.Image) -> float:
    """Return the share of `mask` that is under `over`."""
    common = ImageStat.Stat(ImageChops.darker(mask, over))
    return float(common.sum[0] / max(ImageStat.Stat(mask).sum[0], 1))

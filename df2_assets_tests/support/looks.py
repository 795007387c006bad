"""Crops in the form of `checks.crop_quality.looks`, from pictures in memory."""

import hashlib
import io
import random
from collections.abc import Iterable

import pandas as pd
from PIL import Image, ImageDraw

from df2_assets.checks.crop_quality import looks
from df2_assets.dataset.perceptual import measure

SIDE = 160


def picture(seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """Draw shapes and colours that differ for each seed."""
    rng = random.Random(seed)
    image = Image.new("RGB", (SIDE, SIDE), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = rng.randrange(-20, SIDE), rng.randrange(-20, SIDE)
        draw.rectangle((x, y, x + rng.randrange(20, 90), y + rng.randrange(20, 90)), _colour(rng))
    return image.resize(size)


def plain(colour: str) -> Image.Image:
    """Draw a picture of one colour."""
    return Image.new("RGB", (SIDE, SIDE), colour)


def jpeg(image: Image.Image, quality: int = 95) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def seen(crops: Iterable[tuple[str, bytes]]) -> pd.DataFrame:
    """Return the `looks` of crops, by path and bytes."""
    quality, manifest = [], []
    for path, data in crops:
        measures = measure(io.BytesIO(data))
        digest = hashlib.sha256(data).hexdigest()
        split, _, sku_id, _ = path.split("/")
        identity = {"crop_path": path, "sku_uid": f"{split}/{sku_id}", "sha256": digest}
        quality.append(identity | measures._asdict())
        with Image.open(io.BytesIO(data)) as image:
            manifest.append({"crop_path": path, "width": image.width, "height": image.height})
    return looks(pd.DataFrame(quality), pd.DataFrame(manifest))


def path(
    image: int, sku: str = "000001_01_01", split: str = "train", domain: str = "catalog"
) -> str:
    return f"{split}/{domain}/{sku}/{image:06d}_item1.jpg"


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(20, 250), rng.randrange(20, 250), rng.randrange(20, 250)

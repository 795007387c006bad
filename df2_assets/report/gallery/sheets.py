"""Thumbnails: one small sheet per SKU, catalog above query crops. Runs in worker processes."""

import hashlib
import io
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from PIL import Image, ImageOps

from df2_assets.store.location import store_at

_VERSION: Final = "2"
_TILE: Final = (112, 140)
_QUALITY: Final = 74
_UPPER: Final = (0.5, 0.35)
"""What is cut off of a crop that has another shape: more of its lower end."""


class Sheet(NamedTuple):
    """Where a SKU's sheet goes, relative to the site, and the crops in it, by row."""

    path: str
    catalog: tuple[str, ...]
    query: tuple[str, ...]

    def __str__(self) -> str:
        return self.path


class SheetShard(NamedTuple):
    """`sku_root` holds the crops, `site` the sheets."""

    sku_root: str
    site: str
    sheets: list[Sheet]


def sheet_path(sku_id: str, digests: list[str]) -> str:
    """Return a name that says what is in it: an existing sheet need not be drawn again."""
    content = hashlib.sha256(" ".join([_VERSION, *digests]).encode()).hexdigest()
    return f"thumbs/{sku_id[3:6]}/{sku_id}-{content[:10]}.jpg"


def draw_shard(shard: SheetShard) -> int:
    """Draw the sheets; return how many."""
    paths = (path for sheet in shard.sheets for path in (*sheet.catalog, *sheet.query))
    crops = store_at(shard.sku_root).open_each(f"{shard.sku_root}/{path}" for path in paths)
    drawn = ((sheet.path, _encoded(_drawn(sheet, crops))) for sheet in shard.sheets)
    return sum(1 for _ in store_at(shard.site).write_each(shard.site, drawn))


def _drawn(sheet: Sheet, crops: Iterator[BinaryIO | OSError]) -> Image.Image:
    """Draw two crops per row; beside a single one nothing is."""
    width, height = _TILE
    paper = Image.new("RGB", (2 * width, 2 * height), "white")
    for row, paths in enumerate((sheet.catalog, sheet.query)):
        for column, _ in enumerate(paths):
            paper.paste(_tile(next(crops)), (column * width, row * height))
    return paper


def _tile(crop: BinaryIO | OSError) -> Image.Image:
    if isinstance(crop, OSError):
        raise crop
    with Image.open(crop, formats=("JPEG",)) as image:
        image.draft("RGB", (2 * _TILE[0], 2 * _TILE[1]))
        return ImageOps.fit(image.convert("RGB"), _TILE, centering=_UPPER)


def _encoded(paper: Image.Image) -> bytes:
    sheet = io.BytesIO()
    paper.save(sheet, "JPEG", quality=_QUALITY)
    return sheet.getvalue()

"""Thumbnail sheets: one per SKU, catalog above query crops. Worker processes draw them."""

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
"""The part of a crop to keep if it has another shape: it loses more at the bottom."""


class Sheet(NamedTuple):
    """The path of a sheet, relative to the site, and the crops in it, by row."""

    path: str
    catalog: tuple[str, ...]
    query: tuple[str, ...]

    def __str__(self) -> str:
        return self.path


class SheetShard(NamedTuple):
    """Sheets for one worker to draw: `sku_root` holds the crops, `site` the sheets."""

    sku_root: str
    site: str
    sheets: list[Sheet]


def sheet_path(sku_id: str, digests: list[str]) -> str:
    """Return a path with a digest of the sheet's content, so that existing sheets can be kept."""
    content = hashlib.sha256(" ".join([_VERSION, *digests]).encode()).hexdigest()
    return f"thumbs/{sku_id[3:6]}/{sku_id}-{content[:10]}.jpg"


def draw_shard(shard: SheetShard) -> int:
    """Draw the sheets of a shard and return how many there are."""
    paths = (path for sheet in shard.sheets for path in (*sheet.catalog, *sheet.query))
    crops = store_at(shard.sku_root).open_each(f"{shard.sku_root}/{path}" for path in paths)
    drawn = ((sheet.path, _encode(_draw(sheet, crops))) for sheet in shard.sheets)
    return sum(1 for _ in store_at(shard.site).write_each(shard.site, drawn))


def _draw(sheet: Sheet, crops: Iterator[BinaryIO | OSError]) -> Image.Image:
    """Draw up to two crops per row. The rest of the sheet stays white."""
    width, height = _TILE
    paper = Image.new("RGB", (2 * width, 2 * height), "white")
    for row, paths in enumerate((sheet.catalog, sheet.query)):
        for column, _ in enumerate(paths):
            paper.paste(_load_tile(next(crops)), (column * width, row * height))
    return paper


def _load_tile(crop: BinaryIO | OSError) -> Image.Image:
    if isinstance(crop, OSError):
        raise crop
    with Image.open(crop, formats=("JPEG",)) as image:
        image.draft("RGB", (2 * _TILE[0], 2 * _TILE[1]))
        return ImageOps.fit(image.convert("RGB"), _TILE, centering=_UPPER)


def _encode(paper: Image.Image) -> bytes:
    sheet = io.BytesIO()
    paper.save(sheet, "JPEG", quality=_QUALITY)
    return sheet.getvalue()

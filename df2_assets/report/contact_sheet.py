"""A contact sheet: for a few SKUs, catalog crops in a row above query crops."""

import base64
import io
from pathlib import Path
from typing import Final

import pandas as pd
from PIL import Image, ImageDraw

_TILE: Final = 96
_ACROSS: Final = 4
_SKUS: Final = 6
_GAP: Final = 6
_LABEL: Final = 14
_MAX_BYTES: Final = 300_000


def contact_sheet(sku_root: Path, crops: pd.DataFrame) -> str | None:
    """Markdown with the sheet as an embedded JPEG; None where there is nothing to show.

    `crops` are rows of `sku_groups` whose crops are on disk. The SKUs shown are spread over the
    categories, the first of each.
    """
    chosen = crops.drop_duplicates("category_id")["sku_id"][
        :: max(1, crops["category_id"].nunique() // _SKUS)
    ]
    chosen = chosen.head(_SKUS)
    if chosen.empty:
        return None
    width = 2 * (_ACROSS * (_TILE + _GAP) + _GAP)
    height = -(-len(chosen) // 2) * (2 * (_TILE + _GAP) + _LABEL + _GAP)
    sheet = Image.new("RGB", (width, height), "white")
    for position, sku_id in enumerate(chosen):
        left = (position % 2) * width // 2 + _GAP
        top = (position // 2) * (2 * (_TILE + _GAP) + _LABEL + _GAP)
        _draw_sku(sheet, (left, top), sku_root, crops[crops["sku_id"] == sku_id])
    return f"![catalog above query](data:image/jpeg;base64,{_encoded(sheet)})"


def _draw_sku(
    sheet: Image.Image, corner: tuple[int, int], sku_root: Path, crops: pd.DataFrame
) -> None:
    left, top = corner
    first = crops.iloc[0]
    label = f"{first['sku_id']}  {first['category_name']}"
    ImageDraw.Draw(sheet).text((left, top), label, fill="black")
    for row, domain in enumerate(("catalog", "query")):
        paths = crops["crop_path"][crops["domain"] == domain].head(_ACROSS)
        for column, path in enumerate(paths):
            with Image.open(sku_root / path) as crop:
                crop.draft("RGB", (2 * _TILE, 2 * _TILE))
                crop.thumbnail((_TILE, _TILE))
                x = left + column * (_TILE + _GAP) + (_TILE - crop.width) // 2
                y = top + _LABEL + row * (_TILE + _GAP) + (_TILE - crop.height) // 2
                sheet.paste(crop, (x, y))


def _encoded(sheet: Image.Image) -> str:
    """Base64 of the sheet as a JPEG small enough for a page of the UI."""
    for quality in (85, 70, 50, 30):
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality)
        if buffer.tell() * 4 // 3 < _MAX_BYTES:
            break
    return base64.b64encode(buffer.getvalue()).decode()

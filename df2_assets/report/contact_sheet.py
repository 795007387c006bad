"""A contact sheet: for a few SKUs, catalog crops in a row above query crops."""

from pathlib import Path
from typing import Final

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from df2_assets.report.embedding import embedded
from df2_assets.report.tiles import thumbnail

_TILE: Final = 96
_ACROSS: Final = 4
_SKUS: Final = 6
_GAP: Final = 6
_LABEL: Final = 14


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
    return embedded(sheet, "catalog above query")


def _draw_sku(
    sheet: Image.Image, corner: tuple[int, int], sku_root: Path, crops: pd.DataFrame
) -> None:
    left, top = corner
    first = crops.iloc[0]
    label = f"{first['sku_id']}  {first['category_name']}"
    ImageDraw.Draw(sheet).text((left, top), label, fill="black", font=ImageFont.load_default(11))
    for row, domain in enumerate(("catalog", "query")):
        paths = crops["crop_path"][crops["domain"] == domain].head(_ACROSS)
        for column, path in enumerate(paths):
            crop = thumbnail(sku_root / path, _TILE)
            if crop is not None:  # else damaged behind its size and time: `verify --deep` says so
                x = left + column * (_TILE + _GAP) + (_TILE - crop.width) // 2
                y = top + _LABEL + row * (_TILE + _GAP) + (_TILE - crop.height) // 2
                sheet.paste(crop, (x, y))

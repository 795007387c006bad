"""How many crops each prompt has, as colours: drawn with Pillow, for it is on a build's path."""

import io
import math
from typing import Final

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from df2_assets.report.embedding import embedded_bytes
from df2_assets.report.tiles import ALARM, INK, PAPER

_WIDE: Final = 74
_HIGH: Final = 19
_NAMES: Final = 196
_HEAD: Final = 40
_PALE: Final = (233, 241, 247)
_DEEP: Final = (18, 78, 120)


def coverage(table: pd.DataFrame) -> str:
    """Markdown with the heat map of `prompt_coverage`'s table, a cell a combination.

    A row a category and domain, a column an occlusion and viewpoint. Colours follow the logarithm
    of the count; an empty cell is outlined.
    """
    labels = [name for name in table.columns if name.startswith("occlusion")]
    size = (_NAMES + _WIDE * len(labels) + 8, _HEAD + _HIGH * len(table) + 8)
    paper = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(11)
    most = math.log1p(max(int(table[labels].to_numpy().max()), 1)) if len(table) else 1.0
    for column, label in enumerate(labels):
        for line, text in enumerate(label.split(", ")):
            middle = _NAMES + _WIDE * (column + 0.5)
            draw.text((middle, 12 + 14 * line), text, INK, font, anchor="mm")
    for number, row in enumerate(table.to_dict("records")):
        top = _HEAD + _HIGH * number
        name = f"{row['category']}, {row['domain']}"
        draw.text((_NAMES - 8, top + _HIGH / 2), name, INK, font, anchor="rm")
        for column, label in enumerate(labels):
            left = _NAMES + _WIDE * column
            box = (left, top, left + _WIDE - 2, top + _HIGH - 2)
            count = int(row[label])
            share = math.log1p(count) / most
            if count:
                draw.rectangle(box, fill=_between(share))
            else:
                draw.rectangle(box, fill=PAPER, outline=ALARM)
            ink = ALARM if not count else PAPER if share > 0.55 else INK
            centre = (left + _WIDE / 2 - 1, top + _HIGH / 2 - 1)
            draw.text(centre, f"{count:,}", ink, font, anchor="mm")
    buffer = io.BytesIO()
    paper.save(buffer, "PNG", compress_level=1)
    return embedded_bytes(buffer.getvalue(), "image/png", "crops by what their prompt says")


def _between(share: float) -> tuple[int, ...]:
    """A colour from pale to deep; `share` is 0 to 1."""
    return tuple(round(low + share * (high - low)) for low, high in zip(_PALE, _DEEP, strict=True))

"""Rows of small pictures with captions, and the image files made from them."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from df2_assets.dataset.boxes import Box

SIDE: Final = 176
GAP: Final = 12
APART: Final = 40
"""The gap between tiles that do not belong together, such as two pairs, in pixels."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
"""The formats of crops and their variants."""

TEXT: Final = 22
"""The size of text in pixels.

Dagster does not scale pictures, and about 980 pixels of width fit in a dialog.
"""

LINE: Final = 27
_LINES: Final = 3
_SPECK: Final = 8
"""Pixels that remain visible of a box outside its image, at the nearest edge."""

PAPER: Final = "#ffffff"
INK: Final = "#1f2933"
FAINT: Final = "#7b8794"
EMPTY: Final = "#eef1f4"
ALARM: Final = "#c2410c"

MAX_BYTES: Final = 300_000
_QUALITIES: Final = (85, 70, 50, 30)

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Picture(NamedTuple):
    """An image file in memory. `alt` describes it, without brackets.

    The suffix is never `.jpg`, which only crops have.
    """

    alt: str
    data: bytes
    suffix: str


class Tile(NamedTuple):
    """A picture of at most `SIDE` by `SIDE` pixels, or None, with lines of text under it."""

    picture: Image.Image | None
    caption: tuple[str, ...] = ()
    marked: bool = False


def make_boxed_tile(path: Path, box: Box, *caption: str) -> Tile:
    """Return a reduced original with a box drawn on it. The box may be partly outside."""
    picture = load_thumbnail(path, SIDE - 16)
    if picture is None:
        return Tile(None, caption)
    scale = picture.info["scale"]
    paper = Image.new("RGB", (SIDE, SIDE), EMPTY)
    left, top = (SIDE - picture.width) // 2, (SIDE - picture.height) // 2
    paper.paste(picture, (left, top))
    x1, x2 = (round(edge * scale) + left for edge in sorted((box[0], box[2])))
    y1, y2 = (round(edge * scale) + top for edge in sorted((box[1], box[3])))
    corners = (
        min(max(x1, 1), SIDE - _SPECK),
        min(max(y1, 1), SIDE - _SPECK),
        min(max(x2, _SPECK), SIDE - 2),
        min(max(y2, _SPECK), SIDE - 2),
    )
    draw = ImageDraw.Draw(paper)
    draw.rectangle(corners, outline=PAPER, width=3)
    draw.rectangle(corners, outline=ALARM, width=2)
    return Tile(paper, caption)


def load_thumbnail(path: Path, side: int = SIDE) -> Image.Image | None:
    """Load a picture, reduced to at most `side` by `side` pixels; None if it cannot be read."""
    try:
        with path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
            width = image.width
            image.draft("RGB", (2 * side, 2 * side))
            picture = image.convert("RGB")
    except Exception:  # Pillow raises whatever its decoders meet in a damaged file
        return None
    picture.thumbnail((side, side))
    picture.info["scale"] = picture.width / width
    return picture


class Row(NamedTuple):
    """Tiles side by side, with an optional label on the left and an optional title above.

    If `together` is not 0, a wider gap follows every `together` tiles.
    """

    tiles: Sequence[Tile]
    label: str = ""
    title: str = ""
    together: int = 0


def load_font(size: int = TEXT) -> _Font:
    """Return the font of all pictures, which is part of Pillow."""
    return ImageFont.load_default(size)


def draw_sheet(rows: Iterable[Row], alt: str) -> Picture | None:
    """Draw rows of tiles as one picture; None if there is no tile."""
    drawn = [row for row in rows if row.tiles]
    if not drawn:
        return None
    face = load_font()
    texts = [[_wrap_caption(tile, face) for tile in row.tiles] for row in drawn]
    margin = GAP + max(_width(row.label, face) for row in drawn)
    heights = [
        (LINE + GAP if row.title else 0) + SIDE + max(map(len, lines)) * LINE + 2 * GAP
        for row, lines in zip(drawn, texts, strict=True)
    ]
    widths = [_left(row, len(row.tiles)) for row in drawn]
    titles = [_width(row.title, face) for row in drawn]
    paper = Image.new("RGB", (margin + max(*widths, *titles, SIDE), GAP + sum(heights)), PAPER)
    draw, top = ImageDraw.Draw(paper), GAP
    for row, lines, height in zip(drawn, texts, heights, strict=True):
        start = top
        if row.title:
            draw.text((GAP, start), row.title, INK, face)
            start += LINE + GAP
        draw.text((GAP, start + SIDE / 2), row.label, INK, face, anchor="lm")
        for column, (tile, under) in enumerate(zip(row.tiles, lines, strict=True)):
            _draw_tile(paper, draw, face, tile, under, (margin + _left(row, column), start))
        top += height
    return encode_jpeg(paper, alt)


def arrange_rows(tiles: Sequence[Tile], across: int = 5, together: int = 0) -> list[Row]:
    """Arrange tiles in rows of `across`."""
    starts = range(0, len(tiles), across)
    return [Row(tiles[start : start + across], together=together) for start in starts]


def _left(row: Row, column: int) -> int:
    """Return the offset of a column from the first one, in pixels."""
    return column * (SIDE + GAP) + (column // row.together * (APART - GAP) if row.together else 0)


def _width(text: str, face: _Font) -> int:
    return round(face.getlength(text)) + GAP if text else 0


def _draw_tile(
    paper: Image.Image,
    draw: ImageDraw.ImageDraw,
    face: _Font,
    tile: Tile,
    lines: list[tuple[str, str]],
    corner: tuple[int, int],
) -> None:
    left, top = corner
    draw.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), fill=EMPTY)
    if tile.picture is None:
        draw.text((left + SIDE / 2, top + SIDE / 2), "no picture", FAINT, face, anchor="mm")
    else:
        x, y = (SIDE - tile.picture.width) // 2, (SIDE - tile.picture.height) // 2
        paper.paste(tile.picture, (left + x, top + y))
    if tile.marked:
        draw.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), outline=ALARM, width=4)
    for number, (line, colour) in enumerate(lines):
        draw.text((left, top + SIDE + 4 + number * LINE), line, colour, face)


def _wrap_caption(tile: Tile, face: _Font) -> list[tuple[str, str]]:
    """Return the lines under a tile with their colours, wrapped between words."""
    lines: list[tuple[str, str]] = []
    for number, text in enumerate(tile.caption):
        colour = INK if number == 0 else FAINT
        words = [""]
        for word in text.split(" "):
            longer = f"{words[-1]} {word}".strip()
            if face.getlength(longer) <= SIDE:
                words[-1] = longer
            else:
                words.append(word)
        lines += [(_cut(line, face), colour) for line in words[:_LINES] if line]
    return lines


def _cut(text: str, face: _Font) -> str:
    """Return a line, cut to the width of a tile."""
    if face.getlength(text) <= SIDE:
        return text
    while text and face.getlength(f"{text}…") > SIDE:
        text = text[:-1]
    return f"{text}…"


def encode_jpeg(image: Image.Image, alt: str) -> Picture:
    """Encode an image as a JPEG under 300 KB. It is reduced if no quality is low enough."""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
        if buffer.tell() < MAX_BYTES:
            return Picture(alt, buffer.getvalue(), ".jpeg")
    return encode_jpeg(image.reduce(2), alt)

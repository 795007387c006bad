"""Rows of small pictures with captions, and the image file that they become."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from df2_assets.dataset.boxes import Box

SIDE: Final = 176
GAP: Final = 12
APART: Final = 40
"""The gap between tiles that do not belong together, such as those of two pairs."""

TEXT: Final = 22
"""Size of text in pixels. Dagster reduces no picture: about 980 pixels of width fit in a dialog."""

LINE: Final = 27
_LINES: Final = 3
_SPECK: Final = 8
"""Pixels that are left of a box which lies outside its image: at the edge where it is."""

PAPER: Final = "#ffffff"
INK: Final = "#1f2933"
FAINT: Final = "#7b8794"
EMPTY: Final = "#eef1f4"
ALARM: Final = "#c2410c"

MAX_BYTES: Final = 300_000
_QUALITIES: Final = (85, 70, 50, 30)

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Picture(NamedTuple):
    """An image file in memory; `alt` says what it shows and is free of brackets.

    Its suffix is not `.jpg`: after a build these are the crops alone.
    """

    alt: str
    data: bytes
    suffix: str


class Tile(NamedTuple):
    """A picture of at most `SIDE` by `SIDE` (None: there is none), and lines of text under it."""

    picture: Image.Image | None
    caption: tuple[str, ...] = ()
    marked: bool = False


def make_boxed_tile(path: Path, box: Box, *caption: str) -> Tile:
    """Return an original, reduced, with a box drawn on it, also one that is partly outside."""
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
    """Return a JPEG in memory, at most `side` wide and high; None where it cannot be read."""
    try:
        with path.open("rb") as file, Image.open(file, formats=("JPEG",)) as image:
            width = image.width
            image.draft("RGB", (2 * side, 2 * side))
            picture = image.convert("RGB")
    except Exception:  # Pillow raises whatever its decoders meet in a damaged file
        return None
    picture.thumbnail((side, side))
    picture.info["scale"] = picture.width / width
    return picture


class Row(NamedTuple):
    """Tiles side by side, with a label on their left and a title above them, if any.

    Each `together` of them belong together; a wider gap follows.
    """

    tiles: Sequence[Tile]
    label: str = ""
    title: str = ""
    together: int = 0


def load_font(size: int = TEXT) -> _Font:
    """Return the font of all pictures, which Pillow brings along."""
    return ImageFont.load_default(size)


def draw_sheet(rows: Iterable[Row], alt: str) -> Picture | None:
    """Return a picture of the rows; None without a tile."""
    drawn = [row for row in rows if row.tiles]
    if not drawn:
        return None
    face = load_font()
    texts = [[_lines(tile, face) for tile in row.tiles] for row in drawn]
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
            _draw(paper, draw, face, tile, under, (margin + _left(row, column), start))
        top += height
    return encode_jpeg(paper, alt)


def arrange_rows(tiles: Sequence[Tile], across: int = 5, together: int = 0) -> list[Row]:
    """Return tiles in rows of `across`."""
    starts = range(0, len(tiles), across)
    return [Row(tiles[start : start + across], together=together) for start in starts]


def _left(row: Row, column: int) -> int:
    """Return where a column of a row starts, in pixels from its first."""
    return column * (SIDE + GAP) + (column // row.together * (APART - GAP) if row.together else 0)


def _width(text: str, face: _Font) -> int:
    return round(face.getlength(text)) + GAP if text else 0


def _draw(
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


def _lines(tile: Tile, face: _Font) -> list[tuple[str, str]]:
    """Return the lines under a tile with their colours: words that do not fit go to the next."""
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
        lines += [(_fitting(line, face), colour) for line in words[:_LINES] if line]
    return lines


def _fitting(text: str, face: _Font) -> str:
    """Return as much of a line as a tile is wide."""
    if face.getlength(text) <= SIDE:
        return text
    while text and face.getlength(f"{text}…") > SIDE:
        text = text[:-1]
    return f"{text}…"


def encode_jpeg(image: Image.Image, alt: str) -> Picture:
    """Return `image` as a JPEG under 300 KB, reduced where no quality is low enough."""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
        if buffer.tell() < MAX_BYTES:
            return Picture(alt, buffer.getvalue(), ".jpeg")
    return encode_jpeg(image.reduce(2), alt)

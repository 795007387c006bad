"""Rows of small pictures with captions, and the image file that they become."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from df2_assets.dataset.boxes import Box

SIDE: Final = 116
GAP: Final = 10
LINE: Final = 15
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
    """A picture of at most `SIDE` by `SIDE` (None: there is none), and a line or two under it."""

    picture: Image.Image | None
    caption: tuple[str, ...] = ()
    marked: bool = False


def boxed_tile(path: Path, box: Box, *caption: str) -> Tile:
    """Return an original, reduced, with a box drawn on it, also one that is partly outside."""
    picture = thumbnail(path, SIDE - 16)
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


def thumbnail(path: Path, side: int = SIDE) -> Image.Image | None:
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


def sheet(rows: Iterable[Sequence[Tile]], alt: str, titles: Sequence[str] = ()) -> Picture | None:
    """Return a picture of the rows, each under its title; None without a tile."""
    drawn = [row for row in rows if row]
    if not drawn:
        return None
    lines = max(len(tile.caption) for row in drawn for tile in row)
    title = LINE + 4 if titles else 0
    step = SIDE + GAP + lines * LINE + title
    width = GAP + max(len(row) for row in drawn) * (SIDE + GAP)
    paper = Image.new("RGB", (max(width, 3 * SIDE), GAP + len(drawn) * step), PAPER)
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(11)
    for number, row in enumerate(drawn):
        top = GAP + number * step
        if titles:
            draw.text((GAP, top), titles[number], INK, font)
        for column, tile in enumerate(row):
            _draw(paper, draw, font, tile, (GAP + column * (SIDE + GAP), top + title))
    return encoded(paper, alt)


def grid(tiles: Sequence[Tile], across: int = 6) -> list[Sequence[Tile]]:
    """Return tiles in rows of `across`."""
    return [tiles[start : start + across] for start in range(0, len(tiles), across)]


def _draw(
    paper: Image.Image,
    draw: ImageDraw.ImageDraw,
    font: _Font,
    tile: Tile,
    corner: tuple[int, int],
) -> None:
    left, top = corner
    draw.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), fill=EMPTY)
    if tile.picture is None:
        draw.text((left + SIDE / 2, top + SIDE / 2), "not there", FAINT, font, anchor="mm")
    else:
        x, y = (SIDE - tile.picture.width) // 2, (SIDE - tile.picture.height) // 2
        paper.paste(tile.picture, (left + x, top + y))
    if tile.marked:
        draw.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), outline=ALARM, width=3)
    for number, line in enumerate(tile.caption):
        place = (left, top + SIDE + 3 + number * LINE)
        draw.text(place, _fitting(line, font), INK if number == 0 else FAINT, font)


def _fitting(text: str, font: _Font) -> str:
    """Return as much of a line as a tile is wide."""
    if font.getlength(text) <= SIDE:
        return text
    while text and font.getlength(f"{text}…") > SIDE:
        text = text[:-1]
    return f"{text}…"


def encoded(image: Image.Image, alt: str) -> Picture:
    """Return `image` as a JPEG under 300 KB, reduced where no quality is low enough."""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
        if buffer.tell() < MAX_BYTES:
            return Picture(alt, buffer.getvalue(), ".jpeg")
    return encoded(image.reduce(2), alt)

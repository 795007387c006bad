"""Draw the pictures of docs/variants.md again: `python -m scripts.variant_pictures`.

Each picture is a row of variants of one crop of the sample, with their options above them. A new
picture is a line in PICTURES.
"""

import io
import tempfile
from pathlib import Path

import click
import msgspec
from PIL import Image, ImageDraw, ImageFont

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.rendering import Polygons, encode, render
from df2_assets.dataset.variant_files import parse_variants
from df2_assets.dataset.variants import CropVariant
from df2_assets.sample import make_sample
from df2_assets_tests.support.processes import PROJECT

IMAGES = PROJECT / "docs" / "images"
IMAGE, ITEM = "train/000040", "item1"
HEIGHT, GAP, LINE = 180, 14, 17
QUALITY = 76
PAPER, INK, DARK, LIGHT = "#f4f5f7", "#1f2933", "#c9ced6", "#ffffff"

PICTURES: dict[str, tuple[str, ...]] = {
    "margin": ("", "margin: 0.1", "margin: 0.3", "margin: 1"),
    "square": (
        "square: pad",
        "square: pad, fill: '#5b7a99'",
        "square: pad, fill: edge",
        "square: widen",
        "square: widen, fill: edge",
    ),
    "size": (
        "size: 48, resample: nearest",
        "size: 48, resample: bilinear",
        "size: 48",
        "size: 48, resample: lanczos",
        "size: 224",
    ),
    "cut_out": (
        "cut_out: white",
        "cut_out: '#ffcc00'",
        "cut_out: alpha, format: png",
        "cut_out: white, square: pad",
        "cut_out: alpha, format: webp, square: pad",
    ),
    "format": (
        "size: 224",
        "size: 224, quality: 10",
        "size: 224, format: webp",
        "size: 224, format: webp, quality: 10",
        "size: 224, format: png",
    ),
}
"""The options of the variants of each picture, as they are written in a file."""


@click.command()
@click.argument("sample", required=False, type=click.Path(exists=True, path_type=Path))
def main(sample: Path | None) -> None:
    """Draw the pictures of docs/variants.md from SAMPLE, by default from a new one."""
    with tempfile.TemporaryDirectory(prefix="deepfashion2-") as folder:
        if sample is None:
            sample = Path(folder, "DeepFashion2_original")
            make_sample(sample)
        image, box, polygons = read_item(sample)
    for name, variants in PICTURES.items():
        tiles = [draw_tile(text, image, box, polygons) for text in variants]
        path = IMAGES / f"variant_{name}.jpg"
        draw_row(tiles).save(path, quality=QUALITY)
        click.echo(f"{path.relative_to(PROJECT)}: {path.stat().st_size:,} bytes")


def read_item(sample: Path) -> tuple[Image.Image, Box, Polygons]:
    """Return the image of the pictures, and the box and the polygons of its item."""
    split, name = IMAGE.split("/")
    annotation = msgspec.json.decode((sample / split / "annos" / f"{name}.json").read_bytes())
    item = annotation[ITEM]
    with Image.open(sample / split / "image" / f"{name}.jpg") as image:
        x1, y1, x2, y2 = item["bounding_box"]
        return image.convert("RGB"), (x1, y1, x2, y2), item["segmentation"]


def draw_tile(options: str, image: Image.Image, box: Box, polygons: Polygons) -> Image.Image:
    """Return a variant as it is in its file, with its options above and its size below.

    It is shown at the height of the row, without smoothing where it is smaller than that.
    """
    variant = read_options(options)
    data = encode(image, box, variant, polygons)
    pixels = render(image, box, variant, polygons)
    below = f"{pixels.width} x {pixels.height} pixels, {len(data) / 1000:.1f} KB"
    shown = on_chequers(reopen(data))
    scale = HEIGHT / shown.height
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    shown = shown.resize((round(shown.width * scale), HEIGHT), method)
    lines = options.split(", ") if options else ["no options"]
    font = ImageFont.load_default(13)
    width = max(shown.width, *(round(font.getlength(line)) for line in (*lines, below)))
    tile = Image.new("RGB", (width, 3 * LINE + HEIGHT + LINE + 6), PAPER)
    draw = ImageDraw.Draw(tile)
    for number, line in enumerate(lines):
        draw.text((0, (3 - len(lines) + number) * LINE), line, INK, font)
    tile.paste(shown, (0, 3 * LINE + 2))
    draw.rectangle((0, 3 * LINE + 2, shown.width - 1, 3 * LINE + 1 + HEIGHT), outline=DARK)
    draw.text((0, 3 * LINE + HEIGHT + 6), below, INK, font)
    return tile


def read_options(options: str) -> CropVariant:
    """Return the variant that has these options in a file."""
    (variant,) = parse_variants(f"variants: {{shown: {{{options}}}}}", "PICTURES")
    return variant


def reopen(data: bytes) -> Image.Image:
    """Return the image of a file, given its bytes."""
    with Image.open(io.BytesIO(data)) as image:
        return image.copy()


def on_chequers(image: Image.Image) -> Image.Image:
    """Return an image in front of chequers, which show where it is transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    side = max(image.height // 28, 1)
    board = Image.new("RGB", image.size, LIGHT)
    draw = ImageDraw.Draw(board)
    for row, y in enumerate(range(0, image.height, side)):
        for x in range(row % 2 * side, image.width, 2 * side):
            draw.rectangle((x, y, x + side - 1, y + side - 1), DARK)
    board.paste(image, mask=image.getchannel("A"))
    return board


def draw_row(tiles: list[Image.Image]) -> Image.Image:
    """Return tiles next to each other."""
    width = sum(tile.width + GAP for tile in tiles) + GAP
    row = Image.new("RGB", (width, tiles[0].height + 2 * GAP), PAPER)
    left = GAP
    for tile in tiles:
        row.paste(tile, (left, GAP))
        left += tile.width + GAP
    return row


if __name__ == "__main__":
    main()

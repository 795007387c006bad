"""Pictures of crops: the offenders of a check, the changes of a build, and a split as a whole.

Functions return None if there is nothing to show.
"""

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

import pandas as pd
from PIL import Image, ImageDraw

from df2_assets.dataset.frames import rows
from df2_assets.dataset.taxonomy import DOMAINS, NOT_LABELLED, VISIBLE
from df2_assets.report.tiles import (
    ALARM,
    APART,
    FAINT,
    GAP,
    INK,
    LINE,
    PAPER,
    Picture,
    Row,
    Tile,
    arrange_rows,
    draw_sheet,
    encode_jpeg,
    load_font,
    load_thumbnail,
    make_boxed_tile,
)
from df2_assets.store.layout import Roots

_WORST: Final = 12
_SKUS: Final = 20
_BESIDE: Final = 4
_CHANGED: Final = 12
_ACROSS: Final = 4
_SHAPES: Final = 8
_MASK: Final = "#0f9d58"
_POINT: Final = "#d946ef"
_DARKEST: Final = (18, 78, 120)
_BOX: Final = ["x1", "y1", "x2", "y2"]


def draw_worst_crops(roots: Roots, offenders: pd.DataFrame, value: str, alt: str) -> Picture | None:
    """Draw the crops of the first offenders, each with the number that makes it one."""
    tiles = [
        Tile(load_thumbnail(roots.crop(path)), (f"{image_id} item {item}", f"{value} {number:g}"))
        for path, image_id, item, number in rows(
            offenders.head(_WORST), "crop_path", "image_id", "item_idx", value
        )
    ]
    return draw_sheet(arrange_rows(tiles), alt)


def draw_boxes(roots: Roots, offenders: pd.DataFrame, alt: str) -> Picture | None:
    """Draw the boxes of the first offenders of each kind (`what`) on their images.

    The boxes are the columns `x1` to `y2`. Items without a box are not shown.
    """
    if offenders.empty:
        return None
    boxed = offenders[offenders[_BOX].notna().all(axis=1)]
    each = max(1, _WORST // max(boxed["what"].nunique(), 1))
    chosen = boxed.groupby("what", sort=False).head(each).head(_WORST)
    tiles = [
        make_boxed_tile(
            roots.images(split) / f"{image_id}.jpg",
            (x1, y1, x2, y2),
            f"{image_id} item {item}",
            what,
        )
        for split, image_id, item, what, x1, y1, x2, y2 in rows(
            chosen, "split", "image_id", "item_idx", "what", *_BOX
        )
    ]
    return draw_sheet(arrange_rows(tiles), alt)


def draw_pairs(roots: Roots, offenders: pd.DataFrame, alt: str) -> Picture | None:
    """Draw each crop next to the one that it resembles (`like`). Each pair is drawn once."""
    chosen: dict[frozenset[str], tuple[str, ...]] = {}
    for pair in rows(offenders, "crop_path", "like"):
        chosen.setdefault(frozenset(pair), pair)
    paths = chain.from_iterable([*chosen.values()][:_WORST])
    tiles = [Tile(load_thumbnail(roots.crop(path)), _caption(path)) for path in paths]
    return draw_sheet(arrange_rows(tiles, 4, together=2), alt)


def draw_skus(
    roots: Roots, offenders: pd.DataFrame, crop_paths: Sequence[str], alt: str
) -> Picture | None:
    """Draw one row per SKU, the worst first: the offending crops with a frame, then some others."""
    odd = set(offenders["crop_path"].tolist())
    chosen = list(dict.fromkeys(offenders["sku_id"].tolist()))[:_SKUS]
    of_sku: dict[str, list[str]] = {sku_id: [] for sku_id in chosen}
    for path in crop_paths:
        if (sku_id := path.split("/")[2]) in of_sku:
            of_sku[sku_id].append(path)
    sheet_rows = []
    for sku_id, paths in of_sku.items():
        worst = sorted(paths, key=lambda path: (path not in odd, path))[: _BESIDE + 1]
        tiles = [
            Tile(load_thumbnail(roots.crop(path)), _caption(path)[1:], marked=path in odd)
            for path in worst
        ]
        sheet_rows.append(Row(tiles, title=sku_id))
    return draw_sheet(sheet_rows, alt)


class BeforeAndAfter:
    """A picture of a dozen crops that a build adds, removes or makes again, before and after."""

    def __init__(
        self,
        sku_root: Path,
        on_disk: Collection[str],
        make: Iterable[str],
        remove: Iterable[str],
    ) -> None:
        """Load crops that are about to be replaced or removed. Arguments are paths of crops."""
        self._sku_root = sku_root
        replaced, removed = (
            [path for path in paths if path in on_disk] for paths in (make, remove)
        )
        self._replaced = set(replaced)
        self._before = {
            path: load_thumbnail(sku_root / path) for path in _interleave(replaced, removed)
        }

    def draw(self, new_crops: Sequence[str]) -> Picture | None:
        """Draw the crops after the build, below the same crops before it, if they existed.

        `new_crops` are the paths of the crops that the build made.
        """
        before, remade = self._before, set(new_crops) & self._before.keys()
        paths = _interleave(
            [path for path in before if path in remade],
            [path for path in before if path not in remade],
            [path for path in new_crops if path not in self._replaced],
        )
        sheet_rows: list[Row] = []
        for start in range(0, len(paths), _ACROSS):
            part = paths[start : start + _ACROSS]
            has_before = any(path in before for path in part)
            if has_before:
                sheet_rows.append(Row([Tile(before.get(path)) for path in part], "before"))
            after = [self._draw_after(path, remade) for path in part]
            sheet_rows.append(Row(after, "after" if has_before else ""))
        return draw_sheet(sheet_rows, "crops before and after this build")

    def _draw_after(self, path: str, remade: Collection[str]) -> Tile:
        change = "remade" if path in remade else "removed" if path in self._before else "added"
        picture = None if change == "removed" else load_thumbnail(self._sku_root / path)
        return Tile(picture, (change, *_caption(path)))


def draw_shapes(roots: Roots, labels: pd.DataFrame) -> Picture | None:
    """Draw a few crops with their masks and landmarks over them.

    `labels` are rows of that table. Landmarks are discs where they are visible, and rings where
    they are occluded.
    """
    drawn = labels[labels["mask"].notna() & labels["landmarks"].notna()]
    chosen = drawn.iloc[:: max(1, len(drawn) // _SHAPES)].head(_SHAPES)
    tiles = [
        Tile(_draw_shapes(roots.crop(path), polygons, landmarks), _caption(path))
        for path, polygons, landmarks in rows(chosen, "crop_path", "polygons", "landmarks")
    ]
    return draw_sheet(arrange_rows(tiles, 4), "masks and landmarks over their crops")


def draw_variants(roots: Roots, manifests: Mapping[str, pd.DataFrame]) -> Picture | None:
    """Draw the same few crops in each variant, one row per variant.

    `manifests` are those of the variants, by name.
    """
    sheet_rows = []
    for name, manifest in manifests.items():
        made = manifest[manifest["reason"].isna()]
        chosen = made.iloc[:: max(1, len(made) // _BESIDE)].head(_BESIDE)
        tiles = [
            Tile(load_thumbnail(roots.crop(file)), (f"{width} x {height}",))
            for file, width, height in rows(chosen, "variant_path", "width", "height")
        ]
        sheet_rows.append(Row(tiles, title=name))
    return draw_sheet(sheet_rows, "the same crops in each variant")


def _draw_shapes(
    path: Path, polygons: Sequence[Sequence[float]], landmarks: Sequence[float]
) -> Image.Image | None:
    """Return a thumbnail of a crop with shapes, which are in pixels of the crop, over it."""
    picture = load_thumbnail(path)
    if picture is None:
        return None
    scale = picture.info["scale"]
    shade = Image.new("L", picture.size)
    draw = ImageDraw.Draw(shade)
    outlines = [[value * scale for value in polygon] for polygon in polygons]
    for outline in outlines:
        draw.polygon(outline, fill=110)
    picture.paste(_MASK, (0, 0, *picture.size), shade)
    draw = ImageDraw.Draw(picture)
    for outline in outlines:
        draw.line([*outline, *outline[:2]], fill=_MASK, width=2)
    for x, y, visibility in zip(landmarks[::3], landmarks[1::3], landmarks[2::3], strict=True):
        if visibility != NOT_LABELLED:
            fill = _POINT if visibility == VISIBLE else None
            draw.circle(
                (x * scale, y * scale), 4, fill, PAPER if fill else _POINT, 1 if fill else 2
            )
    return picture


CAPTIONED: Final = ["sku_id", "category_id", "category_name", "domain", "crop_path"]
"""The columns of `sku_groups` that a contact sheet needs."""


def draw_contact_sheet(sku_root: Path, crops: pd.DataFrame) -> Picture | None:
    """Draw a few SKUs of different categories, a row of catalog crops above a row of query crops.

    `crops` are the rows of `sku_groups` whose crops are on disk, with the columns CAPTIONED. Each
    category is represented by its first SKU.
    """
    tile, gap, across, skus = 112, 8, 3, 6
    firsts = crops.drop_duplicates("category_id")["sku_id"]
    chosen = firsts[:: max(1, len(firsts) // skus)].head(skus)
    if chosen.empty:
        return None
    face = load_font()
    margin = max(round(face.getlength(domain)) for domain in DOMAINS.values()) + gap
    wide, high = margin + across * (tile + gap) + 2 * gap, 2 * (tile + gap) + LINE + APART // 2
    columns = min(2, len(chosen))
    paper = Image.new("RGB", (columns * wide, -(-len(chosen) // columns) * high), PAPER)
    draw = ImageDraw.Draw(paper)
    for position, sku_id in enumerate(chosen):
        left, top = (position % columns) * wide + gap, position // columns * high + gap
        of_sku = crops[crops["sku_id"] == sku_id]
        name = of_sku["category_name"].iloc[0]
        draw.text((left, top), f"{sku_id}  {name}", INK, face)
        for row, domain in enumerate(DOMAINS.values()):
            start = top + LINE + gap + row * (tile + gap)
            draw.text((left, start + tile / 2), domain, FAINT, face, anchor="lm")
            paths = of_sku["crop_path"][of_sku["domain"] == domain].head(across)
            for column, path in enumerate(paths):
                crop = load_thumbnail(sku_root / path, tile)
                if crop is None:  # damaged, with the same size and time: `verify --deep` reports it
                    continue
                x = left + margin + column * (tile + gap) + (tile - crop.width) // 2
                paper.paste(crop, (x, start + (tile - crop.height) // 2))
    return encode_jpeg(paper, "catalog above query")


def draw_heat_map(counts: pd.DataFrame, alt: str) -> Picture | None:
    """Draw a table of counts: darker cells have higher counts, and empty cells have a frame.

    The first two columns name a row. The names of the other columns are two phrases, separated by a
    comma: the heading that several neighbours share, and the heading of the column itself.
    """
    if counts.empty:
        return None
    face, wide, high = load_font(18), 78, 30
    names, cells = counts.columns[:2], counts[counts.columns[2:]]
    labels = [f"{first}, {second}" for first, second in rows(counts, *names)]
    margin = round(max(map(face.getlength, labels))) + 2 * GAP
    most = max(int(cells.to_numpy().max()), 1)
    heads = [str(name).split(", ") for name in cells]
    size = (margin + wide * len(heads) + GAP, 3 * high + high * len(labels) + GAP)
    paper = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(paper)
    for column, (common, own) in enumerate(heads):
        x = margin + column * wide
        if column == 0 or heads[column - 1][0] != common:
            draw.text((x + 4, high / 2), common, INK, face, anchor="lm")
        for line, word in enumerate(textwrap.wrap(own, 8)[:2]):
            draw.text((x + 4, high * (1.4 + 0.8 * line)), word, FAINT, face, anchor="lm")
    for row, (label, values) in enumerate(zip(labels, rows(cells, *cells), strict=True)):
        top = 3 * high + row * high
        draw.text((GAP, top + high / 2), label, INK, face, anchor="lm")
        for column, count in enumerate(values):
            place = (margin + column * wide, top, margin + (column + 1) * wide - 3, top + high - 3)
            depth = (
                count / most
            ) ** 0.5  # keeps a few very high counts from making all others pale
            shade = tuple(round(255 - depth * (255 - full)) for full in _DARKEST)
            draw.rectangle(place, fill=shade, outline=None if count else ALARM, width=2)
            middle = ((place[0] + place[2]) / 2, top + high / 2 - 1)
            colour = ALARM if not count else PAPER if depth > 0.6 else INK
            draw.text(middle, f"{count:,}", colour, face, anchor="mm")
    return encode_jpeg(paper, alt)


def _interleave(*kinds: Iterable[str]) -> list[str]:
    """Return a dozen paths, one of each kind in turn, so that a long list does not hide others."""
    paths = chain.from_iterable(zip_longest(*kinds))
    return [path for path in paths if path is not None][:_CHANGED]


def _caption(path: str) -> tuple[str, str]:
    """Return a caption of two lines for a crop: its SKU, then domain and image."""
    _, domain, sku_id, name = path.split("/")
    return sku_id, f"{domain} {name.split('_')[0]}"

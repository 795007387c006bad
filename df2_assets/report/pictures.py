"""Pictures of crops; None where there is nothing to show.

Of what a check found (from its offenders), of what a build changed, and of a split as a whole.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from df2_assets.dataset.frames import rows
from df2_assets.report.tiles import Picture, Tile, boxed_tile, encoded, grid, sheet, thumbnail
from df2_assets.store.layout import Roots

_WORST: Final = 12
_SKUS: Final = 20
_BESIDE: Final = 5
_CHANGED: Final = 12
_BOX: Final = ["x1", "y1", "x2", "y2"]


def worst_crops(roots: Roots, offenders: pd.DataFrame, value: str, alt: str) -> Picture | None:
    """Draw the first offenders' crops, each with the number that condemns it."""
    tiles = [
        Tile(thumbnail(roots.crop(path)), (f"{image_id} item {item}", f"{value} {number:g}"))
        for path, image_id, item, number in rows(
            offenders.head(_WORST), "crop_path", "image_id", "item_idx", value
        )
    ]
    return sheet(grid(tiles), alt)


def boxes_on_originals(roots: Roots, offenders: pd.DataFrame, alt: str) -> Picture | None:
    """Draw the first offenders of each kind (`what`) on their images; `x1` to `y2` are columns.

    Items without a box are not shown.
    """
    if offenders.empty:
        return None
    boxed = offenders[offenders[_BOX].notna().all(axis=1)]
    each = max(1, _WORST // max(boxed["what"].nunique(), 1))
    chosen = boxed.groupby("what", sort=False).head(each).head(_WORST)
    tiles = [
        boxed_tile(
            roots.images(split) / f"{image_id}.jpg",
            (x1, y1, x2, y2),
            f"{image_id} item {item}",
            what,
        )
        for split, image_id, item, what, x1, y1, x2, y2 in rows(
            chosen, "split", "image_id", "item_idx", "what", *_BOX
        )
    ]
    return sheet(grid(tiles), alt)


def pairs(roots: Roots, offenders: pd.DataFrame, alt: str) -> Picture | None:
    """Draw crops beside those they are like (`like`), each pair once."""
    chosen: dict[frozenset[str], tuple[str, ...]] = {}
    for pair in rows(offenders, "crop_path", "like"):
        chosen.setdefault(frozenset(pair), pair)
    paths = chain.from_iterable([*chosen.values()][:_WORST])
    tiles = [Tile(thumbnail(roots.crop(path)), _caption(path)) for path in paths]
    return sheet(grid(tiles, 4), alt)


def skus_side_by_side(
    roots: Roots, offenders: pd.DataFrame, crop_paths: Sequence[str], alt: str
) -> Picture | None:
    """Draw one row per SKU, the worst first: the crops that stand out, framed, then its others."""
    odd = set(offenders["crop_path"].tolist())
    chosen = list(dict.fromkeys(offenders["sku_id"].tolist()))[:_SKUS]
    of_sku: dict[str, list[str]] = {sku_id: [] for sku_id in chosen}
    for path in crop_paths:
        if (sku_id := path.split("/")[2]) in of_sku:
            of_sku[sku_id].append(path)
    tiles = [
        [
            Tile(thumbnail(roots.crop(path)), _caption(path)[1:], marked=path in odd)
            for path in sorted(paths, key=lambda path: (path not in odd, path))[: _BESIDE + 1]
        ]
        for paths in of_sku.values()
    ]
    return sheet(tiles, alt, titles=chosen)


class BeforeAndAfter:
    """What a build does to crops: a dozen added, removed and remade ones, before and after."""

    def __init__(
        self,
        sku_root: Path,
        on_disk: Collection[str],
        make: Iterable[str],
        remove: Iterable[str],
    ) -> None:
        """Remember crops that are about to be replaced or removed; arguments are paths."""
        self._sku_root = sku_root
        self._on_disk = on_disk
        lost = ([path for path in paths if path in on_disk] for paths in (make, remove))
        self._before = {path: thumbnail(sku_root / path) for path in _in_turn(*lost)}

    def draw(self, made: Sequence[str]) -> Picture | None:
        """Draw before beside after; `made` are the paths of the crops that were made."""
        before, remade = self._before, set(made) & self._before.keys()
        tiles: list[Tile] = []
        for path in _in_turn(
            [path for path in before if path in remade],
            [path for path in before if path not in remade],
            [path for path in made if path not in self._on_disk],
        ):
            sku_id, place = _caption(path)
            was = f"before: {sku_id if path in before else 'nothing'}"
            tiles.append(Tile(before.get(path), (was, place)))
            fate = "remade" if path in remade else "removed" if path in before else "added"
            after = None if fate == "removed" else thumbnail(self._sku_root / path)
            tiles.append(Tile(after, (f"after: {fate}", place)))
        return sheet(grid(tiles), "crops before and after this build")


def contact_sheet(sku_root: Path, crops: pd.DataFrame) -> Picture | None:
    """Draw a few SKUs, catalog crops in a row above query crops, spread over the categories.

    `crops` are rows of `sku_groups` whose crops are on disk. Of a category the first SKU is shown.
    """
    tile, gap, line, across, skus = 96, 6, 14, 4, 6
    firsts = crops.drop_duplicates("category_id")["sku_id"]
    chosen = firsts[:: max(1, len(firsts) // skus)].head(skus)
    if chosen.empty:
        return None
    wide, high = across * (tile + gap) + gap, 2 * (tile + gap) + line + gap
    paper = Image.new("RGB", (2 * wide, -(-len(chosen) // 2) * high), "white")
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(11)
    for position, sku_id in enumerate(chosen):
        left, top = (position % 2) * wide + gap, position // 2 * high
        of_sku = crops[crops["sku_id"] == sku_id]
        name = of_sku["category_name"].iloc[0]
        draw.text((left, top), f"{sku_id}  {name}", fill="black", font=font)
        for row, domain in enumerate(("catalog", "query")):
            paths = of_sku["crop_path"][of_sku["domain"] == domain].head(across)
            for column, path in enumerate(paths):
                crop = thumbnail(sku_root / path, tile)
                if crop is None:  # damaged behind its size and time: `verify --deep` says so
                    continue
                x = left + column * (tile + gap) + (tile - crop.width) // 2
                y = top + line + row * (tile + gap) + (tile - crop.height) // 2
                paper.paste(crop, (x, y))
    return encoded(paper, "catalog above query")


def _in_turn(*kinds: Iterable[str]) -> list[str]:
    """A dozen, one of each kind in turn, so that a long one does not hide the others."""
    paths = chain.from_iterable(zip_longest(*kinds))
    return [path for path in paths if path is not None][:_CHANGED]


def _caption(path: str) -> tuple[str, str]:
    """A crop in two lines: its SKU, then domain and image."""
    _, domain, sku_id, name = path.split("/")
    return sku_id, f"{domain} {name.split('_')[0]}"

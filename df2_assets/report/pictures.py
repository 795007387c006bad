"""Pictures of what a check found, from its offenders: markdown, or None where there are none."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from df2_assets.dataset.frames import rows
from df2_assets.report.tiles import Tile, boxed_tile, crop_tile, grid, sheet
from df2_assets.store.layout import Roots

_WORST: Final = 12
_SKUS: Final = 20
_BESIDE: Final = 5
_BOX: Final = ["x1", "y1", "x2", "y2"]


def worst_crops(roots: Roots, offenders: pd.DataFrame, value: str, alt: str) -> str | None:
    """The first offenders' crops, each with the number that condemns it."""
    tiles = [
        crop_tile(roots.crop(path), f"{image_id} item {item}", f"{value} {shown:g}")
        for path, image_id, item, shown in rows(
            offenders.head(_WORST), "crop_path", "image_id", "item_idx", value
        )
    ]
    return sheet(grid(tiles), alt)


def boxes_on_originals(roots: Roots, offenders: pd.DataFrame, alt: str) -> str | None:
    """The first offenders of each kind on their images; `what` and `x1` to `y2` are columns.

    Items without a box are not shown.
    """
    if offenders.empty:
        return None
    boxed = offenders[offenders[_BOX].notna().all(axis=1)]
    each = max(1, _WORST // max(boxed["what"].nunique(), 1))
    chosen = boxed.groupby("what", sort=False).head(each).head(_WORST)
    tiles = [
        boxed_tile(roots.images(split) / f"{image_id}.jpg", box, f"{image_id} item {item}", what)
        for (split, image_id, item, what), box in zip(
            rows(chosen, "split", "image_id", "item_idx", "what"), rows(chosen, *_BOX), strict=True
        )
    ]
    return sheet(grid(tiles), alt)


def pairs(roots: Roots, offenders: pd.DataFrame, alt: str) -> str | None:
    """Crops beside those they are like (`like`), each pair once."""
    seen: set[frozenset[str]] = set()
    tiles: list[Tile] = []
    for path, like in rows(offenders, "crop_path", "like"):
        if frozenset((path, like)) not in seen and len(tiles) < 2 * _WORST:
            seen.add(frozenset((path, like)))
            tiles += (crop_tile(roots.crop(one), *_named(one)) for one in (path, like))
    return sheet(grid(tiles, 4), alt)


def skus_side_by_side(
    roots: Roots, offenders: pd.DataFrame, crop_paths: Sequence[str], alt: str
) -> str | None:
    """A row a SKU, the worst first: the crops that stand out, framed, then its others."""
    odd = set(offenders["crop_path"].tolist())
    chosen = list(dict.fromkeys(offenders["sku_id"].tolist()))[:_SKUS]
    of_sku: dict[str, list[str]] = {sku_id: [] for sku_id in chosen}
    for path in crop_paths:
        if (sku_id := path.split("/")[2]) in of_sku:
            of_sku[sku_id].append(path)
    shown = [
        [
            crop_tile(roots.crop(path), *_named(path)[1:], marked=path in odd)
            for path in sorted(paths, key=lambda path: (path not in odd, path))[: _BESIDE + 1]
        ]
        for paths in of_sku.values()
    ]
    return sheet(shown, alt, titles=chosen)


def _named(path: str) -> tuple[str, str]:
    """A crop in two lines: its SKU, then domain and image."""
    _, domain, sku_id, name = path.split("/")
    return sku_id, f"{domain} {name.split('_')[0]}"

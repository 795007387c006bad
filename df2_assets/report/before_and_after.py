"""What a build did to crops, seen: a few added, removed and remade ones, before and after."""

from collections.abc import Iterable, Mapping
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

from PIL import Image

from df2_assets.report.tiles import Tile, grid, sheet, thumbnail

_SHOWN: Final = 12


def remembered(
    sku_root: Path, remade: Iterable[str], removed: Iterable[str]
) -> dict[str, Image.Image | None]:
    """Small pictures of crops that are about to be replaced or removed: a dozen at most."""
    some = [path for path in _in_turn(remade, removed) if path is not None][:_SHOWN]
    return {path: thumbnail(sku_root / path) for path in some}


def before_and_after(
    sku_root: Path,
    before: Mapping[str, Image.Image | None],
    made: Iterable[str],
    on_disk: Mapping[str, object],
) -> str | None:
    """Markdown with a dozen crops at most, before beside after; None where nothing changed.

    `before` is of `remembered`; `made` are the paths of crops that were made, `on_disk` of those
    that were there before.
    """
    made = list(made)
    remade = [path for path in before if path in set(made)]
    removed = [path for path in before if path not in set(made)]
    added = [path for path in made if path not in on_disk]
    chosen = [path for path in _in_turn(remade, removed, added) if path is not None][:_SHOWN]
    tiles: list[Tile] = []
    for path in chosen:
        domain, sku_id, name = path.split("/")[1:]
        label = (sku_id, f"{domain} {name.split('_')[0]}")
        if path in before:
            tiles.append(Tile(before[path], (f"before: {label[0]}", label[1])))
        else:
            tiles.append(Tile(None, ("before: nothing", label[1])))
        if path in removed:
            tiles.append(Tile(None, ("after: removed", label[1])))
        else:
            fate = "added" if path in added else "remade"
            tiles.append(Tile(thumbnail(sku_root / path), (f"after: {fate}", label[1])))
    return sheet(grid(tiles), "crops before and after this build")


def _in_turn(*kinds: Iterable[str]) -> Iterable[str | None]:
    """One of each kind in turn, so that a long one does not hide the others."""
    return chain.from_iterable(zip_longest(*kinds))

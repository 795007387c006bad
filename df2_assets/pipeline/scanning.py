"""Crops of a split listed and looked up on worker processes: each file costs system calls."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.shards import map_shards
from df2_assets.store.location import store_at
from df2_assets.store.store import Status

if TYPE_CHECKING:
    from df2_assets.store.crop_tree import CropTree
    from df2_assets.store.layout import Roots

_SHARD: Final = 200
_FEW: Final = 1_000
"""Fewer folders than this are listed faster by this process than by workers that have to start."""

_PATHS: Final = 2_000
"""Crops per shard that are looked up. Fewer than five shards are not worth starting workers."""

_Entry = tuple[str, Status | None]
"""What `Store.walk` yields, relative to the folder of the split."""


class FolderShard(NamedTuple):
    """Folders of SKUs to list, by their names below the folder of a split."""

    split_folder: str
    names: list[str]


class PathShard(NamedTuple):
    """Crops to look up, by their paths relative to SKU_ROOT, in the folder of a split."""

    sku_root: str
    split_folder: str
    crop_paths: list[str]


def scan_crops(roots: "Roots", split: str, engine: Engine) -> "CropTree":
    """Return what `crop_tree.scan` does, with the files of many SKUs listed on `engine`.

    Raises OutputError as that does.
    """
    from df2_assets.store.crop_tree import is_own, scan, sort_entries

    if not roots.sku.has_folders:
        return scan(roots, split)
    entries: list[_Entry] = []
    names: list[str] = []
    domains = roots.sku.walk(roots.crops(split), lambda name: "/" not in name and is_own(name))
    for below, status in domains:
        if status is None and "/" in below and is_own(below):
            names.append(below)
        else:
            entries.append((below, status))
    shard = FolderShard(str(roots.crops(split)), sorted(names))
    entries += list_folders(shard) if len(names) < _FEW else _list_on(engine, shard)
    return sort_entries(split, entries)


def list_folders(shard: FolderShard) -> list[_Entry]:
    """Return what lies in each folder of the shard; an empty folder itself, with None."""
    entries: list[_Entry] = []
    for name in shard.names:
        walk = store_at(shard.split_folder).walk(f"{shard.split_folder}/{name}", lambda _: False)
        inside: list[_Entry] = [(f"{name}/{below}", status) for below, status in walk]
        entries += inside or [(name, None)]
    return entries


def _list_on(engine: Engine, whole: FolderShard) -> Iterator[_Entry]:
    with closing(map_shards(engine, list_folders, whole, _SHARD)) as results:
        for shard, result in results:
            yield from list_folders(shard) if isinstance(result, Lost) else result


def missing_crops(roots: "Roots", split: str, crop_paths: list[str], engine: Engine) -> list[str]:
    """Return those of `crop_paths` at which there is no file, looked up on `engine`."""
    whole = PathShard(str(roots.sku_root), str(roots.crops(split)), crop_paths)
    if not roots.sku.has_folders or len(crop_paths) < 5 * _PATHS:
        return find_missing(whole)
    missing: list[str] = []
    with closing(map_shards(engine, find_missing, whole, _PATHS)) as results:
        for shard, result in results:
            missing += find_missing(shard) if isinstance(result, Lost) else result
    return missing


def find_missing(shard: PathShard) -> list[str]:
    """Return those paths of the shard at which there is no file."""
    is_file = store_at(shard.sku_root).lookup(shard.sku_root, shard.split_folder)
    return [path for path in shard.crop_paths if not is_file(path)]

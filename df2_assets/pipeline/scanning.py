"""Files of a split listed and looked up on worker processes: each file costs system calls."""

from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from df2_assets.engines.base import Engine, Lost, R
from df2_assets.engines.shards import map_shards
from df2_assets.store.location import store_at
from df2_assets.store.store import Status, file_status

if TYPE_CHECKING:
    from df2_assets.store.crop_sets import CropSet
    from df2_assets.store.crop_tree import CropTree
    from df2_assets.store.layout import Roots
    from df2_assets.store.listing import Listing

_FOLDERS: Final = 200
_FILES: Final = 2_000
"""Folders and files per shard."""

_FEW: Final = 5
"""Fewer full shards than this take less time here than in workers that have to start."""

S = TypeVar("S", bound=tuple[Any, ...])

_Entry = tuple[str, Status | None]
"""What `Store.walk` yields, relative to the folder of the set."""


class FolderShard(NamedTuple):
    """Folders of SKUs to list, by their names below the folder of a set of crops."""

    set_folder: str
    names: list[str]


class FileShard(NamedTuple):
    """Files to look up, by their names in a folder."""

    folder: str
    names: list[str]


class PathShard(NamedTuple):
    """Crops to look up, by their paths relative to SKU_ROOT, in the folder of a split."""

    sku_root: str
    split_folder: str
    crop_paths: list[str]


def list_input(roots: "Roots", split: str, engine: Engine) -> "Listing":
    """Return what `listing.scan` does, with the files looked up on `engine`.

    Raises LayoutError as that does.
    """
    from df2_assets.store.listing import scan

    return scan(roots, split, partial(_stat_on, engine))


def _stat_on(engine: Engine, folder: Path, names: list[str]) -> tuple[list[str], bytes]:
    """Return `names` in any order, and their stamps in the same order, as `listing.Stat` does."""
    results = [*_map(engine, stat_files, FileShard(str(folder), names), _FILES)]
    names = [*chain.from_iterable(shard.names for shard, _ in results)]
    return names, b"".join(stamps for _, stamps in results)


def stat_files(shard: FileShard) -> bytes:
    """Return size and time of each file, one after the other, as 64-bit integers."""
    store = store_at(shard.folder)
    files = (file_status(store, f"{shard.folder}/{name}") for name in shard.names)
    return array("q", chain.from_iterable(files)).tobytes()


def scan_crops(roots: "Roots", crops: "CropSet", engine: Engine) -> "CropTree":
    """Return what `crop_tree.scan` does, with the files of many SKUs listed on `engine`.

    Raises OutputError as that does.
    """
    from df2_assets.store.crop_tree import is_own, scan, sort_entries

    if not roots.sku.has_folders:
        return scan(roots, crops)
    entries: list[_Entry] = []
    names: list[str] = []
    folder = roots.crop(crops.folder)
    domains = roots.sku.walk(folder, lambda name: "/" not in name and is_own(name))
    for below, status in domains:
        if status is None and "/" in below and is_own(below):
            names.append(below)
        else:
            entries.append((below, status))
    shard = FolderShard(str(folder), sorted(names))
    for _, inside in _map(engine, list_folders, shard, _FOLDERS):
        entries += inside
    return sort_entries(crops, entries)


def list_folders(shard: FolderShard) -> list[_Entry]:
    """Return what lies in each folder of the shard; an empty folder itself, with None."""
    entries: list[_Entry] = []
    for name in shard.names:
        walk = store_at(shard.set_folder).walk(f"{shard.set_folder}/{name}", lambda _: False)
        inside: list[_Entry] = [(f"{name}/{below}", status) for below, status in walk]
        entries += inside or [(name, None)]
    return entries


def missing_crops(roots: "Roots", split: str, crop_paths: list[str], engine: Engine) -> list[str]:
    """Return those of `crop_paths` at which there is no file, looked up on `engine`."""
    whole = PathShard(str(roots.sku_root), str(roots.crops(split)), crop_paths)
    if not roots.sku.has_folders:
        return find_missing(whole)
    results = _map(engine, find_missing, whole, _FILES)
    return [*chain.from_iterable(missing for _, missing in results)]


def find_missing(shard: PathShard) -> list[str]:
    """Return those paths of the shard at which there is no file."""
    is_file = store_at(shard.sku_root).lookup(shard.sku_root, shard.split_folder)
    return [path for path in shard.crop_paths if not is_file(path)]


def _map(engine: Engine, function: Callable[[S], R], whole: S, size: int) -> Iterator[tuple[S, R]]:
    """Yield the shards of `whole` with their results, in any order; a lost one is done here."""
    if len(whole[-1]) < _FEW * size:
        yield whole, function(whole)
        return
    with closing(map_shards(engine, function, whole, size)) as results:
        for shard, result in results:
            yield shard, function(shard) if isinstance(result, Lost) else result

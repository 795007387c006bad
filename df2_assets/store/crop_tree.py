"""What lies under a split's `catalog` and `query`: crops, and what is not the project's."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from df2_assets.dataset.skus import CROP_NAME, SKU_ID
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.errors import OutputError
from df2_assets.store.files import temporary_name
from df2_assets.store.layout import Roots


@dataclass
class CropTree:
    """What a scan found; every path is relative to SKU_ROOT.

    `crops`: path -> (bytes, mtime_ns), for every name of the contract. `temporary`: crops that a
    killed build left half-written. `empty`: SKU folders with nothing in them. `foreign`: anything
    else, which is never touched.
    """

    crops: dict[str, tuple[int, int]] = field(default_factory=dict)
    temporary: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def scan(roots: Roots, split: str) -> CropTree:
    """List the split's crops. Raises OutputError where a link leads out of SKU_ROOT."""
    tree = CropTree()
    _refuse_link(roots.sku_root / split)
    for domain in DOMAINS.values():
        top = f"{split}/{domain}"
        _refuse_link(roots.sku_root / top)
        for entry in _entries(roots.sku_root / top):
            folder = f"{top}/{entry.name}"
            if SKU_ID.fullmatch(entry.name) and entry.is_dir():
                if entry.is_symlink():
                    _refuse_link(Path(entry.path))
                _scan_sku(tree, folder, entry.path)
            else:
                tree.foreign.append(folder)
    tree.foreign.sort()
    return tree


def _scan_sku(tree: CropTree, folder: str, path: str) -> None:
    with os.scandir(path) as scanned:
        entries = list(scanned)
    for entry in entries:
        name = f"{folder}/{entry.name}"
        if not entry.is_file(follow_symlinks=False):
            tree.foreign.append(name)
        elif CROP_NAME.fullmatch(entry.name):
            status = entry.stat(follow_symlinks=False)
            tree.crops[name] = (status.st_size, status.st_mtime_ns)
        elif _is_temporary(entry.name):
            tree.temporary.append(name)
        else:
            tree.foreign.append(name)
    if not entries:
        tree.empty.append(folder)


def remove(roots: Roots, paths: Iterable[str]) -> None:
    """Delete files, and the folders of SKUs, domains and splits that this leaves empty."""
    folders = set()
    for path in paths:
        (roots.sku_root / path).unlink(missing_ok=True)
        folders.add(os.path.dirname(path))
    remove_empty(roots, folders)


def remove_empty(roots: Roots, folders: Iterable[str]) -> None:
    """Delete those of `folders` that are empty, and those above them that this empties."""
    for folder in folders:
        while folder:
            try:
                (roots.sku_root / folder).rmdir()
            except OSError:
                break
            folder = os.path.dirname(folder)


def _is_temporary(name: str) -> bool:
    crop = name[1:].removesuffix(".tmp")
    return name == temporary_name(crop) and CROP_NAME.fullmatch(crop) is not None


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from entries


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise OutputError(f"{path} is a link: crops are only written to real folders. Remove it.")

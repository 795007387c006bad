"""What lies under a split's `catalog` and `query`: crops, and what is not the project's."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from df2_assets.dataset.skus import CROP_NAME, SKU_ID
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.store.files import require_real_folder, status_of, temporary_name, under
from df2_assets.store.layout import Roots
from df2_assets.store.objects.client import stamp
from df2_assets.store.objects.path import ObjectPath
from df2_assets.store.system_files import is_in_system_folder, is_system_file


@dataclass
class CropTree:
    """What a scan found; every path is relative to SKU_ROOT.

    `crops`: path -> (bytes, mtime_ns or, of an object, its stamp), for every name of the contract.
    `temporary`: crops that a killed build left half-written. `empty`: SKU folders with nothing in
    them. `system`: files and folders of operating systems and file servers, which are ignored.
    `foreign`: anything else, which is never touched. `copied`: crops for which `crops` has the
    recorded time instead of their own, since their bytes are the recorded ones; none after a scan.
    """

    crops: dict[str, tuple[int, int]] = field(default_factory=dict)
    temporary: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    system: list[str] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)


def scan(roots: Roots, split: str) -> CropTree:
    """List the split's crops. Raises OutputError where a link leads out of SKU_ROOT."""
    root = roots.sku_root
    if isinstance(root, ObjectPath):
        return _scan_objects(root, split)
    return _scan_folders(root, split)


def _scan_folders(root: Path, split: str) -> CropTree:
    tree = CropTree()
    require_real_folder(root / split)
    for entry in _entries(root / split):
        if is_system_file(entry.name):
            tree.system.append(f"{split}/{entry.name}")
    for domain in DOMAINS.values():
        top = f"{split}/{domain}"
        require_real_folder(root / top)
        for entry in _entries(root / top):
            folder = f"{top}/{entry.name}"
            if is_system_file(entry.name):
                tree.system.append(folder)
            elif SKU_ID.fullmatch(entry.name) and entry.is_dir():
                if entry.is_symlink():
                    require_real_folder(Path(entry.path))
                _scan_sku(tree, folder, entry.path)
            else:
                tree.foreign.append(folder)
    tree.foreign.sort()
    tree.system.sort()
    return tree


def _scan_sku(tree: CropTree, folder: str, path: str) -> None:
    with os.scandir(path) as scanned:
        entries = list(scanned)
    for entry in entries:
        name = f"{folder}/{entry.name}"
        if is_system_file(entry.name):
            tree.system.append(name)
        elif not entry.is_file(follow_symlinks=False):
            tree.foreign.append(name)
        elif CROP_NAME.fullmatch(entry.name):
            tree.crops[name] = status_of(entry.stat(follow_symlinks=False))
        elif _is_temporary(entry.name):
            tree.temporary.append(name)
        else:
            tree.foreign.append(name)
    if not entries:
        tree.empty.append(folder)


def lookup(roots: Roots, split: str) -> Callable[[str], bool]:
    """Whether a file is there, by its path relative to SKU_ROOT."""
    if isinstance(roots.sku_root, ObjectPath):
        return {f"{split}/{name}" for name in under(roots.crops(split))}.__contains__
    root = str(roots.sku_root)
    return lambda path: os.path.isfile(f"{root}/{path}")


def _scan_objects(root: ObjectPath, split: str) -> CropTree:
    """What the names say of all objects below the split: there are no folders, and no links."""
    tree = CropTree()
    foreign = set()
    top = root / split
    for found in top.client.listed(top.key, deep=True):
        if is_in_system_folder(found.name):
            tree.system.append(f"{split}/{found.name}")
            continue
        domain, _, rest = found.name.partition("/")
        sku_id, _, name = rest.partition("/")
        if domain not in DOMAINS.values() or not rest:
            continue
        if not (name and SKU_ID.fullmatch(sku_id)):
            foreign.add(f"{split}/{domain}/{sku_id}")
        elif CROP_NAME.fullmatch(name):
            tree.crops[f"{split}/{found.name}"] = found.size or 0, stamp(found.tag)
        else:
            foreign.add(f"{split}/{domain}/{sku_id}/{name.partition('/')[0]}")
    tree.foreign = sorted(foreign)
    tree.system.sort()
    return tree


def _is_temporary(name: str) -> bool:
    crop = name[1:].removesuffix(".tmp")
    return name == temporary_name(crop) and CROP_NAME.fullmatch(crop) is not None


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from entries

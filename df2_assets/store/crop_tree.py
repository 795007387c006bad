"""The files under `catalog` and `query` of a set of crops, foreign files and views included."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from df2_assets.dataset.skus import CROP_PLACE, CROP_STEM, SKU_ID
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.store.crop_sets import CropSet
from df2_assets.store.layout import Roots
from df2_assets.store.store import NOT_A_FILE, Status, temporary_name
from df2_assets.store.system_files import is_system_file

_VIEW: Final = re.compile(rf"{DOMAINS['shop']}_.+", re.DOTALL)
"""The folders beside `catalog` to which the original recipe's generators write: `catalog_dit`."""


@dataclass
class CropTree:
    """The result of a scan. Every path is relative to SKU_ROOT.

    `crops`: path -> (bytes, mtime_ns or, of an object, its stamp), for every name of a crop.
    `temporary`: crops that a killed build left half-written. `empty`: SKU folders with nothing in
    them. `system`: files and folders of operating systems and file servers, which are ignored.
    `foreign`: anything else, which is never touched. `views`: folders of generated views beside
    `catalog`, which are foreign too, but allowed: nothing in them is looked at. `copied`: crops for
    which `crops` has the recorded time instead of their own, since their bytes are the recorded
    ones; none after a scan.
    """

    crops: dict[str, tuple[int, int]] = field(default_factory=dict)
    temporary: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    system: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)


def scan(roots: Roots, crops: CropSet) -> CropTree:
    """List the files of a set of crops. Raises OutputError where a link leads out of SKU_ROOT."""
    return sort_entries(crops, roots.sku.walk(roots.crop(crops.folder), is_own))


def sort_entries(crops: CropSet, entries: Iterable[tuple[str, Status | None]]) -> CropTree:
    """Return the tree of what `Store.walk` yields for the folder of a set, entering `is_own`."""
    tree = CropTree()
    is_crop = re.compile(CROP_PLACE + crops.suffix, re.ASCII).fullmatch
    is_name = re.compile(CROP_STEM + crops.suffix, re.ASCII).fullmatch
    for below, status in entries:
        path = f"{crops.folder}/{below}"
        is_file = status is not None and status[0] != NOT_A_FILE
        if status and is_file and is_crop(below):
            tree.crops[path] = status
            continue
        parents, _, name = below.rpartition("/")
        if is_system_file(name):
            tree.system.append(path)
        elif not parents and crops.is_contract:  # only views are looked at beside `catalog`
            if status is None and _VIEW.fullmatch(name):
                tree.views.append(path)
        elif is_file and name == temporary_name(crop := name[1:-4]) and is_name(crop):
            tree.temporary.append(path)
        elif status is None and is_own(below):
            tree.empty.append(path)
        else:
            tree.foreign.append(path)
    tree.foreign.sort()
    tree.system.sort()
    tree.views.sort()
    return tree


def is_own(folder: str) -> bool:
    """Return whether a folder below a split has the name of a domain or of a SKU."""
    domain, slash, sku_id = folder.partition("/")
    is_domain = domain in DOMAINS.values()
    return is_domain and (not slash or SKU_ID.fullmatch(sku_id) is not None)

"""Snapshots of the files of a build: their bytes, and whether they were written again."""

import json
from pathlib import Path
from typing import NamedTuple

from df2_assets_tests.support.compare import tree

ENDS = ("_sku_metadata.json", "_image_text.jsonl")


class Stamp(NamedTuple):
    """Differs if a file was written again, even with the same bytes."""

    inode: int
    mtime_ns: int
    size: int


def contract(sku_root: Path, split: str = "train") -> dict[str, bytes | None]:
    """Return all contract files of a split by path, with the name of SKU_ROOT replaced."""
    own_name = json.dumps(str(sku_root)).encode()
    documents = {
        f"{split}{end}": (sku_root / f"{split}{end}").read_bytes().replace(own_name, b'"SKU_ROOT"')
        for end in ENDS
    }
    return tree(sku_root, split) | documents


def stamps(sku_root: Path, split: str = "train") -> dict[str, Stamp]:
    """Return the stamps of all crops, contract files and states of a split, by path."""
    paths = [path for path in (sku_root / split).rglob("*") if path.is_file()]
    paths += [sku_root / f"{split}{end}" for end in ENDS]
    paths.append(sku_root / "_df2_assets" / "state" / f"{split}.json")
    return {path.relative_to(sku_root).as_posix(): stamp(path) for path in paths if path.exists()}


def crop_stamps(sku_root: Path, split: str = "train") -> dict[str, Stamp]:
    """Return the stamps of all files under `catalog` and `query` of a split, by path."""
    found = stamps(sku_root, split).items()
    return {
        path.removeprefix(f"{split}/"): at for path, at in found if path.startswith(f"{split}/")
    }


def stamp(path: Path) -> Stamp:
    status = path.lstat()
    return Stamp(status.st_ino, status.st_mtime_ns, status.st_size)

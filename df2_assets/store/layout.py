"""Where everything lies under the two roots, and which roots are refused."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, SPLITS
from df2_assets.errors import LayoutError, RootsError, inert
from df2_assets.store.location import names
from df2_assets.store.objects.path import ObjectPath

OWN_FOLDER: Final = "_df2_assets"
"""The folder under SKU_ROOT with everything that is not part of the contract."""

TABLES_FOLDER: Final = "tables"
"""The folder in it with the tables of all assets."""


@dataclass(frozen=True)
class Roots:
    """Every path under the two roots.

    `df2_root` and `sku_root` are absolute; `out_root` is SKU_ROOT as it was given.
    """

    df2_root: Path
    sku_root: Path
    out_root: str

    def images(self, split: str) -> Path:
        return self.df2_root / split / "image"

    def annotations(self, split: str) -> Path:
        return self.df2_root / split / "annos"

    def sku_metadata(self, split: str) -> Path:
        return self.sku_root / f"{split}_sku_metadata.json"

    def image_text(self, split: str) -> Path:
        return self.sku_root / f"{split}_image_text.jsonl"

    def crops(self, split: str) -> Path:
        """The folder with the split's `catalog` and `query`."""
        return self.sku_root / split

    def crop(self, crop_path: str) -> Path:
        """A crop, by its path relative to SKU_ROOT as tables and documents have it."""
        return self.sku_root / crop_path

    @property
    def own(self) -> Path:
        """Everything of the project's that is not part of the contract."""
        return self.sku_root / OWN_FOLDER

    def checksums(self, split: str) -> Path:
        """Digests of the contract's files, in the form of `sha256sum`."""
        return self.own / f"{split}.sha256"

    def tables(self, asset: str) -> Path:
        """The folder with the tables of an asset."""
        return self.own / TABLES_FOLDER / asset

    def table(self, asset: str, split: str) -> Path:
        return self.tables(asset) / f"{split}.parquet"

    def journal(self, split: str) -> Path:
        """Rows of the manifest that a running, or killed, build has finished."""
        return self.table("crops", split).with_suffix(".journal")

    def finding(self, asset: str, check: str, split: str) -> Path:
        """What a check found when it last ran."""
        return self.own / "checks" / f"{asset}.{check}" / f"{split}.json"

    def findings(self, split: str) -> list[Path]:
        """The findings of all checks that are on disk, sorted."""
        return sorted((self.own / "checks").glob(f"*/{split}.json"))

    def offenders(self, asset: str, check: str, split: str) -> Path:
        """All offenders of a finding, beside it."""
        return self.finding(asset, check, split).with_suffix(".parquet")

    @property
    def exports(self) -> Path:
        return self.own / "exports"

    def export(self, name: str, split: str) -> Path:
        """The folder of an export; its record and its digests lie beside it."""
        return self.exports / name / split

    def export_record(self, name: str, split: str) -> Path:
        return self.export(name, split).with_suffix(".json")

    def export_digests(self, name: str, split: str) -> Path:
        """In the form of `sha256sum`, for `sha256sum -c` in SKU_ROOT."""
        return self.export(name, split).with_suffix(".sha256")

    def gallery(self, split: str) -> Path:
        """The page of a split's gallery, in a folder of its own."""
        return self.own / "report" / split / "index.html"

    @property
    def gallery_list(self) -> Path:
        """A script that tells each gallery which others lie beside it."""
        return self.own / "report" / "splits.js"

    def pictures(self, kind: str, split: str) -> Path:
        """The folder with the latest pictures of one kind, beside the galleries."""
        return self.own / "report" / "pictures" / kind / split

    def state(self, split: str) -> Path:
        return self.own / "state" / f"{split}.json"

    def lock(self, split: str) -> Path:
        return self.own / "locks" / f"{split}.lock"

    def lock_holder(self, split: str) -> Path:
        """Who holds the lock, where it is a file."""
        return self.lock(split).with_suffix(".json")


def require_safe_roots(roots: Roots) -> None:
    """Raise RootsError where writing to SKU_ROOT could touch DF2_ROOT, the home or the root."""
    df2, sku = roots.df2_root.resolve(), roots.sku_root.resolve()
    if not isinstance(sku, ObjectPath):
        _require_folder(sku)
    if _lie_together(df2, sku):
        raise RootsError(
            f"SKU_ROOT ({sku}) and DF2_ROOT ({df2}) are the same or one lies in the other; "
            "set SKU_ROOT to a folder of its own."
        )


def _require_folder(sku: Path) -> None:
    if sku.exists() and not sku.is_dir():
        raise RootsError(f"SKU_ROOT ({sku}) is not a folder; set it to a folder of its own.")
    if sku in (Path(sku.anchor), Path.home().resolve()):
        raise RootsError(f"SKU_ROOT is {sku}; set it to a folder of its own.")


def _lie_together(df2: Path, sku: Path) -> bool:
    if isinstance(df2, ObjectPath) and isinstance(sku, ObjectPath):
        (store, source), (other, result) = df2.place, sku.place
        together = result.is_relative_to(source) or source.is_relative_to(result)
        return store == other and together
    if isinstance(df2, ObjectPath) or isinstance(sku, ObjectPath):
        return False
    inputs = [df2 / split / kind for split in SPLITS for kind in ("image", "annos")]
    return _within(sku, df2) or any(_within(place, sku) for place in (df2, *inputs))


def require_no_links(roots: Roots) -> None:
    """Raise RootsError where a link among the project's own files leads to files of others."""
    if isinstance(roots.own, ObjectPath):
        return
    folders = ("checks", "locks", "state", TABLES_FOLDER, "report/pictures")
    places = [roots.own / name for name in folders]
    within = (path for place in places for path in place.rglob("*"))
    for path in (roots.own, roots.own / "report", *places, *within):
        if path.is_symlink():
            raise RootsError(f"{path} is a link: records are only kept in real folders. Remove it.")


def _within(inner: Path, outer: Path) -> bool:
    """Whether a folder is another one or lies in it, also by another path to the same disk."""
    return any(
        path == outer or (os.path.exists(path) and os.path.exists(outer) and path.samefile(outer))
        for path in (inner, *inner.parents)
    )


def require_input(roots: Roots, split: str) -> None:
    """Raise LayoutError where a folder that the split needs is not there, or may not be read.

    `test` was released without annotations: nothing of it is needed.
    """
    if split not in ANNOTATED_SPLITS:
        return
    root = roots.df2_root
    wanted = f"the folder that holds {split}/image and {split}/annos"
    if isinstance(root, ObjectPath):
        _require_objects(roots, split, wanted)
        return
    if not root.is_dir():
        raise LayoutError(f"DF2_ROOT ({root}) is not there. Set it to {wanted}.")
    folders = [root / split / kind for kind in ("image", "annos")]
    for folder in (root, root / split, *folders):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
            raise LayoutError(f"{folder} cannot be read: give this user the right to read it.")
    for folder in folders:
        if not folder.is_dir():
            raise LayoutError(f"{folder} is not there. {_remedy(root, split)}")


def _require_objects(roots: Roots, split: str, wanted: str) -> None:
    for folder in (roots.images(split), roots.annotations(split)):
        if not folder.is_dir():
            found = ", ".join(sorted(map(inert, names(roots.df2_root)))[:5]) or "nothing"
            raise LayoutError(
                f"Nothing lies under {folder}. Found {found} under {roots.df2_root}: set DF2_ROOT "
                f"to {wanted}."
            )


def _remedy(root: Path, split: str) -> str:
    """What was found instead, and what to do about it."""
    nested = root / split / split
    if nested.is_dir():
        return f"Found one level too many: move the content of {nested} up into {root / split}."
    inner = next((p.parent for p in root.glob(f"*/{split}") if (p / "image").is_dir()), None)
    if inner is not None:
        return f"The data set is one level below: set DF2_ROOT={inner}."
    if root.name == split and (root / "image").is_dir():
        return f"DF2_ROOT names a split: set DF2_ROOT={root.parent}."
    archives = sorted(p.name for p in root.glob("*.zip"))
    if archives:
        return f"Found {', '.join(archives[:3])}, not unpacked: unzip it in {root}."
    place = root / split if (root / split).is_dir() else root
    found = ", ".join(sorted(inert(p.name) for p in place.iterdir())[:5]) or "nothing"
    return (
        f"Found {found} in {place}; set DF2_ROOT to the folder that holds {split}/image and "
        f"{split}/annos."
    )

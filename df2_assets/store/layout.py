"""Where everything lies under the two roots, and which roots are refused."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Final

from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, SPLITS
from df2_assets.errors import LayoutError, RootsError, escape_untrusted
from df2_assets.store.location import Location, store_at
from df2_assets.store.store import Store
from df2_assets.store.system_files import is_system_file

OWN_FOLDER: Final = "_df2_assets"
"""The folder under SKU_ROOT with everything that is not part of the contract."""

TABLES_FOLDER: Final = "tables"
"""The folder in it with the tables of all assets."""

IMAGE: Final = ".jpg"
ANNOTATION: Final = ".json"
"""How the names of images and annotations end, after six digits."""

_NUMBERS: Final = {1: "one level", 2: "two levels", 3: "three levels"}
_LEVELS: Final = len(_NUMBERS)
"""Levels above and below DF2_ROOT on which a split is looked for."""

_LOOKED_AT: Final = 1_000
"""Entries of a folder, and folders of a level, that are looked at to find a split."""

_NAMED: Final = 5
"""Names that a message shows."""


@dataclass(frozen=True)
class Roots:
    """Every path under the two roots, and the stores in which they lie.

    `df2_root` and `sku_root` are absolute; `out_root` is SKU_ROOT as it was given.
    """

    df2_root: Path
    sku_root: Path
    out_root: str

    def __post_init__(self) -> None:
        for name in ("df2_root", "sku_root"):
            object.__setattr__(self, name, Location(getattr(self, name)))

    @property
    def df2(self) -> Store:
        return store_at(self.df2_root)

    @property
    def sku(self) -> Store:
        return store_at(self.sku_root)

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

    @property
    def declaration(self) -> Path:
        """What the data set was declared with, for builds that do not say."""
        return self.own / "declaration.json"

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
        folder = self.own / "checks"
        names = (name for name, _ in self.sku.walk(folder) if name.endswith(f"/{split}.json"))
        return [folder / name for name in sorted(names)]

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

    def run(self, asset: str, split: str) -> Path:
        """The record of the run that last materialized an asset."""
        return self.own / "runs" / asset / f"{split}.json"

    def lock(self, split: str) -> Path:
        return self.own / "locks" / f"{split}.lock"

    def own_folders(self) -> dict[Path, bool]:
        """The folders of the project's records, and whether all in them is the project's."""
        deep = ("checks", "locks", "runs", "state", TABLES_FOLDER, "report/pictures")
        folders = {self.own: False, self.own / "report": False}
        return folders | {self.own / name: True for name in deep}


def require_safe_roots(roots: Roots) -> None:
    """Raise RootsError where writing to SKU_ROOT could touch DF2_ROOT, the home or the root."""
    roots.sku.require_usable(roots.sku_root)
    df2, sku = roots.df2_root.resolve(), roots.sku_root.resolve()
    inputs = [df2 / split / kind for split in SPLITS for kind in ("image", "annos")]
    if _lies_in(sku, df2) or any(_lies_in(place, sku) for place in (df2, *inputs)):
        # Whoever takes the folder of both for DF2_ROOT wants to know the right one.
        places = () if _holds_any(df2) else (_find_elsewhere(df2, split) for split in SPLITS)
        elsewhere = next(filter(None, places), None)
        raise RootsError(
            f"SKU_ROOT ({sku}) and DF2_ROOT ({df2}) are the same or one lies in the other; "
            + (elsewhere or "set SKU_ROOT to a folder of its own.")
        )


def _lies_in(inner: Path, outer: Path) -> bool:
    """Whether a folder is another one or lies in it, also by another path to the same disk."""
    store = store_at(outer)
    return any(store.is_same(path, outer) for path in (inner, *inner.parents))


def require_input(roots: Roots, split: str) -> None:
    """Raise LayoutError where DF2_ROOT does not hold the split, naming what lies there instead.

    A folder is missing, may not be read, or has no name of an image or an annotation in it. `test`
    was released without annotations: it needs DF2_ROOT alone, at the right level.
    """
    root = roots.df2_root
    if not root.is_dir():
        state = "is not a folder" if root.exists() else "is not there"
        raise LayoutError(f"DF2_ROOT ({root}) {state}. {_remedy(root, split)}")
    folders = [roots.images(split), roots.annotations(split)]
    for folder in (root, root / split, *folders):
        if not roots.df2.may_read(folder):
            raise LayoutError(f"{folder} cannot be read: give this user the right to read it.")
    if split not in ANNOTATED_SPLITS:
        is_right = (root / split).is_dir() or _holds_any(root)
        elsewhere = None if is_right else _find_elsewhere(root, split)
        if elsewhere:
            raise LayoutError(f"{root / split} is not there. {elsewhere}")
        return
    for folder in folders:
        if not folder.is_dir():
            raise LayoutError(f"{folder} is not there. {_remedy(root, split)}")
    _require_any(*folders)


def image_id_of(name: str, suffix: str) -> str | None:
    """Return the six digits of a name; None where it is not those and the suffix."""
    stem = name[:6]
    return stem if name[6:] == suffix and stem.isascii() and stem.isdigit() else None


def _subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, without those of systems; none where it cannot be read.

    Of a folder with more than 1,000 of them only as many are looked at.
    """
    inside = islice(store_at(folder).folders(folder), _LOOKED_AT)
    return [folder / name for name in sorted(inside) if not is_system_file(name)]


def _require_any(images: Path, annotations: Path) -> None:
    """Raise LayoutError where a folder has names, and none of them is six digits and the ending.

    An empty folder is the business of a check.
    """
    for folder, suffix in ((images, IMAGE), (annotations, ANNOTATION)):
        if _is_any_right(folder, suffix):
            continue
        inside = [name for name in _names(folder) if not is_system_file(name)]
        if inside:
            raise LayoutError(_describe_other_names(folder, suffix, inside))


def _describe_other_names(folder: Path, suffix: str, inside: list[str]) -> str:
    """Return what lies in a folder instead of names of six digits, and what to do."""
    nested = next((inner for inner in _subfolders(folder) if _is_any_right(inner, suffix)), None)
    remedy = f"Rename them, or unpack {folder.parent.name} again."
    if nested:
        remedy = f"Move the content of {nested} up into {folder}"
    return (
        f"In {folder} no name is six digits and {suffix}, such as 000001{suffix}. Found "
        f"{len(inside):,}: {_first_names(inside)}. {remedy}"
    )


def _is_any_right(folder: Path, suffix: str) -> bool:
    return any(image_id_of(name, suffix) for name, _ in store_at(folder).files(folder))


def _names(folder: Path) -> Iterator[str]:
    return store_at(folder).names(folder)


def _first_names(inside: Iterable[str]) -> str:
    """Return the first names of a folder, for a message, and how many more there are."""
    ordered = sorted(name for name in inside if not is_system_file(name))
    shown = ", ".join(map(escape_untrusted, ordered[:_NAMED])) or "nothing"
    more = len(ordered) - _NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown


def _remedy(root: Path, split: str) -> str:
    """Return what lies there instead of the split, and what to do about it."""
    elsewhere = _find_elsewhere(root, split)
    if elsewhere:
        return elsewhere
    wanted = f"the folder that holds {split}/image"
    if split in ANNOTATED_SPLITS:
        wanted += f" and {split}/annos"
    if not root.is_dir():
        return f"Set it to {wanted}."
    archives = sorted(name for name in _names(root) if name.lower().endswith(".zip"))
    if archives:
        return f"Found {_first_names(archives)}, not unpacked: unzip it in {root}"
    place = root / split if (root / split).is_dir() else root
    return f"Found {_first_names(_names(place))} in {place}; set DF2_ROOT to {wanted}."


def _find_elsewhere(root: Path, split: str) -> str | None:
    """Return where the split lies, and what to do, if it does at another level."""
    nested = root / split / split
    if nested.is_dir():
        return f"Found one level too many: move the content of {nested} up into {root / split}"
    above = [path for path in root.parents[:_LEVELS] if store_at(path) is store_at(root)]
    for depth, folder in enumerate(above, 1):
        if _holds(folder, split):
            is_split = depth == 1 and root.name in SPLITS
            at = "names a split" if is_split else f"is {_NUMBERS[depth]} too low"
            return f"DF2_ROOT {at}: set DF2_ROOT={quote(str(folder))}"
    inside = [root]
    for depth in range(1, _LEVELS + 1):
        inside = [inner for folder in inside for inner in _subfolders(folder)][:_LOOKED_AT]
        for folder in inside:
            if _holds(folder, split):
                away = f"{_NUMBERS[depth]} below"
                return f"The data set is {away}: set DF2_ROOT={quote(str(folder))}"
    return None


def _holds_any(folder: Path) -> bool:
    return any(_holds(folder, split) for split in SPLITS)


def _holds(folder: Path, split: str) -> bool:
    return any((folder / split / kind).is_dir() for kind in ("image", "annos"))

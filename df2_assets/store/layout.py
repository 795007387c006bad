"""Every path under the two roots, and the roots that are refused."""

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
"""The folder in `OWN_FOLDER` with the tables of all assets."""

CROP_VARIANTS: Final = "crop_variants"
"""The asset of the crop variants. The manifest of one is the table `crop_variants/{name}`."""

BENCHMARK_CROPS: Final = "benchmark_crops"
"""The asset of the crops that only the retrieval benchmark has."""

IMAGE: Final = ".jpg"
ANNOTATION: Final = ".json"
"""The ends of the names of images and annotations, after six digits."""

_NUMBERS: Final = {1: "one level", 2: "two levels", 3: "three levels"}
_LEVELS: Final = len(_NUMBERS)
"""How many levels above and below DF2_ROOT are searched for a split."""

_MOST_ENTRIES: Final = 1_000
"""How many entries of a folder, and folders of a level, are searched for a split."""

_MOST_NAMES: Final = 5
"""How many names a message shows."""


@dataclass(frozen=True)
class Roots:
    """Every path under the two roots, and the stores that hold them.

    `df2_root` and `sku_root` are absolute. `out_root` is SKU_ROOT as the user wrote it.
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

    def ground_truth(self, split: str) -> Path:
        """The folder of the download with the published ground truth of the retrieval benchmark."""
        return self.df2_root / f"json_for_{split}"

    def sku_metadata(self, split: str) -> Path:
        return self.sku_root / f"{split}_sku_metadata.json"

    def image_text(self, split: str) -> Path:
        return self.sku_root / f"{split}_image_text.jsonl"

    def crops(self, split: str) -> Path:
        """The folder that holds `catalog` and `query` of a split."""
        return self.sku_root / split

    def crop(self, crop_path: str) -> Path:
        """A crop, by its path relative to SKU_ROOT, as in tables and documents."""
        return self.sku_root / crop_path

    @property
    def own(self) -> Path:
        """The folder with everything that is not part of the contract."""
        return self.sku_root / OWN_FOLDER

    @property
    def declaration(self) -> Path:
        """The settings that later builds inherit."""
        return self.own / "declaration.json"

    def checksums(self, split: str) -> Path:
        """The digests of the contract files, in the format of `sha256sum`."""
        return self.own / f"{split}.sha256"

    def tables(self, asset: str) -> Path:
        """The folder with the tables of an asset."""
        return self.own / TABLES_FOLDER / asset

    def table(self, asset: str, split: str) -> Path:
        return self.tables(asset) / f"{split}.parquet"

    def lines(self, asset: str, split: str) -> Path:
        """The crops of a table as JSON lines, for machines without pyarrow."""
        return self.table(asset, split).with_suffix(".jsonl")

    def journal(self, split: str, table: str = "crops") -> Path:
        """The rows of a manifest that a running or killed build has finished."""
        return self.table(table, split).with_suffix(".journal")

    @property
    def variants(self) -> Path:
        """The folder with the files of all crop variants."""
        return self.own / "variants"

    def variant(self, name: str, split: str) -> Path:
        """The folder that holds `catalog` and `query` of a crop variant of a split."""
        return self.variants / name / split

    def variant_manifest(self, name: str, split: str) -> Path:
        """The manifest of a crop variant of a split."""
        return self.table(f"{CROP_VARIANTS}/{name}", split)

    def finding(self, asset: str, check: str, split: str) -> Path:
        """The last finding of a check."""
        return self.own / "checks" / f"{asset}.{check}" / f"{split}.json"

    def findings(self, split: str) -> list[Path]:
        """The paths of all findings on disk, sorted."""
        folder = self.own / "checks"
        names = (name for name, _ in self.sku.walk(folder) if name.endswith(f"/{split}.json"))
        return [folder / name for name in sorted(names)]

    def offenders(self, asset: str, check: str, split: str) -> Path:
        """The table of all offenders of a finding, next to it."""
        return self.finding(asset, check, split).with_suffix(".parquet")

    @property
    def all_embeddings(self) -> Path:
        """The folder with a folder for each encoder."""
        return self.own / "embeddings"

    def embeddings(self, folder: str, split: str) -> Path:
        """The folder with the vectors of an encoder. Its record is next to it."""
        return self.all_embeddings / folder / split

    def benchmark_embeddings(self, folder: str, split: str) -> Path:
        """The folder with the vectors of the benchmark's own crops, as `embeddings`."""
        return self.all_embeddings / folder / "benchmark" / split

    @property
    def exports(self) -> Path:
        return self.own / "exports"

    def export(self, name: str, split: str) -> Path:
        """The folder of an export. Its record and its digests are next to it."""
        return self.exports / name / split

    def export_record(self, name: str, split: str) -> Path:
        return self.export(name, split).with_suffix(".json")

    def export_digests(self, name: str, split: str) -> Path:
        """The digests of an export, for `sha256sum -c` in SKU_ROOT."""
        return self.export(name, split).with_suffix(".sha256")

    @property
    def benchmark(self) -> Path:
        """The folder with the crops of the retrieval benchmark, one folder per split."""
        return self.own / "benchmark"

    def benchmark_crops(self, split: str) -> Path:
        """The folder that holds `catalog` and `query` of the benchmark's own crops."""
        return self.benchmark / split

    def malformed_results(self, split: str) -> Path:
        """The list of malformed entries in the last refused file of results."""
        return self.benchmark / f"{split}_malformed_results.txt"

    def gallery(self, split: str) -> Path:
        """The page of a gallery, in its own folder."""
        return self.own / "report" / split / "index.html"

    @property
    def gallery_list(self) -> Path:
        """A script that lists the galleries, so that each can link to the others."""
        return self.own / "report" / "splits.js"

    def pictures(self, kind: str, split: str) -> Path:
        """The folder with the latest pictures of one kind, next to the galleries."""
        return self.own / "report" / "pictures" / kind / split

    def state(self, split: str) -> Path:
        return self.own / "state" / f"{split}.json"

    def run(self, asset: str, split: str) -> Path:
        """The record of the run that last materialized an asset."""
        return self.own / "runs" / asset / f"{split}.json"

    def lock(self, split: str) -> Path:
        return self.own / "locks" / f"{split}.lock"

    def own_folders(self) -> dict[Path, bool]:
        """The project's own folders, and whether everything in each belongs to the project."""
        deep = ("checks", "embeddings", "locks", "runs", "state", TABLES_FOLDER, "report/pictures")
        folders = {self.own: False, self.own / "report": False, self.benchmark: False}
        return folders | {self.own / name: True for name in deep}


def require_safe_roots(roots: Roots) -> None:
    """Raise RootsError if writing to SKU_ROOT could change DF2_ROOT, the home or the root."""
    roots.sku.require_usable(roots.sku_root)
    df2, sku = roots.df2_root.resolve(), roots.sku_root.resolve()
    inputs = [df2 / split / kind for split in SPLITS for kind in ("image", "annos")]
    if _is_inside(sku, df2) or any(_is_inside(place, sku) for place in (df2, *inputs)):
        # If DF2_ROOT is the folder above both, the message names the right one.
        places = () if _holds_any_split(df2) else (_find_elsewhere(df2, split) for split in SPLITS)
        elsewhere = next(filter(None, places), None)
        raise RootsError(
            f"SKU_ROOT ({sku}) and DF2_ROOT ({df2}) are the same, or one is inside the other: "
            + (elsewhere or "set SKU_ROOT to a separate folder.")
        )


def _is_inside(inner: Path, outer: Path) -> bool:
    """Return whether a folder is another one or is inside it, also by another path."""
    store = store_at(outer)
    return any(store.is_same(path, outer) for path in (inner, *inner.parents))


def require_input(roots: Roots, split: str) -> None:
    """Raise LayoutError, which says what DF2_ROOT holds instead, if it does not hold the split.

    A folder may be missing or unreadable, or hold no file with the name of an image or annotation.
    `test` was released without annotations, so it only needs DF2_ROOT at the right level.
    """
    root = roots.df2_root
    if not root.is_dir():
        state = "is not a folder" if root.exists() else "does not exist"
        raise LayoutError(f"DF2_ROOT ({root}) {state}. {_remedy(root, split)}")
    folders = [roots.images(split), roots.annotations(split)]
    for folder in (root, root / split, *folders):
        if not roots.df2.may_read(folder):
            raise LayoutError(f"{folder} cannot be read: give this user the right to read it.")
    if split not in ANNOTATED_SPLITS:
        is_right = (root / split).is_dir() or _holds_any_split(root)
        elsewhere = None if is_right else _find_elsewhere(root, split)
        if elsewhere:
            raise LayoutError(f"{root / split} does not exist. {elsewhere}")
        return
    for folder in folders:
        if not folder.is_dir():
            raise LayoutError(f"{folder} does not exist. {_remedy(root, split)}")
    _require_any_id(*folders)


def image_id_of(name: str, suffix: str) -> str | None:
    """Return the six digits of a name, or None if it is not six digits and the suffix."""
    stem = name[:6]
    return stem if name[6:] == suffix and stem.isascii() and stem.isdigit() else None


def _subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, without system folders; none if it cannot be read.

    At most 1,000 of them are returned.
    """
    inside = islice(store_at(folder).folders(folder), _MOST_ENTRIES)
    return [folder / name for name in sorted(inside) if not is_system_file(name)]


def _require_any_id(images: Path, annotations: Path) -> None:
    """Raise LayoutError if a folder has files, but none is named six digits and the suffix.

    A check handles empty folders.
    """
    for folder, suffix in ((images, IMAGE), (annotations, ANNOTATION)):
        if _has_any_id(folder, suffix):
            continue
        inside = [name for name in _names(folder) if not is_system_file(name)]
        if inside:
            raise LayoutError(_describe_other_names(folder, suffix, inside))


def _describe_other_names(folder: Path, suffix: str, inside: list[str]) -> str:
    """Return what a folder holds instead of names of six digits, and what to do."""
    nested = next((inner for inner in _subfolders(folder) if _has_any_id(inner, suffix)), None)
    remedy = f"Rename them, or unpack {folder.parent.name} again."
    if nested:
        remedy = f"Move the content of {nested} up into {folder}"
    return (
        f"{folder} has no file named six digits and {suffix}, such as 000001{suffix}. Found "
        f"{len(inside):,}: {_first_names(inside)}. {remedy}"
    )


def _has_any_id(folder: Path, suffix: str) -> bool:
    return any(image_id_of(name, suffix) for name, _ in store_at(folder).files(folder))


def _names(folder: Path) -> Iterator[str]:
    return store_at(folder).names(folder)


def _first_names(inside: Iterable[str]) -> str:
    """Return the first names of a folder and how many more there are, for a message."""
    ordered = sorted(name for name in inside if not is_system_file(name))
    shown = ", ".join(map(escape_untrusted, ordered[:_MOST_NAMES])) or "nothing"
    more = len(ordered) - _MOST_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown


def _remedy(root: Path, split: str) -> str:
    """Return what is in DF2_ROOT instead of the split, and what to do about it."""
    elsewhere = _find_elsewhere(root, split)
    if elsewhere:
        return elsewhere
    folder = f"the folder that holds {split}/image"
    if split in ANNOTATED_SPLITS:
        folder += f" and {split}/annos"
    if not root.is_dir():
        return f"Set it to {folder}."
    archives = sorted(name for name in _names(root) if name.lower().endswith(".zip"))
    if archives:
        return f"Found {_first_names(archives)}, not unpacked: unzip it in {root}"
    place = root / split if (root / split).is_dir() else root
    return f"Found {_first_names(_names(place))} in {place}; set DF2_ROOT to {folder}."


def _find_elsewhere(root: Path, split: str) -> str | None:
    """Return where the split is and what to do, if it is at another level; else None."""
    nested = root / split / split
    if nested.is_dir():
        return f"Found one level too many: move the content of {nested} up into {root / split}"
    above = [path for path in root.parents[:_LEVELS] if store_at(path) is store_at(root)]
    for depth, folder in enumerate(above, 1):
        if _holds_split(folder, split):
            is_split = depth == 1 and root.name in SPLITS
            at = "names a split" if is_split else f"is {_NUMBERS[depth]} too low"
            return f"DF2_ROOT {at}: set DF2_ROOT={quote(str(folder))}"
    inside = [root]
    for depth in range(1, _LEVELS + 1):
        inside = [inner for folder in inside for inner in _subfolders(folder)][:_MOST_ENTRIES]
        for folder in inside:
            if _holds_split(folder, split):
                away = f"{_NUMBERS[depth]} below"
                return f"The data set is {away}: set DF2_ROOT={quote(str(folder))}"
    return None


def _holds_any_split(folder: Path) -> bool:
    return any(_holds_split(folder, split) for split in SPLITS)


def _holds_split(folder: Path, split: str) -> bool:
    return any((folder / split / kind).is_dir() for kind in ("image", "annos"))

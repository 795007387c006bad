"""`_df2_assets/{split}.sha256`: every file of a split's contract with its digest.

`cd SKU_ROOT && sha256sum -c _df2_assets/train.sha256` compares the files with it, without any code
of this project.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pyarrow.compute as pc

from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets.store.location import store_at


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_each(root: Path, names: Iterable[str]) -> Iterator[str | None]:
    """The digests of small files, by their names below `root`; None where one cannot be read."""
    for data in store_at(root).read_each((f"{root}/{name}", -1) for name in names):
        yield None if isinstance(data, OSError) else hashlib.sha256(data).hexdigest()


def current(roots: Roots, split: str) -> dict[str, str]:
    """Digest by path, sorted: crops as the manifest has them, contract files as they lie there.

    What is not there is not in it.
    """
    found: dict[str, str] = {}
    manifest = tables.find(roots, "crops", split)
    if manifest is not None:
        made = manifest.filter(pc.field("reason").is_null())
        found.update(zip(made["crop_path"].to_pylist(), made["sha256"].to_pylist(), strict=True))
    for document in (roots.sku_metadata(split), roots.image_text(split)):
        with suppress(FileNotFoundError, IsADirectoryError):
            found[document.name] = digest(document)
    return dict(sorted(found.items()))


def write(roots: Roots, split: str, before_change: Callable[[], None]) -> None:
    """Bring the list up to date; one that says so already is not touched."""
    write_list(roots.checksums(split), current(roots, split), before_change)


def read(roots: Roots, split: str) -> dict[str, str]:
    """The list on disk, as `current` gives it; empty where there is none."""
    return read_list(roots.checksums(split))


def write_list(path: Path, digests: Mapping[str, str], before_change: Callable[[], None]) -> None:
    """Write digest by path as `sha256sum` does; a list that says so already is not touched."""
    lines = (f"{sha}  {name}\n".encode() for name, sha in digests.items())
    store_at(path).publish(path, lines, before_change)


def read_list(path: Path) -> dict[str, str]:
    """Digest by path from such a list; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("  ") for line in lines)
    return {name: digest for digest, _, name in pairs}

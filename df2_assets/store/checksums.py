"""`_df2_assets/{split}.sha256`: every file of a split's contract with its digest.

`cd SKU_ROOT && sha256sum -c _df2_assets/train.sha256` compares the files with it, without any code
of this project.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets.store.location import store_at

_LIST: Final = pa.schema([("path", pa.string()), ("sha256", pa.string())])


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_each(root: Path, names: Iterable[str]) -> Iterator[str | None]:
    """Yield the digests of small files, named below `root`; None for one that cannot be read."""
    for data in store_at(root).read_each((f"{root}/{name}", -1) for name in names):
        yield None if isinstance(data, OSError) else hashlib.sha256(data).hexdigest()


def current(roots: Roots, split: str) -> dict[str, str]:
    """Return digest by path, sorted: crops as the manifest has them, contract files as on disk.

    Files that are missing are not in it.
    """
    table = _current(roots, split)
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def write(roots: Roots, split: str, before_change: Callable[[], None]) -> None:
    """Update the list. A list with the same content is not touched."""
    files, path = _current(roots, split), roots.checksums(split)
    names = pc.binary_join_element_wise(files["path"], "", "\n")
    lines = pc.binary_join_element_wise(files["sha256"], names, "  ")
    # The last buffer of a chunk has its texts one after the other.
    texts = (bytes(chunk.buffers()[2]) for chunk in lines.chunks if len(chunk))
    store_at(path).publish(path, texts, before_change)


def read(roots: Roots, split: str) -> dict[str, str]:
    """Return the list on disk, as `current` gives it; an empty one where there is none."""
    return read_list(roots.checksums(split))


def write_list(path: Path, digests: Mapping[str, str], before_change: Callable[[], None]) -> None:
    """Write digests by path as `sha256sum` does. A list with the same content is not touched."""
    lines = (f"{sha}  {name}\n".encode() for name, sha in digests.items())
    store_at(path).publish(path, lines, before_change)


def read_list(path: Path) -> dict[str, str]:
    """Return digest by path from such a list; nothing where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    parts = (line.partition("  ") for line in lines)
    return {name: digest for digest, _, name in parts}


def _current(roots: Roots, split: str) -> pa.Table:
    """Return the columns `path` and `sha256` of all files, sorted by path."""
    files: dict[str, str] = {}
    for document in (roots.sku_metadata(split), roots.image_text(split)):
        with suppress(FileNotFoundError, IsADirectoryError):
            files[document.name] = digest(document)
    documents = pa.table([[*files], [*files.values()]], schema=_LIST)
    manifest = tables.find(roots, "crops", split)
    if manifest is None:
        return documents.sort_by("path")
    crops = manifest.filter(pc.field("reason").is_null()).select(["crop_path", "sha256"])
    return pa.concat_tables([crops.rename_columns(_LIST.names).cast(_LIST), documents]).sort_by(
        "path"
    )

"""Crops as files of an export: other names of them, or copies where there can be none."""

from collections.abc import Container, Iterator
from typing import Final

from df2_assets.exports.source import Source
from df2_assets.store.files import Status, links

LOOSE: Final = "imagefolder"
"""Where they lie: `imagefolder/catalog/…`, `imagefolder/query/…`."""


def loose_name(path: str) -> str:
    """Where an export has a crop, below its folder; `path` is the crop's own, below SKU_ROOT."""
    return f"{LOOSE}/{path.partition('/')[2]}"


def write_loose(source: Source, folder: str, names: Container[str]) -> Iterator[tuple[str, Status]]:
    """Write those crops that `names` has, below the `folder` in SKU_ROOT; what each has become.

    Raises OutputError where the bytes of one are not those that were built.
    """
    sizes: dict[str, int] = {}

    def pairs() -> Iterator[tuple[str, str]]:
        wanted = (row for row in source.rows() if loose_name(row.path) in names)
        for row, data in source.with_bytes(wanted):
            sizes[loose_name(row.path)] = len(data)
            yield row.path, f"{folder}/{loose_name(row.path)}"

    for path, time_ns in links(source.roots.sku_root, pairs()):
        name = path.removeprefix(f"{folder}/")
        yield name, (sizes.pop(name), time_ns)

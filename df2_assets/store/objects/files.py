"""Objects that are there whole or not at all: a put is, so that no temporary name is needed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from df2_assets.store.objects.client import stamp
from df2_assets.store.objects.concurrent import each
from df2_assets.store.objects.lock import refuse_lost
from df2_assets.store.objects.path import ObjectPath


@contextmanager
def atomic(path: ObjectPath) -> Iterator[Path]:
    """A file of this machine to write to; put at `path` when the block ends well."""
    with TemporaryDirectory(prefix="df2-assets-") as folder:
        temporary = Path(folder) / path.name
        yield temporary
        put(path, temporary.read_bytes())


def publish(path: ObjectPath, chunks: Iterable[bytes], before_change: Callable[[], None]) -> bool:
    """See `store.files.publish`."""
    data = b"".join(chunks)
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return False
    before_change()
    put(path, data)
    return True


def put(path: ObjectPath, data: bytes) -> None:
    """Write an object. Raises LostLockError where another build may be writing it."""
    refuse_lost()
    path.client.put(path.key, data)


def remove(root: ObjectPath, names: Iterable[str]) -> None:
    """Delete objects by their names below `root`. Raises as `put` does."""
    refuse_lost()
    root.client.delete([(root / name).key for name in names])


def under(folder: ObjectPath) -> Iterator[str]:
    """The names of all objects below."""
    return (found.name for found in folder.client.listed(folder.key, deep=True))


def fetched(path: ObjectPath) -> tuple[memoryview, tuple[int, int]]:
    """See `store.files.mapped`. One request."""
    data, tag = path.client.get(path.key)
    return memoryview(data), (len(data), stamp(tag))


def statuses(folder: ObjectPath) -> dict[str, tuple[int, int]]:
    """See `store.files.statuses`."""
    listed = folder.client.listed(folder.key, deep=True)
    return {found.name: (found.size or 0, stamp(found.tag)) for found in listed}


def copies(root: ObjectPath, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    """See `store.files.links`: what an object has instead of further names. Raises as `put` does.

    They are copied within the store.
    """

    def copy(pair: tuple[str, str]) -> tuple[str, int]:
        name, new = pair
        refuse_lost()
        return new, stamp(root.client.copy((root / name).key, (root / new).key))

    return each(copy, names)


def rename(folder: ObjectPath, moves: Mapping[str, str], aside: Mapping[str, str]) -> None:
    """See `store.files.rename`: copies, first aside, of which what is not wanted is removed."""
    for pairs in (aside.items(), [(aside[old], new) for old, new in moves.items()]):
        for _ in copies(folder, pairs):
            pass
    remove(folder, {*aside.values(), *moves}.difference(moves.values()))

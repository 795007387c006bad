"""Objects that are there whole or not at all: a put is, so that no temporary name is needed."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

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

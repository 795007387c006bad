"""One writer a split: over all processes of a machine or, of an object store, of all machines."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import filelock
import msgspec

from df2_assets.store.holder import Holder, busy, this_process
from df2_assets.store.layout import Roots, refuse_links
from df2_assets.store.objects.path import ObjectPath


def writer(roots: Roots, split: str, run_id: str) -> AbstractContextManager[None]:
    """Hold `split` for writing. Raises BusyError, naming the holder, where another does.

    The system frees the lock of a process that dies, however it dies; an object store does so
    after a while. Raises RootsError where a link under SKU_ROOT leads the project's own files
    elsewhere.
    """
    refuse_links(roots)
    path, holder = roots.lock(split), this_process(run_id)
    if isinstance(path, ObjectPath):
        from df2_assets.store.objects import lock

        return lock.held(path, split, holder)
    return _held(path, split, holder)


@contextmanager
def _held(path: Path, split: str, holder: Holder) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    note = path.with_suffix(".json")
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise busy(split, _noted(note)) from None
    try:
        note.write_bytes(msgspec.json.encode(holder))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _noted(note: Path) -> Holder | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None

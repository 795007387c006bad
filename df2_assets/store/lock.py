"""One writer a split, over all processes of a machine."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import filelock
import msgspec

from df2_assets.errors import BusyError
from df2_assets.store.layout import Roots, refuse_links


class Holder(msgspec.Struct):
    """Who holds a split: process, machine, Dagster run, and since when (ISO 8601)."""

    pid: int
    host: str
    run_id: str
    since: str


@contextmanager
def writer(roots: Roots, split: str, run_id: str) -> Iterator[None]:
    """Hold `split` for writing. Raises BusyError, naming the holder, where another does.

    The system frees the lock of a process that dies, however it dies. Raises RootsError where a
    link under SKU_ROOT leads the project's own files elsewhere.
    """
    refuse_links(roots)
    path = roots.lock(split)
    path.parent.mkdir(parents=True, exist_ok=True)
    note = path.with_suffix(".json")
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise BusyError(
            f"{split} is being built {_named(note)}: wait for it, or stop it."
        ) from None
    try:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        note.write_bytes(msgspec.json.encode(Holder(os.getpid(), platform.node(), run_id, now)))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _named(note: "os.PathLike[str]") -> str:
    try:
        with open(note, "rb") as file:
            holder = msgspec.json.decode(file.read(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return "by another process"
    return (
        f"by process {holder.pid} on {holder.host} since {holder.since} (run {holder.run_id[:8]})"
    )

"""One writer per split: on one machine or, in an object store, over all machines.

On disk it is a lock of the system, which frees it when its holder dies. In an object store it is an
object that only its holder can replace. The object says for how many seconds its holder may be
silent. While the split is held it is put again and again, each time on the condition that it is
still the holder's own. Whether the time of another holder is over is read from the store's clock.
"""

import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from df2_assets.errors import BusyError, Df2Error, LostLockError, StorageError, os_errors_name
from df2_assets.store.layout import Roots, require_no_links
from df2_assets.store.objects.client import Conflict
from df2_assets.store.objects.path import ObjectPath

LASTS: Final = 60.0
"""Seconds after the last sign of its holder from which an object's lock may be taken over."""

_MARGIN: Final = 2.0
"""Seconds more that who takes over waits: stores tell times in whole ones."""

_held: list["_Renewal"] = []


class Holder(msgspec.Struct):
    """Process, machine, Dagster run, and since when (ISO 8601)."""

    pid: int
    host: str
    run_id: str
    since: str

    def __str__(self) -> str:
        return f"by process {self.pid} on {self.host} since {self.since} (run {self.run_id[:8]})"


class Lease(msgspec.Struct):
    """What the object holds: who has the lock, and for how many seconds after its last put."""

    holder: Holder
    seconds: float


@contextmanager
def writer(roots: Roots, split: str, run_id: str) -> Iterator[None]:
    """Hold `split` for writing. Raises BusyError, naming the holder, where another does.

    Raises RootsError where a link under SKU_ROOT leads the project's own files elsewhere.
    """
    require_no_links(roots)
    path = roots.lock(split)
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    holder = Holder(os.getpid(), platform.node(), run_id, now)
    if isinstance(path, ObjectPath):
        with _leased(path, split, holder):
            yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    import filelock  # loads asyncio, which no worker needs

    note = roots.lock_holder(split)
    lock = filelock.FileLock(path, timeout=0)
    try:
        with os_errors_name(path):
            lock.acquire()
    except filelock.Timeout:
        raise _busy(split, _noted(note)) from None
    try:
        note.write_bytes(msgspec.json.encode(holder))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def require_held_locks() -> None:
    """Raise LostLockError where a lock of this process was lost: call it before each write."""
    for renewal in _held:
        renewal.require_held()


def _noted(note: Path) -> Holder | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None


def _busy(split: str, holder: Holder | None, remedy: str = "wait for it, or stop it") -> BusyError:
    return BusyError(f"{split} is being built {holder or 'by another process'}: {remedy}.")


@contextmanager
def _leased(path: ObjectPath, split: str, holder: Holder) -> Iterator[None]:
    renewal = _Renewal(path, split, Lease(holder, LASTS))
    _held.append(renewal)
    renewal.start()
    try:
        yield
    finally:
        renewal.stop()
        _held.remove(renewal)


class _Renewal(threading.Thread):
    """Takes a lock when it is made, and renews it until it is stopped."""

    def __init__(self, path: ObjectPath, split: str, lease: Lease) -> None:
        super().__init__(name=f"lock of {split}", daemon=True)
        self._path, self._split, self._lease = path, split, lease
        self._data = msgspec.json.encode(lease)
        self._over = threading.Event()
        self._lost = False
        self._tag = self._take()
        self._renewed = time.monotonic()

    def run(self) -> None:
        while not self._over.wait(self._lease.seconds / 4):
            start = time.monotonic()
            try:
                self._tag = self._put(instead_of=self._tag)
            except (Conflict, FileNotFoundError):
                self._lost = True
                return
            except StorageError:  # until the time is over, it may answer again
                continue
            self._renewed = start

    def stop(self) -> None:
        """Give the lock back, unless it is another's by now."""
        self._over.set()
        self.join()
        with suppress(Df2Error, FileNotFoundError):
            if not self._is_lost() and self._path.client.head(self._path.key).tag == self._tag:
                self._path.unlink()

    def require_held(self) -> None:
        if self._is_lost():
            raise LostLockError(
                f"The lock of {self._split} ({self._path}) is not this build's any more: it could "
                f"not be renewed for {self._lease.seconds:.0f} s, or was removed. What was "
                "finished is kept: build again."
            )

    def _is_lost(self) -> bool:
        return self._lost or time.monotonic() - self._renewed > self._lease.seconds

    def _take(self) -> str:
        client, key = self._path.client, self._path.key
        with suppress(Conflict):
            return self._put(only_new=True)
        try:
            data, tag, age = client.get_aged(key)
        except FileNotFoundError:  # just given back
            raise _busy(self._split, None) from None
        other = _decoded(data)
        if other is not None and age <= other.seconds + _MARGIN:
            seconds = f"{other.seconds:.0f}"
            remedy = f"wait for it, or stop it; after a kill the lock is free within {seconds} s"
            raise _busy(self._split, other.holder, remedy)
        try:
            return self._put(instead_of=tag)
        except (Conflict, FileNotFoundError):  # somebody was faster
            raise _busy(self._split, None) from None

    def _put(self, *, only_new: bool = False, instead_of: str | None = None) -> str:
        """Put the lease; where an answer was lost on its way, what is there is this build's."""
        client, key = self._path.client, self._path.key
        try:
            return client.put(key, self._data, only_new=only_new, instead_of=instead_of)
        except Conflict:
            data, tag = client.get(key)
            if data == self._data:
                return tag
            raise


def _decoded(data: bytes) -> Lease | None:
    try:
        return msgspec.json.decode(data, type=Lease)
    except msgspec.DecodeError:
        return None

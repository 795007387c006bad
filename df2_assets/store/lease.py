"""Who holds a split for writing, and how long: locks of a disk, and leases of an object store.

On disk it is a lock of the system, which frees it when its holder dies. In an object store it is an
object that only its holder can replace: a lease. The object says for how many seconds its holder
may be silent. While the split is held it is put again and again, each time on the condition that
it is still the holder's own. Whether the time of another holder is over is told by the store's
clock.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

import msgspec

from df2_assets.errors import (
    BusyError,
    Df2Error,
    LostLockError,
    StorageError,
)

LEASE_SECONDS: Final = 60.0
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


class Conflict(Exception):
    """An object is not what a conditional put took it for."""


Version = dict[str, Any]
"""What tells one content of an object from the next, as its store wants to be told."""


class Objects(Protocol):
    """What a lease needs of an object store."""

    def put(self, path: str, data: bytes, mode: str | Version | None = None) -> Version:
        """Write an object: always, only if it is new (`create`), or instead of a version.

        Raises Conflict.
        """

    def get(self, path: str) -> tuple[bytes, Version]: ...

    def age(self, path: str) -> float:
        """Return how many seconds ago an object was put, by the store's clock."""

    def delete(self, path: str) -> None: ...


def require_held_locks() -> None:
    """Raise LostLockError where a lock of this process was lost: call it before each write."""
    for renewal in _held:
        renewal.require_held()


def busy_error(
    split: str, holder: Holder | None, remedy: str = "wait for it, or stop it"
) -> BusyError:
    """Return the error of a split that another process holds."""
    return BusyError(f"{split} is being built {holder or 'by another process'}: {remedy}.")


@contextmanager
def hold_lease(store: Objects, path: str, split: str, holder: Holder) -> Iterator[None]:
    """Hold an object. Raises BusyError, naming the holder, where another does."""
    renewal = _Renewal(store, path, split, Lease(holder, LEASE_SECONDS))
    _held.append(renewal)
    renewal.start()
    try:
        yield
    finally:
        _held.remove(renewal)
        renewal.stop()


class _Renewal(threading.Thread):
    """Takes a lock when it is created, and renews it until it is stopped."""

    def __init__(self, store: Objects, path: str, split: str, lease: Lease) -> None:
        super().__init__(name=f"lock of {split}", daemon=True)
        self._store, self._path, self._split, self._lease = store, path, split, lease
        self._data = msgspec.json.encode(lease)
        self._over = threading.Event()
        self._lost = False
        self._version = self._take()
        self._renewed = time.monotonic()

    def run(self) -> None:
        while not self._over.wait(self._lease.seconds / 4):
            start = time.monotonic()
            try:
                self._version = self._put(self._version)
            except (Conflict, FileNotFoundError):
                self._lost = True
                return
            except StorageError:  # until the time is over, it may answer again
                continue
            self._renewed = start

    def stop(self) -> None:
        """Give the lock back, unless another build has it by now."""
        self._over.set()
        self.join()
        with suppress(Df2Error, FileNotFoundError):
            if not self._is_lost() and self._store.get(self._path)[1] == self._version:
                self._store.delete(self._path)

    def require_held(self) -> None:
        if self._is_lost():
            raise LostLockError(
                f"The lock of {self._split} ({self._path}) is not this build's any more: it could "
                f"not be renewed for {self._lease.seconds:.0f} s, or was removed. What was "
                "finished is kept: build again."
            )

    def _is_lost(self) -> bool:
        return self._lost or time.monotonic() - self._renewed > self._lease.seconds

    def _take(self) -> Version:
        with suppress(Conflict):
            return self._put("create")
        try:
            data, version = self._store.get(self._path)
            age = self._store.age(self._path)
        except FileNotFoundError:  # just given back
            raise busy_error(self._split, None) from None
        other = _decoded(data)
        if other is not None and age <= other.seconds + _MARGIN:
            seconds = f"{other.seconds:.0f}"
            remedy = f"wait for it, or stop it; after a kill the lock is free within {seconds} s"
            raise busy_error(self._split, other.holder, remedy)
        try:
            return self._put(version)
        except (Conflict, FileNotFoundError):  # somebody was faster
            raise busy_error(self._split, None) from None

    def _put(self, mode: str | Version) -> Version:
        """Put the lease; where an answer was lost on its way, what lies there is this build's."""
        try:
            return self._store.put(self._path, self._data, mode)
        except Conflict:
            data, version = self._store.get(self._path)
            if data == self._data:
                return version
            raise


def _decoded(data: bytes) -> Lease | None:
    try:
        return msgspec.json.decode(data, type=Lease)
    except msgspec.DecodeError:
        return None

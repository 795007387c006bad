"""The holder of a lock, and leases: the locks of an object store.

A lease is an object that only its holder can replace. It says for how many seconds the holder may
be silent. The holder renews it regularly, on the condition that it still is the holder's own. The
clock of the store decides whether a lease has expired. (On disk, the operating system provides
locks and frees them when the holder dies: `store/local.py`.)
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
"""Seconds without a renewal after which another process may take over a lease."""

_MARGIN: Final = 2.0
"""Seconds to wait in addition: stores report times in whole seconds."""

_held_leases: list["_Renewal"] = []


class Holder(msgspec.Struct):
    """The process, machine and Dagster run that hold a lock, and since when (ISO 8601)."""

    pid: int
    host: str
    run_id: str
    since: str

    def __str__(self) -> str:
        return f"by process {self.pid} on {self.host} since {self.since} (run {self.run_id[:8]})"


class Lease(msgspec.Struct):
    """The content of a lease: its holder, and the seconds for which it is valid after a put."""

    holder: Holder
    seconds: float


class Conflict(Exception):
    """A conditional put failed, because the object has changed."""


Version = dict[str, Any]
"""The identity of an object's content, in the form that its store expects."""


class Objects(Protocol):
    """The operations that a lease needs from an object store."""

    def put(self, path: str, data: bytes, mode: str | Version | None = None) -> Version:
        """Write an object: always, only if it is new (`create`), or to replace a version.

        Raises Conflict.
        """

    def get(self, path: str) -> tuple[bytes, Version]: ...

    def age(self, path: str) -> float:
        """Return how many seconds ago an object was put, by the clock of the store."""

    def delete(self, path: str) -> None: ...


def require_held_locks() -> None:
    """Raise LostLockError if this process has lost a lock. Call this before each write."""
    for renewal in _held_leases:
        renewal.require_held()


def busy_error(
    split: str, holder: Holder | None, remedy: str = "wait for it, or stop it"
) -> BusyError:
    """Return the error for a split that another process holds."""
    return BusyError(f"{split} is being built {holder or 'by another process'}: {remedy}.")


@contextmanager
def hold_lease(store: Objects, path: str, split: str, holder: Holder) -> Iterator[None]:
    """Hold a lease while the block runs. Raises BusyError if another process holds it."""
    renewal = _Renewal(store, path, split, Lease(holder, LEASE_SECONDS))
    _held_leases.append(renewal)
    renewal.start()
    try:
        yield
    finally:
        _held_leases.remove(renewal)
        renewal.stop()


class _Renewal(threading.Thread):
    """A thread that takes a lease when it is created, and renews it until it is stopped."""

    def __init__(self, store: Objects, path: str, split: str, lease: Lease) -> None:
        super().__init__(name=f"lock of {split}", daemon=True)
        self._store, self._path, self._split, self._lease = store, path, split, lease
        self._data = msgspec.json.encode(lease)
        self._stopping = threading.Event()
        self._lost = False
        self._version = self._take()
        self._renewed = time.monotonic()

    def run(self) -> None:
        while not self._stopping.wait(self._lease.seconds / 4):
            start = time.monotonic()
            try:
                self._version = self._put(self._version)
            except (Conflict, FileNotFoundError):
                self._lost = True
                return
            except StorageError:  # until the lease expires, the store may answer again
                continue
            self._renewed = start

    def stop(self) -> None:
        """Release the lease, unless another build has taken it over."""
        self._stopping.set()
        self.join()
        with suppress(Df2Error, FileNotFoundError):
            if not self._is_lost() and self._store.get(self._path)[1] == self._version:
                self._store.delete(self._path)

    def require_held(self) -> None:
        if self._is_lost():
            raise LostLockError(
                f"The lock of {self._split} ({self._path}) does not belong to this build any "
                f"more: it could not be renewed for {self._lease.seconds:.0f} s, or was removed. "
                "Finished files are kept: build again."
            )

    def _is_lost(self) -> bool:
        return self._lost or time.monotonic() - self._renewed > self._lease.seconds

    def _take(self) -> Version:
        with suppress(Conflict):
            return self._put("create")
        try:
            data, version = self._store.get(self._path)
            age = self._store.age(self._path)
        except FileNotFoundError:  # released a moment ago
            raise busy_error(self._split, None) from None
        other = _decode(data)
        if other is not None and age <= other.seconds + _MARGIN:
            seconds = f"{other.seconds:.0f}"
            remedy = f"wait for it, or stop it; after a kill the lock is free within {seconds} s"
            raise busy_error(self._split, other.holder, remedy)
        try:
            return self._put(version)
        except (Conflict, FileNotFoundError):  # another process was faster
            raise busy_error(self._split, None) from None

    def _put(self, mode: str | Version) -> Version:
        """Put the lease. If only the answer was lost, the object is already this build's."""
        try:
            return self._store.put(self._path, self._data, mode)
        except Conflict:
            data, version = self._store.get(self._path)
            if data == self._data:
                return version
            raise


def _decode(data: bytes) -> Lease | None:
    try:
        return msgspec.json.decode(data, type=Lease)
    except msgspec.DecodeError:
        return None

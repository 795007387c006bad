"""One writer a split over all machines: an object that only its holder can replace.

The object says for how many seconds its holder may be silent. While the split is held it is put
again and again, each time on the condition that it is still the holder's own. Whether the time of
another holder is over is read from the store's clock alone.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from df2_assets.errors import Df2Error, LostLockError, StorageError
from df2_assets.store.holder import Holder, busy
from df2_assets.store.objects.client import Conflict
from df2_assets.store.objects.path import ObjectPath

LASTS: Final = 60.0
"""Seconds after the last sign of its holder from which a lock may be taken over."""

_MARGIN: Final = 2.0
"""Seconds more that who takes over waits: stores tell times in whole ones."""

_held: list["_Renewal"] = []


class Lease(msgspec.Struct):
    """What the object holds: who has the lock, and for how many seconds after its last put."""

    holder: Holder
    seconds: float


@contextmanager
def held(path: ObjectPath, split: str, holder: Holder) -> Iterator[None]:
    """Hold the lock at `path`. Raises BusyError, naming the holder, where another has it."""
    renewal = _Renewal(path, split, Lease(holder, LASTS))
    _held.append(renewal)
    renewal.start()
    try:
        yield
    finally:
        renewal.stop()
        _held.remove(renewal)


def refuse_lost() -> None:
    """To be called before anything is written. Raises LostLockError where a lock was lost."""
    for renewal in _held:
        renewal.refuse_lost()


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

    def refuse_lost(self) -> None:
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
            raise busy(self._split, None) from None
        other = _decoded(data)
        if other is not None and age <= other.seconds + _MARGIN:
            seconds = f"{other.seconds:.0f}"
            remedy = f"wait for it, or stop it; after a kill the lock is free within {seconds} s"
            raise busy(self._split, other.holder, remedy)
        try:
            return self._put(instead_of=tag)
        except (Conflict, FileNotFoundError):  # somebody was faster
            raise busy(self._split, None) from None

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

"""One build of a split at a time, on all machines that use the bucket."""

import os
import re

import msgspec
import pytest

from df2_assets.errors import BusyError, LostLockError
from df2_assets.settings import make_roots
from df2_assets.store import lease, state
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.objects.conftest import on
from df2_assets_tests.support import processes
from df2_assets_tests.support.object_store import Place

pytestmark = on("s3", "seaweedfs", "azure", "gcs")

LOCK = "_df2_assets/locks/train.lock"


@pytest.fixture
def roots(place: Place) -> Roots:
    return make_roots("nowhere", place.url)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten leases to two seconds, with four renewals."""
    monkeypatch.setattr(lease, "LEASE_SECONDS", 2.0)


def _lost() -> bool:
    """Return whether this process knows that it has lost a lock."""
    try:
        lease.require_held_locks()
    except LostLockError:
        return True
    return False


@pytest.mark.usefixtures("short")
def test_a_lock_is_renewed_while_it_is_held_and_then_released(place: Place, roots: Roots) -> None:
    with writer(roots, "train", "0123456789"):
        puts = place.store.gate.asked["put"]
        processes.wait_until(lambda: place.store.gate.asked["put"] >= puts + 8)
        said = rf"train is being built by process {os.getpid()} on .* \(run 01234567\): wait for it"
        with pytest.raises(BusyError, match=said), writer(roots, "train", "second"):
            pass
        with writer(roots, "validation", "another split"):
            pass
        state.mark_incomplete(roots, "train")
    assert LOCK not in place.tags()
    with writer(roots, "train", "next"):
        assert LOCK in place.tags()


@pytest.mark.usefixtures("short")
def test_the_lock_of_a_killed_build_is_taken_over_when_it_expires(
    place: Place, roots: Roots
) -> None:
    with writer(roots, "train", "killed"):
        left = place.get(LOCK)
    place.put(LOCK, left)

    def taken() -> bool:
        try:
            with writer(roots, "train", "next"):
                there = msgspec.json.decode(place.get(LOCK), type=lease.Lease)
                return there.holder.run_id == "next"
        except BusyError:
            return False

    assert not taken()
    processes.wait_until(taken)
    assert LOCK not in place.tags()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("how", ["taken over", "removed"])
def test_a_build_that_has_lost_the_lock_writes_nothing_more(
    place: Place, roots: Roots, how: str
) -> None:
    with writer(roots, "train", "slow"):
        if how == "removed":
            place.delete(LOCK)
        else:
            place.put(LOCK, b"of another build")
        processes.wait_until(_lost)
        lost = rf"lock of train \({re.escape(place.url)}/.*build again"
        with pytest.raises(LostLockError, match=lost):
            state.mark_incomplete(roots, "train")
    if how == "taken over":
        assert place.get(LOCK) == b"of another build"
    assert "_df2_assets/state/train.json" not in place.tags()


@pytest.mark.usefixtures("short")
def test_a_lock_is_lost_when_the_store_is_silent_for_too_long(place: Place, roots: Roots) -> None:
    with (
        writer(roots, "train", "cut off"),
        place.store.failing(lambda operation, path: "500" if operation == "put" else None),
    ):
        processes.wait_until(_lost)

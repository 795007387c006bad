"""One build of a split at a time, over all machines that see the bucket."""

from pathlib import Path

import msgspec
import pytest

from df2_assets.errors import BusyError, LostLockError
from df2_assets.settings import make_roots
from df2_assets.store import lock, state
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.support import processes
from df2_assets_tests.support.object_store import Place

HOLD = """
import sys, time
from df2_assets.settings import make_roots
from df2_assets.store.lock import writer
with writer(make_roots(sys.argv[1], sys.argv[2]), "train", "0123456789"):
    print("held", flush=True)
    time.sleep(600)
"""


LOCK = "_df2_assets/locks/train.lock"


@pytest.fixture
def roots(place: Place) -> Roots:
    return make_roots("nowhere", place.url)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks that are renewed four times in two seconds."""
    monkeypatch.setattr(lock, "LASTS", 2.0)


def test_who_comes_second_is_told_who_holds_the_split(
    place: Place, roots: Roots, tmp_path: Path
) -> None:
    command = (*processes.DF2_ASSETS[:1], "-c", HOLD, "nowhere", str(roots.sku_root))
    env = processes.environment(tmp_path)
    with processes.start(command, env, tmp_path) as holder:
        processes.wait_until(lambda: LOCK in place.tags(), holder)
        said = f"train is being built by process {holder.pid} on .* \\(run 01234567\\): wait for it"
        with pytest.raises(BusyError, match=said), writer(roots, "train", "second"):
            pass
        with writer(roots, "validation", "another split"):
            pass


def _lost() -> bool:
    """Whether a lock of this process is known to be lost."""
    try:
        lock.require_held_locks()
    except LostLockError:
        return True
    return False


def test_a_lock_is_given_back(place: Place, roots: Roots) -> None:
    for _ in range(2):
        with writer(roots, "train", "run"):
            assert LOCK in place.tags()
        assert LOCK not in place.tags()


@pytest.mark.usefixtures("short")
def test_a_lock_is_renewed_while_it_is_held(place: Place, roots: Roots) -> None:
    with writer(roots, "train", "run"):
        puts = place.store.gate.asked["put"]
        processes.wait_until(lambda: place.store.gate.asked["put"] >= puts + 8)
        with pytest.raises(BusyError), writer(roots, "train", "second"):
            pass
        state.mark_incomplete(roots, "train")
    assert LOCK not in place.tags()


@pytest.mark.usefixtures("short")
def test_the_lock_of_one_that_was_killed_is_taken_over_when_its_time_is_over(
    place: Place, roots: Roots
) -> None:
    with writer(roots, "train", "killed"):
        left = place.get(LOCK)
    place.put(LOCK, left)

    def taken() -> bool:
        try:
            with writer(roots, "train", "next"):
                there = msgspec.json.decode(place.get(LOCK), type=lock.Lease)
                return there.holder.run_id == "next"
        except BusyError:
            return False

    assert not taken()
    processes.wait_until(taken)
    assert LOCK not in place.tags()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("how", ["taken over", "removed"])
def test_who_has_lost_the_lock_writes_nothing_more(place: Place, roots: Roots, how: str) -> None:
    with writer(roots, "train", "slow"):
        if how == "removed":
            place.delete(LOCK)
        else:
            place.put(LOCK, b"of another build")
        processes.wait_until(_lost)
        with pytest.raises(LostLockError, match=r"lock of train \(s3://.*build again"):
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

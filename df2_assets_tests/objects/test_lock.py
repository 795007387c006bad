"""One build of a split at a time, over all machines that see the bucket."""

from pathlib import Path

import msgspec
import pytest

from df2_assets.errors import BusyError, LostLockError
from df2_assets.settings import make_roots
from df2_assets.store import lock, state
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.objects.conftest import BUCKET
from df2_assets_tests.support import processes
from df2_assets_tests.support.object_store import ObjectStore

HOLD = """
import sys, time
from df2_assets.settings import make_roots
from df2_assets.store.lock import writer
with writer(make_roots(sys.argv[1], sys.argv[2]), "train", "0123456789"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def roots(store: ObjectStore, prefix: str) -> Roots:
    return make_roots("nowhere", f"s3://{BUCKET}/{prefix}")


@pytest.fixture
def key(prefix: str) -> str:
    return f"{prefix}/_df2_assets/locks/train.lock"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks that are renewed four times in two seconds."""
    monkeypatch.setattr(lock, "LASTS", 2.0)


def test_who_comes_second_is_told_who_holds_the_split(
    store: ObjectStore, roots: Roots, tmp_path: Path, key: str
) -> None:
    command = (*processes.DF2_ASSETS[:1], "-c", HOLD, "nowhere", str(roots.sku_root))
    env = processes.environment(tmp_path)
    with processes.start(command, env, tmp_path) as holder:
        processes.wait_until(lambda: key in _keys(store), holder)
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


def _keys(store: ObjectStore) -> set[str]:
    return {f"out/{name}" for name in store.tags(BUCKET, "out")}


def test_a_lock_is_given_back(store: ObjectStore, roots: Roots, key: str) -> None:
    for _ in range(2):
        with writer(roots, "train", "run"):
            assert key in _keys(store)
        assert key not in _keys(store)


@pytest.mark.usefixtures("short")
def test_a_lock_is_renewed_while_it_is_held(store: ObjectStore, roots: Roots, key: str) -> None:
    with writer(roots, "train", "run"):
        puts = store.gate.asked["put"]
        processes.wait_until(lambda: store.gate.asked["put"] >= puts + 8)
        with pytest.raises(BusyError), writer(roots, "train", "second"):
            pass
        state.mark_incomplete(roots, "train")
    assert key not in _keys(store)


@pytest.mark.usefixtures("short")
def test_the_lock_of_one_that_was_killed_is_taken_over_when_its_time_is_over(
    store: ObjectStore, roots: Roots, key: str
) -> None:
    with writer(roots, "train", "killed"):
        left = store.get(BUCKET, key)
    store.put(BUCKET, key, left)

    def taken() -> bool:
        try:
            with writer(roots, "train", "next"):
                there = msgspec.json.decode(store.get(BUCKET, key), type=lock.Lease)
                return there.holder.run_id == "next"
        except BusyError:
            return False

    assert not taken()
    processes.wait_until(taken)
    assert key not in _keys(store)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("how", ["taken over", "removed"])
def test_who_has_lost_the_lock_writes_nothing_more(
    store: ObjectStore, roots: Roots, key: str, how: str
) -> None:
    with writer(roots, "train", "slow"):
        if how == "removed":
            store.delete(BUCKET, key)
        else:
            store.put(BUCKET, key, b"of another build")
        processes.wait_until(_lost)
        with pytest.raises(LostLockError, match=r"lock of train \(s3://.*build again"):
            state.mark_incomplete(roots, "train")
    if how == "taken over":
        assert store.get(BUCKET, key) == b"of another build"
    assert f"{key.partition('/locks')[0]}/state/train.json" not in _keys(store)


@pytest.mark.usefixtures("short")
def test_a_lock_is_lost_when_the_store_is_silent_for_too_long(
    store: ObjectStore, roots: Roots, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        writer(roots, "train", "cut off"),
        store.failing(lambda operation, path: "500" if operation == "put" else None),
    ):
        processes.wait_until(_lost)

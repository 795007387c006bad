"""The state of a split, its lock, and the journal of finished crops."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from df2_assets.errors import BusyError, IncompleteSplitError, explain_os_error
from df2_assets.store import journal, state
from df2_assets.store.crop_sets import CropRow, contract_crops
from df2_assets.store.layout import Roots
from df2_assets.store.local import LocalStore
from df2_assets.store.lock import writer
from df2_assets_tests.support import processes
from df2_assets_tests.support.snapshots import stamp


def test_a_split_is_incomplete_until_it_is_recorded_as_complete(roots: Roots) -> None:
    with pytest.raises(IncompleteSplitError, match="df2-assets build --split train"):
        state.require_complete(roots, "train")
    state.save(roots, "train", state.State(complete=True, sku_metadata="digest"))
    state.require_complete(roots, "train")
    state.mark_incomplete(roots, "train")
    with pytest.raises(IncompleteSplitError):
        state.require_complete(roots, "train")
    assert state.load(roots, "train").sku_metadata == "digest"


def test_an_equal_state_does_not_touch_the_file(roots: Roots) -> None:
    state.save(roots, "train", state.State(complete=True))
    before = stamp(roots.state("train"))
    state.save(roots, "train", state.State(complete=True))
    assert stamp(roots.state("train")) == before


def test_an_illegible_state_counts_as_incomplete(roots: Roots) -> None:
    state.save(roots, "train", state.State(complete=True))
    roots.state("train").write_bytes(b"{")
    assert not state.load(roots, "train").complete


HOLD = """
import sys, time
from pathlib import Path
from df2_assets.store.layout import Roots
from df2_assets.store.local import LocalStore
from df2_assets.store.lock import writer
root = Path(sys.argv[1])
with writer(Roots(root, root, ""), "train", "0123456789"):
    (root / "held").touch()
    time.sleep(600)
"""


def test_a_disk_without_locks_is_not_taken_for_another_build(
    roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS without a lock service answers like this."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks available") as refused, writer(roots, "train", ""):
        pass
    assert str(explain_os_error(refused.value)) == (
        f"{roots.lock('train')}: No locks available. Mount it with locks, or choose a folder on "
        "another disk."
    )


def test_a_second_writer_learns_the_holder_and_a_kill_frees_the_lock(
    roots: Roots,
) -> None:
    roots.sku_root.mkdir()
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(roots.sku_root)])
    try:
        processes.wait_until((roots.sku_root / "held").exists)
        said = rf"train is being built by process {holder.pid} on .* \(run 01234567\)"
        with pytest.raises(BusyError, match=said), writer(roots, "train", "other"):
            pass
        with writer(roots, "validation", "other"):
            pass
    finally:
        holder.kill()
        holder.wait()
    with writer(roots, "train", "other"):
        pass


ROWS = [CropRow("a", 1, 2, "digest", 3, 4, "f"), CropRow("b", reason="not_a_jpeg", detail="x")]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_torn_by_a_kill_loses_that_shard_and_no_other(roots: Roots, cut: int) -> None:
    assert journal.read(roots, contract_crops("train")) == []
    with journal.journal(roots, contract_crops("train")) as finished:
        finished.add(ROWS[:1])
        finished.add(ROWS[1:])
    assert journal.read(roots, contract_crops("train")) == ROWS
    path = roots.journal("train")
    path.write_bytes(path.read_bytes()[:-cut])
    assert journal.read(roots, contract_crops("train")) == ROWS[:1]
    with journal.journal(roots, contract_crops("train")) as finished:
        finished.add(ROWS[1:])
    assert journal.read(roots, contract_crops("train")) == ROWS


def test_a_file_is_published_only_when_it_differs(tmp_path: Path) -> None:
    path, calls = tmp_path / "file", []

    def note() -> None:
        calls.append(path.read_bytes() if path.exists() else None)

    assert LocalStore().publish(path, [b"one ", b"two"], note)
    inode = path.stat().st_ino
    assert not LocalStore().publish(path, [b"one two"], note)
    assert path.stat().st_ino == inode
    assert LocalStore().publish(path, [b"three"], note)
    assert path.read_bytes() == b"three"
    assert calls == [None, b"one two"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_failed_publication_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        LocalStore().publish(path, [b"new"], fail)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]

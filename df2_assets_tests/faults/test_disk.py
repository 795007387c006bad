"""Disks that fill up, or cannot be written, during a build."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from df2_assets_tests.faults import full_disk
from df2_assets_tests.faults.arena import Arena, Undisturbed, all_files, arena
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support.processes import Text
from df2_assets_tests.support.snapshots import contract

IMAGES = 300
ROOM = 64 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk for one test."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(path))
    if subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield path
    subprocess.run(("umount", str(path)), check=True)


def put_on(disk: Path, ground: Arena) -> None:
    """Make the SKU_ROOT of a fresh arena a folder of the disk."""
    (disk / "sku").mkdir()
    ground.sku.symlink_to(disk / "sku", target_is_directory=True)


def assert_told(done: Text) -> None:
    """Assert that a failed build reports the error in a line or two."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert done.returncode == 1, done
    assert 1 <= len(lines) <= 2, done
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr or " free" in done.stderr, done


def test_a_build_continues_after_a_disk_was_full_at_any_moment(
    disk: Path, undisturbed: Undisturbed, faults: Faults
) -> None:
    for rng, ground in faults.arenas(undisturbed.df2_root, short=1, long=60):
        put_on(disk, ground)
        with ground.command() as process:
            ground.wait_for(undisturbed.moment(rng), process)
            fill(disk, but=rng.choice((0, 1 << 12, 1 << 16, 1 << 20)))
            done = process.end()
        if done.returncode != 0:
            assert_told(done)
            faults.count("full_disks")
        (disk / "ballast").unlink()
        ground.rerun()
        ground.assert_as(undisturbed)
        shutil.rmtree(disk / "sku")


def fill(disk: Path, but: int) -> None:
    """Leave only a few bytes of space."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        block = bytes(1 << 16)
        while shutil.disk_usage(disk).free > but:
            try:
                file.write(block[: max(1, shutil.disk_usage(disk).free - but)])
            except OSError:
                break


def test_a_build_continues_after_files_could_not_be_created(
    undisturbed: Undisturbed, faults: Faults
) -> None:
    """The same without a mount, for every call that creates a name, in turn."""
    for rng, ground in faults.arenas(undisturbed.df2_root, short=1, long=100):
        after = rng.randrange(rng.choice((10, 70, 700)))
        settings = full_disk.environment(ground.station.folder / "full", ground.sku, after)
        with ground.command(**settings) as process:
            done = process.end()
        if done.returncode != 0:
            assert_told(done)
            faults.count("full_disks")
        ground.rerun()
        ground.assert_as(undisturbed)


def test_an_unwritable_output_is_reported_and_does_not_change(
    disk: Path, undisturbed: Undisturbed, faults: Faults, tmp_path: Path
) -> None:
    """The split is not built, built with changes, or built and up to date."""
    ground = arena(tmp_path / "arena", undisturbed.df2_root)
    put_on(disk, ground)
    for built in (False, True):
        if built:
            ground.rerun()
            next(ground.sku.glob("train/catalog/*/*.jpg")).unlink()
        before = all_files(ground.sku)
        remount(disk, "ro")
        with ground.command() as process:
            done = process.end()
        remount(disk, "rw")
        assert done.returncode == 1
        assert "Read-only file system" in done.stderr, done
        assert "Traceback" not in done.stderr
        assert all_files(ground.sku) == before
        faults.count("full_disks")
    ground.rerun()
    ground.assert_as(undisturbed)
    remount(disk, "ro")
    with ground.command("verify", "--deep") as process:
        looked = process.end()
    remount(disk, "rw")
    assert looked.returncode == 0, looked
    assert contract(ground.sku) == undisturbed.contract


def remount(disk: Path, how: str) -> None:
    subprocess.run(("mount", "-o", f"remount,{how}", str(disk)), check=True)

"""Machines that allow no worker processes, such as containers without /dev/shm."""

from pathlib import Path

import pytest

from df2_assets_tests.faults.mounts import in_namespace
from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import DF2_ASSETS, Text
from df2_assets_tests.support.site import Site

MOUNTS = {
    "full": ("mount", "-t", "tmpfs", "-o", "nr_inodes=1", "none", "/dev/shm"),
    "read-only": ("mount", "-t", "tmpfs", "-o", "ro", "none", "/dev/shm"),
}


def run(site: Site, mount: tuple[str, ...], *arguments: str, **settings: object) -> Text:
    command = in_namespace(mount, (*DF2_ASSETS, *arguments))
    return processes.run(command, site.environment(**settings), site.sku.parent)


@pytest.mark.slow
@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_one_worker_needs_no_semaphores(site: Site, mount: tuple[str, ...]) -> None:
    site.add_image()
    done = run(site, mount, "build")
    assert done.returncode == 0, done
    done = run(site, mount, "verify", "--deep")
    assert done.returncode == 0, done


@pytest.mark.parametrize("mount", MOUNTS.values(), ids=MOUNTS)
def test_more_are_told_what_is_missing_before_any_work(site: Site, mount: tuple[str, ...]) -> None:
    for command in ("build", "plan"):
        done = run(site, mount, command, DF2_WORKERS=2)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("Error: Worker processes cannot share semaphores in /dev/shm (")
        assert "DF2_WORKERS=1" in line
    assert not site.sku.with_name("home").exists()


def test_a_sample_is_drawn_all_the_same(tmp_path: Path) -> None:
    command = in_namespace(MOUNTS["full"], (*DF2_ASSETS, "sample", "df2", "--images", "24"))
    done = processes.run(command, processes.environment(tmp_path / "home"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_workers_end_quietly_where_there_is_no_pgrep(site: Site, tmp_path: Path) -> None:
    for _ in range(2):
        site.add_image()
    done = processes.run(
        (*DF2_ASSETS, "build"), site.environment(PATH=str(tmp_path), DF2_WORKERS=2), tmp_path
    )
    assert (done.returncode, done.stderr) == (0, ""), done

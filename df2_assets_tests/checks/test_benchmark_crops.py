"""The check of the benchmark's own crops, and what `verify` says about them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets.checks.registry import exists_on_disk
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.planning import mark_damaged
from df2_assets.store.layout import BENCHMARK_CROPS, Roots
from df2_assets.store.lock import writer
from df2_assets.verification.verify import verify
from df2_assets_tests.checks import clean
from df2_assets_tests.support.benchmark import SPLIT, STYLE_0, UNPAIRED, build, write
from df2_assets_tests.support.builder import item

CHECK = "benchmark_match"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    roots = clean.roots_in(tmp_path_factory.mktemp("benchmark"))
    write(roots)
    build(roots)
    return roots


@pytest.fixture
def disk(original: Roots, tmp_path: Path) -> Roots:
    return clean.copied(original, tmp_path)


def reported(roots: Roots, *, deep: bool = False) -> list[tuple[str, str | None, str]]:
    """Return what `verify` reports about the benchmark: what, where, and what repairs it."""
    verified = verify(roots, SPLIT, SerialEngine() if deep else None)
    own = [p for p in verified.problems if p.check == f"{BENCHMARK_CROPS}: {CHECK}"]
    return [(problem.what, problem.path, problem.repair) for problem in own]


def test_a_finished_benchmark_passes(disk: Roots) -> None:
    finding = clean.find(CHECK, disk, SPLIT)
    assert clean.passes(finding)
    assert finding.summary == "3 crops, all as recorded."
    assert reported(disk, deep=True) == []


def test_a_split_without_a_benchmark_is_not_checked(original: Roots, tmp_path: Path) -> None:
    roots = clean.roots_in(tmp_path)
    write(roots)
    clean.build(roots, SPLIT)
    assert not exists_on_disk(BENCHMARK_CROPS, roots, SPLIT)
    assert reported(roots) == []


def remove(roots: Roots) -> None:
    roots.crop(UNPAIRED).unlink()


def change(roots: Roots) -> None:
    roots.crop(UNPAIRED).write_bytes(b"other")


def leave_half_written(roots: Roots) -> None:
    roots.crop(UNPAIRED).with_name(".000009_item1.jpg.tmp").write_bytes(b"")


def add_foreign(roots: Roots) -> None:
    roots.crop(UNPAIRED).with_name("notes.txt").write_text("mine")


def start_a_run(roots: Roots) -> None:
    roots.journal(SPLIT, BENCHMARK_CROPS).write_text("[]\n")


def remove_the_manifest(roots: Roots) -> None:
    roots.table(BENCHMARK_CROPS, SPLIT).unlink()


def add_a_counterpart(roots: Roots) -> None:
    """Build the contract again, with a user item for the shop item that has none."""
    data = write(roots)
    data.image(SPLIT, 5)
    data.annotation(SPLIT, 5, "user", 2, {1: item(1, 1, [5, 5, 70, 100])})
    clean.build(roots, SPLIT)


@pytest.mark.parametrize(
    ("damage", "what", "repair"),
    [
        (remove, "the file is missing", "benchmark"),
        (change, "its bytes differ from those that were written", "benchmark"),
        (leave_half_written, "half-written by a run that was killed", "benchmark"),
        (add_foreign, "not a file of this project", "you"),
        (start_a_run, "it is half-built: a run is making it or was stopped", "benchmark"),
        (remove_the_manifest, "it has files, but no manifest that can be read", "benchmark"),
        (add_a_counterpart, "it was made from other crops than the current ones", "benchmark"),
    ],
)
def test_damage_is_reported_with_its_repair(
    disk: Roots, damage: Callable[[Roots], None], what: str, repair: str
) -> None:
    damage(disk)
    assert clean.fails(clean.find(CHECK, disk, SPLIT), "error")
    first_what, _, first_repair = reported(disk)[0]
    assert (first_what, first_repair) == (what, repair)
    if repair == "benchmark":
        build(disk)
        assert reported(disk, deep=True) == []


def test_damage_of_the_bytes_alone_is_found_deep_and_the_next_run_repairs_it(disk: Roots) -> None:
    crop = disk.crop(STYLE_0)
    whole, status = crop.read_bytes(), crop.stat()
    crop.write_bytes(whole[:-9] + b"\0" * 9)
    os.utime(crop, ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert reported(disk) == []
    verified = verify(disk, SPLIT, SerialEngine())
    assert verified.damaged == [STYLE_0]
    with writer(disk, SPLIT, "a test"):
        assert mark_damaged(disk, SPLIT, verified.damaged) == [STYLE_0]
    build(disk)
    assert crop.read_bytes() == whole

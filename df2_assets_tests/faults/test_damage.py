"""Files that change between builds without the platform, as unnoticeably as possible."""

import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from df2_assets.engines.local import LocalEngine
from df2_assets.pipeline.planning import mark_damaged
from df2_assets.verification.verify import Verified, verify
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support.compare import assert_same_output
from df2_assets_tests.support.site import SPLIT, Site

HOUR = 3_600_000_000_000


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with closing(LocalEngine(1)) as engine:
        yield engine


def delete(path: Path, files: list[Path], rng: random.Random) -> None:
    path.unlink()


def truncate(path: Path, files: list[Path], rng: random.Random) -> None:
    """Cut a file, and fill it with zeros to the old size."""
    size = path.stat().st_size
    os.truncate(path, rng.randrange(size))
    os.truncate(path, size)


def cut(path: Path, files: list[Path], rng: random.Random) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def flip(path: Path, files: list[Path], rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def replace(path: Path, files: list[Path], rng: random.Random) -> None:
    """Replace a file by another one, cut or filled to the old size."""
    size = path.stat().st_size
    other = rng.choice([file for file in files if file != path and file.exists()])
    path.write_bytes(other.read_bytes()[:size].ljust(size, b"\0"))


DAMAGES = (delete, truncate, cut, flip, replace)


def test_whatever_is_damaged_is_found_and_the_next_build_repairs_it(
    original: Site, engine: LocalEngine, faults: Faults
) -> None:
    """Crops, contract files, tables, state and lists are damaged, with their times unchanged."""
    for rng, folder in faults.cases(short=4, long=150):
        site = original.copy(folder)
        files = sorted(path for path in site.sku.rglob("*") if path.is_file())
        crops = [path for path in files if path.suffix == ".jpg"]
        victims = rng.sample(crops, rng.randint(1, 3)) + rng.sample(files, rng.randint(0, 2))
        damaged = {
            path: _damage(path, files, rng)
            for path in dict.fromkeys(victims)
            if path.stat().st_size
        }

        found = verify(site.roots, SPLIT, engine)
        contents = {site.roots.sku_metadata(SPLIT), site.roots.image_text(SPLIT), *crops}
        contract = {path.relative_to(site.sku).as_posix() for path in damaged.keys() & contents}
        unreadable = [
            problem for problem in found.problems if problem.what.endswith("cannot be read")
        ]
        assert unreadable or contract <= _named(site, found), damaged
        # Crops that no table could be compared with are found once a build has written it again.
        for _ in range(1 + bool(unreadable)):
            mark_damaged(site.roots, SPLIT, verify(site.roots, SPLIT, engine).damaged)
            assert site.build().success, damaged

        assert_same_output(site.sku, original.sku)
        assert verify(site.roots, SPLIT, engine).problems == [], damaged
        faults.count("damaged_files", len(damaged))


def _named(site: Site, found: Verified) -> set[str | None]:
    """Return the files with problems. For a contract file, include the problem of the crop."""
    documents = {
        "sku_metadata": site.roots.sku_metadata(SPLIT).name,
        "image_text": site.roots.image_text(SPLIT).name,
    }
    return {
        name
        for problem in found.problems
        for name in (problem.path, documents.get(problem.check.split(":")[0]))
    }


def _damage(path: Path, files: list[Path], rng: random.Random) -> str:
    """Damage a file, keep its time and usually its size, and return what was done."""
    before, content = path.stat(), path.read_bytes()
    damage = rng.choice(DAMAGES)
    while path.exists() and path.read_bytes() == content:  # zeros that were there already
        damage(path, files, rng)
    if path.exists():
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return damage.__name__


@pytest.mark.parametrize("hours", [-20_000, -1, 1, 20_000])
def test_a_clock_that_jumps_hides_no_change(
    hours: int, site: Site, engine: LocalEngine, faults: Faults
) -> None:
    """Later files have times before those of the last build, or long after it."""
    for path in (site.image(12), site.annotation(13), site.crop("catalog/000001_01_01")):
        moved = path.stat().st_mtime_ns + hours * HOUR
        os.utime(path, ns=(moved, moved))
    picture = site.image(22).read_bytes()
    site.image(21).write_bytes(picture)
    site.image(11).write_bytes(picture)
    earlier = site.image(11).stat().st_mtime_ns + hours * HOUR
    os.utime(site.image(11), ns=(earlier, earlier))
    assert site.build().success
    assert_same_output(site.sku, site.read_independently())
    assert verify(site.roots, SPLIT, engine).problems == []
    assert not site.build().changed
    faults.count("damaged_files", 3)

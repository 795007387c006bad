"""Images with every kind of damage, and other things in their place: each is reported once."""

import io
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from df2_assets_tests.faults import mutate_images
from df2_assets_tests.faults.agreement import (
    SIZE,
    SPLIT,
    assert_agreement,
    assert_all_agree,
    kept,
    plant,
)
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support import oracle, processes
from df2_assets_tests.support.builder import DataSet, claiming, jpeg
from df2_assets_tests.support.compare import assert_same_output, assert_same_refusals, refused
from df2_assets_tests.support.oracle import Refusal
from df2_assets_tests.support.run import read_table
from df2_assets_tests.support.site import Site

AT_ONCE = 500
MEMORY = 1536 * 2**20
"""The most memory of a worker: the largest image that is decoded, while it is converted to RGB."""


def test_any_image_is_cut_or_refused_without_affecting_others(
    faults: Faults,
) -> None:
    for start in range(0, faults.amount(short=500, long=3000), AT_ONCE):
        numbers = range(start, start + AT_ONCE)
        cases = [mutate_images.image(faults.random(number))[1] for number in numbers]
        assert assert_all_agree("images", cases) < MEMORY
        faults.count("images", len(cases))


def test_inputs_that_once_failed_pass_now() -> None:
    assert_all_agree("images", kept("images"))


def plain(size: tuple[int, int], mode: str = "RGB", **options: bool) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 90).save(out, "JPEG", **options)
    return out.getvalue()


LARGE = (9459, 9459)
"""The most pixels that are decoded."""

BOMBS = [claiming(jpeg(), *size) for size in ((60_000, 60_000), (65_000, 65_000), (9460, 9460))]


def test_an_image_of_any_size_is_cut_or_refused_in_bounded_memory(
    faults: Faults, tmp_path: Path
) -> None:
    cases = [*BOMBS, claiming(jpeg(), 9000, 9000), plain((65_000, 60)), plain((60, 65_000))]
    if faults.long:
        for mode in ("RGB", "L", "CMYK"):
            cases += [plain(LARGE, mode, progressive=each) for each in (True, False)]
    data = DataSet(tmp_path / "df2")
    plant(data, "images", cases)
    assert assert_agreement(data, tmp_path) < MEMORY
    faults.count("images", len(cases))


UNPRIVILEGED = """
import ctypes, os, sys
if os.geteuid() == 0:  # no longer above permissions: neither CAP_DAC_OVERRIDE nor _READ_SEARCH
    for capability in (1, 2):
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


Replace = Callable[[Path, Path], object]

NO_FILES: tuple[Replace, ...] = (
    lambda path, outside: os.mkfifo(path),
    lambda path, outside: path.mkdir(),
    lambda path, outside: path.symlink_to(outside),
    lambda path, outside: path.symlink_to(outside / "nothing"),
    lambda path, outside: path.symlink_to(path),
    lambda path, outside: path.symlink_to("/dev/zero"),
    lambda path, outside: path.symlink_to("/dev/tty"),
)
"""Functions that put something else in the place of a file."""


def move_to_a_locked_folder(path: Path, outside: Path) -> None:
    path.rename(outside / "safe" / path.name)
    path.symlink_to(outside / "safe" / path.name)


LOCKED: tuple[Replace, ...] = (lambda path, outside: path.chmod(0), move_to_a_locked_folder)
LINKED = 3


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Provide an empty site."""
    return Site(DataSet(tmp_path / "df2"), tmp_path / "sku")


def build_unprivileged(site: Site) -> processes.Text:
    """Run the real command without unneeded privileges."""
    command = (sys.executable, "-c", UNPRIVILEGED, *processes.DF2_ASSETS, "build")
    done = processes.run(command, site.environment(DF2_MAX_REFUSED=1), site.sku.parent)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_unreadable_and_special_files_are_refused_and_tried_again(
    site: Site, faults: Faults, tmp_path: Path
) -> None:
    """At first, something else is in the place of some files. At the end, all files are back.

    What was locked comes back with the same size and time. A link to a file outside the data set is
    as good as the file.
    """
    plant(site.data, "images", [jpeg(SIZE)] * (len(NO_FILES + LOCKED) + 1) * 2)
    site.image(LINKED).rename(tmp_path / "elsewhere.jpg")
    site.image(LINKED).symlink_to(tmp_path / "elsewhere.jpg")
    whole, part, outside = tmp_path / "whole", tmp_path / "part", tmp_path / "outside"
    assert oracle.build(site.data.root, whole, (SPLIT,)) == []
    rest = DataSet(tmp_path / "rest")
    shutil.copytree(site.data.root, rest.root)
    (outside / "safe").mkdir(parents=True)
    replaced: dict[Path, bytes] = {}
    locked = []
    refusals: Counter[Refusal] = Counter()
    free = iter([*range(LINKED + 1, 13), *range(15, 25)])
    for replace in NO_FILES + LOCKED:
        for of, reason in ((site.image, "unreadable_image"), (site.annotation, "unreadable_json")):
            path = of(next(free))
            if replace in NO_FILES:
                replaced[path] = path.read_bytes()
                path.unlink()
            else:
                locked.append(path)
            replace(path, outside)
            (rest.root / SPLIT / "annos" / f"{path.stem}.json").unlink()
            refusals[Refusal(SPLIT, path.stem, None, reason)] += 1
            faults.count("images" if of == site.image else "annotations")
    assert oracle.build(rest.root, part, (SPLIT,)) == []
    (outside / "safe").chmod(0)

    done = build_unprivileged(site)
    assert done.returncode == 0, done
    assert_same_refusals(refused(read_table(site.sku, "refusals", SPLIT)), refusals)
    assert_same_output(site.sku, part)

    (outside / "safe").chmod(0o700)
    for path in locked:
        path.chmod(0o600)
    for path, content in replaced.items():
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
        path.write_bytes(content)
    done = build_unprivileged(site)
    assert done.returncode == 0, done
    assert refused(read_table(site.sku, "refusals", SPLIT)) == Counter()
    assert_same_output(site.sku, whole)


def test_an_unreadable_folder_ends_the_build_with_a_message_and_loses_nothing(
    site: Site, tmp_path: Path
) -> None:
    plant(site.data, "images", [jpeg(SIZE)])
    site.build()
    shutil.copytree(site.sku, tmp_path / "before")
    split = site.data.root / SPLIT
    for folder in (split / "image", split / "annos", split):
        folder.chmod(0)
        done = build_unprivileged(site)
        folder.chmod(0o700)
        assert done.returncode == 1
        assert f"{folder} cannot be read: give this user the right to read it." in done.stderr
    assert_same_output(site.sku, tmp_path / "before")

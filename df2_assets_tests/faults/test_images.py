"""Images of every kind of wrong, and what may lie in an image's place: named once, and no more."""

import io
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from df2_assets_tests.faults import mutate_images
from df2_assets_tests.faults.agreement import (
    SIZE,
    SPLIT,
    assert_agreement,
    assert_all_agree,
    kept,
    plant_images,
)
from df2_assets_tests.faults.conftest import Faults, Figures
from df2_assets_tests.support import oracle, processes
from df2_assets_tests.support.builder import DataSet, claiming, jpeg
from df2_assets_tests.support.compare import assert_same_output, assert_same_refusals, refused
from df2_assets_tests.support.oracle import Refusal
from df2_assets_tests.support.run import build, read_table

AT_ONCE = 500
MEMORY = 1536 * 2**20
"""What a worker may take: the largest image that is decoded, while it is turned into RGB."""


def test_whatever_an_image_holds_it_is_cut_or_named_and_costs_nobody_else(
    faults: Faults, figures: Figures
) -> None:
    for start in range(0, faults.amount(short=500, long=3000), AT_ONCE):
        cases = [
            mutate_images.image(faults.random(number))[1]
            for number in range(start, start + AT_ONCE)
        ]
        assert assert_all_agree(plant_images, cases, "images") < MEMORY
        figures.count("images", len(cases))


def test_what_once_failed_does_so_no_longer() -> None:
    assert_all_agree(plant_images, [path.read_bytes() for path in kept("images")], "images")


def plain(size: tuple[int, int], mode: str = "RGB", **options: bool) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 90).save(out, "JPEG", **options)
    return out.getvalue()


LARGE = (9459, 9459)
"""As many pixels as are decoded at most."""

BOMBS = [claiming(jpeg(), *size) for size in ((60_000, 60_000), (65_000, 65_000), (9460, 9460))]


def test_an_image_of_any_size_is_cut_or_named_in_bounded_memory(
    faults: Faults, figures: Figures, tmp_path: Path
) -> None:
    cases = [*BOMBS, claiming(jpeg(), 9000, 9000), plain((65_000, 60)), plain((60, 65_000))]
    if faults.long:
        for mode in ("RGB", "L", "CMYK"):
            cases += [plain(LARGE, mode, progressive=each) for each in (True, False)]
    data = DataSet(tmp_path / "df2")
    plant_images(data, cases)
    assert assert_agreement(data, tmp_path) < MEMORY
    figures.count("images", len(cases))


UNPRIVILEGED = """
import ctypes, os, sys
if os.geteuid() == 0:  # no longer above permissions: neither CAP_DAC_OVERRIDE nor _READ_SEARCH
    for capability in (1, 2):
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


class Stead:
    """What may lie in a file's stead: a pipe, a folder, a link; or the file, locked away."""

    def __init__(self, outside: Path) -> None:
        self.outside = outside
        self.safe = outside / "safe"
        self.safe.mkdir(parents=True)

    def fifo(self, path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    def folder(self, path: Path) -> None:
        path.unlink()
        path.mkdir()

    def link_to_a_folder(self, path: Path) -> None:
        path.unlink()
        path.symlink_to(self.outside)

    def link_to_nowhere(self, path: Path) -> None:
        path.unlink()
        path.symlink_to(self.outside / "nothing")

    def link_to_itself(self, path: Path) -> None:
        path.unlink()
        path.symlink_to(path)

    def link_to_an_endless_device(self, path: Path) -> None:
        path.unlink()
        path.symlink_to("/dev/zero")

    def link_to_a_terminal(self, path: Path) -> None:
        path.unlink()
        path.symlink_to("/dev/tty")

    def file_that_nobody_may_read(self, path: Path) -> None:
        path.chmod(0)

    def link_into_a_locked_folder(self, path: Path) -> None:
        path.rename(self.safe / path.name)
        path.symlink_to(self.safe / path.name)


NO_FILES = (
    *(Stead.fifo, Stead.folder, Stead.link_to_a_folder, Stead.link_to_nowhere),
    *(Stead.link_to_itself, Stead.link_to_an_endless_device, Stead.link_to_a_terminal),
)
LOCKED = (Stead.file_that_nobody_may_read, Stead.link_into_a_locked_folder)
LINKED = 3


class Guest(NamedTuple):
    """A data set, built by the real command without a right too many."""

    folder: Path

    @property
    def data(self) -> DataSet:
        return DataSet(self.folder / "df2")

    @property
    def sku(self) -> Path:
        return self.folder / "sku"

    def build(self) -> processes.Text:
        environment = processes.environment(
            self.folder / "home",
            DF2_ROOT=self.data.root,
            SKU_ROOT=self.sku,
            SPLITS=SPLIT,
            DF2_WORKERS=1,
            DF2_MAX_REFUSED=1,
        )
        command = (sys.executable, "-c", UNPRIVILEGED, *processes.DF2_ASSETS, "build")
        said = processes.run(command, environment, self.folder)
        assert "Traceback" not in said.stdout + said.stderr
        return said

    def image(self, number: int) -> Path:
        return self.data.root / SPLIT / "image" / f"{number:06d}.jpg"

    def annotation(self, number: int) -> Path:
        return self.data.root / SPLIT / "annos" / f"{number:06d}.json"


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    return Guest(tmp_path)


def test_what_is_no_file_or_may_not_be_read_is_named_and_tried_again(
    guest: Guest, figures: Figures
) -> None:
    """In the stead of some files something else lies at first; in the end all are back.

    What was locked away comes back with the size and time that it had. A link out of the data set
    that leads to a file is as good as the file.
    """
    plant_images(guest.data, [jpeg(SIZE)] * (len(NO_FILES + LOCKED) + 1) * 2)
    guest.image(LINKED).rename(guest.folder / "elsewhere.jpg")
    guest.image(LINKED).symlink_to(guest.folder / "elsewhere.jpg")
    whole, part = guest.folder / "whole", guest.folder / "part"
    assert oracle.build(guest.data.root, whole, (SPLIT,)) == []
    shutil.copytree(guest.data.root, guest.folder / "rest")
    stead = Stead(guest.folder / "outside")
    contents: dict[Path, bytes] = {}
    refusals: Counter[Refusal] = Counter()
    free = iter([*range(LINKED + 1, 13), *range(15, 25)])
    for put in NO_FILES + LOCKED:
        for of, reason in (
            (guest.image, "unreadable_image"),
            (guest.annotation, "unreadable_json"),
        ):
            path = of(next(free))
            contents[path] = path.read_bytes()
            put(stead, path)
            (guest.folder / "rest" / SPLIT / "annos" / f"{path.stem}.json").unlink()
            refusals[Refusal(SPLIT, path.stem, None, reason)] += 1
            figures.count("images" if of == guest.image else "annotations")
    assert oracle.build(guest.folder / "rest", part, (SPLIT,)) == []
    stead.safe.chmod(0)

    said = guest.build()
    assert said.returncode == 0, said
    assert_same_refusals(refused(read_table(guest.sku, "refusals", SPLIT)), refusals)
    assert_same_output(guest.sku, part)

    stead.safe.chmod(0o700)
    for path, content in contents.items():
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        elif path.is_fifo() or (path.is_symlink() and stead.safe not in path.readlink().parents):
            path.unlink()
        elif path.is_file():
            path.chmod(0o600)
        if not path.exists():
            path.write_bytes(content)
    said = guest.build()
    assert said.returncode == 0, said
    assert refused(read_table(guest.sku, "refusals", SPLIT)) == Counter()
    assert_same_output(guest.sku, whole)


def test_a_folder_that_may_not_be_read_ends_the_build_with_a_word_and_costs_nothing(
    guest: Guest,
) -> None:
    plant_images(guest.data, [jpeg(SIZE)])
    assert build(guest.data.root, guest.sku, (SPLIT,)).success
    before = guest.folder / "before"
    shutil.copytree(guest.sku, before)
    split = guest.data.root / SPLIT
    for folder in (split / "image", split / "annos", split):
        folder.chmod(0)
        said = guest.build()
        folder.chmod(0o700)
        assert said.returncode == 1
        assert f"{folder} cannot be read: give this user the right to read it." in said.stderr
    assert_same_output(guest.sku, before)

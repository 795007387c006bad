"""Whatever is done to the input between two builds, the output is that of a clean build.

An edit that keeps both the size and the time of a file is only visible when the file is opened, and
builds do not open files that seem unchanged. So every edit here changes one of the two, or the
name.
"""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from df2_assets_tests.faults import mutate_annotations, mutate_images
from df2_assets_tests.faults.agreement import SPLIT
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.run import build, read_table
from df2_assets_tests.support.snapshots import contract, stamps

IMAGES: Final = 40


class Input:
    """The files of a split, and edits as people make them."""

    def __init__(self, data: DataSet, rng: Random) -> None:
        self.data = data
        self.rng = rng
        self.clock = 1_700_000_000 * 10**9

    def files(self, folder: str = "*") -> list[Path]:
        found = (self.data.root / SPLIT).glob(f"{folder}/*")
        return sorted(path for path in found if _is_plain(path))

    def one(self, folder: str = "*") -> Path:
        return self.rng.choice(self.files(folder))

    def new(self, folder: str) -> Path:
        """Return a name of six digits, probably unused, and similar to the others."""
        ending = {"image": ".jpg", "annos": ".json"}[folder]
        name = f"{self.rng.randint(1, 5 * IMAGES):06d}{ending}"
        path = self.data.root / SPLIT / folder / name
        _clear(path)
        return path

    def write(self, path: Path, content: bytes) -> None:
        """Write a file with a time that no file has had."""
        path.write_bytes(content)
        self.touch(path)

    def touch(self, path: Path) -> None:
        """Change the time of a file, forwards or backwards: only the difference matters."""
        self.clock += 1
        time = self.clock * self.rng.choice((1, 1, -1)) % 2**62
        os.utime(path, ns=(time, time))


def _clear(path: Path) -> None:
    """Remove anything but a file from a name, since opening a pipe would wait."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    elif not _is_plain(path):
        path.unlink(missing_ok=True)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def mutate_or_add_a_file(files: Input) -> None:
    folder = files.rng.choice(("annos", "image"))
    path = files.rng.choice((files.one, files.new))(folder)
    if folder == "annos":
        _, content = mutate_annotations.annotation(files.rng, files.rng.randint(1, 8))
    else:
        _, content = mutate_images.image(files.rng)
    files.write(path, content)


def add_more_of_both(files: Input) -> None:
    for path in (files.data.root / SPLIT).glob("*/*"):
        _clear(path)
    random_dataset(files.data.root, files.rng.randrange(10**6), (SPLIT,), images=8)


def remove_a_file(files: Input) -> None:
    files.one().unlink()


def rename_a_file(files: Input) -> None:
    """Rename a file. Size and time stay the same, only its owner changes."""
    path = files.one()
    path.rename(files.new(path.parent.name))


def copy_a_file_with_its_time(files: Input) -> None:
    path = files.one()
    other, status = files.new(path.parent.name), path.stat()
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(status.st_mtime_ns, status.st_mtime_ns))


def swap_two_files(files: Input) -> None:
    folder = files.rng.choice(("image", "annos"))
    one, other = files.rng.sample(files.files(folder), 2)
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    if one.stat().st_size == other.stat().st_size:
        files.touch(one)
        files.touch(other)


def touch_a_file(files: Input) -> None:
    files.touch(files.one())


def replace_by_as_many_bytes(files: Input) -> None:
    path = files.one("image")
    content = bytearray(path.read_bytes())
    if content:
        content[files.rng.randrange(len(content))] ^= 1 << files.rng.randrange(8)
    files.write(path, bytes(content))


def replace_at_the_same_time(files: Input) -> None:
    """Replace a file by one of another size with the same time, as from an archive."""
    path = files.one()
    time = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes() + b" ")
    os.utime(path, ns=(time, time))


def put_something_else_in_its_stead(files: Input) -> None:
    path = files.one()
    path.unlink()
    files.rng.choice((os.mkfifo, os.mkdir, lambda at: os.symlink("nowhere", at)))(path)


EDITS: Final[tuple[Callable[[Input], None], ...]] = (
    *[mutate_or_add_a_file] * 5,
    *(add_more_of_both, remove_a_file, rename_a_file, copy_a_file_with_its_time, swap_two_files),
    *(touch_a_file, replace_by_as_many_bytes, replace_at_the_same_time),
    put_something_else_in_its_stead,
)


def test_after_any_edit_the_output_is_that_of_a_clean_build(faults: Faults, tmp_path: Path) -> None:
    rng = faults.random()
    data = random_dataset(tmp_path / "df2", rng.randrange(10**6), (SPLIT,), images=IMAGES, bad=0.1)
    files, sku, done = Input(data, rng), tmp_path / "sku", []
    assert build(data.root, sku, max_refused=1.0).success
    for number in range(faults.amount(short=4, long=300)):
        for edit in rng.sample(EDITS, rng.choice((1, 1, 1, 2, 5))):
            edit(files)
            done.append(edit.__name__)
        result = build(data.root, sku, max_refused=1.0)
        assert result.success, (done, result.problems)
        clean = tmp_path / f"clean{number}"
        assert build(data.root, clean, max_refused=1.0).success
        assert contract(sku) == contract(clean), done
        refused, expected = (read_table(root, "refusals", SPLIT) for root in (sku, clean))
        assert refused.equals(expected), done
        if number % 10 == 0:
            before = stamps(sku)
            assert not build(data.root, sku, max_refused=1.0).runs[0].changed, done
            assert stamps(sku) == before, done
        faults.count("edits")

"""Pictures as files: one per content, numbered, and limited in number."""

from pathlib import Path

from df2_assets.report.picture_files import KEPT, write_picture
from df2_assets.report.tiles import Picture
from df2_assets.store.layout import Roots

KIND, SPLIT = "crops.contact_sheet", "train"


def write(roots: Roots, content: bytes, split: str = SPLIT) -> Path:
    return write_picture(roots, KIND, split, Picture("a picture", content, ".jpg"))


def test_a_picture_is_written_once_under_a_name_of_its_content(roots: Roots) -> None:
    path = write(roots, b"one")
    assert path.read_bytes() == b"one"
    written = path.stat().st_mtime_ns
    other = write(roots, b"two")
    assert (path.parent, path.read_bytes()) == (other.parent, b"one")
    assert write(roots, b"one") == path
    assert path.stat().st_mtime_ns == written
    assert sorted(path.parent.iterdir()) == [path, other]


def test_the_newest_pictures_of_each_split_and_foreign_files_are_kept(roots: Roots) -> None:
    elsewhere = write(roots, b"0", "validation")
    first = write(roots, b"0")
    foreign = first.with_name(".DS_Store")
    foreign.touch()
    written = [first, *(write(roots, str(number).encode()) for number in range(1, KEPT + 3))]
    assert sorted(first.parent.iterdir()) == [foreign, *written[-KEPT:]]
    assert elsewhere.exists()

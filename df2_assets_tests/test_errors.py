"""The texts of errors, and the escaping of untrusted text and of users' own text."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets.errors import (
    DiskFullError,
    FileAccessError,
    escape_controls,
    explain_os_error,
    name_os_errors,
)


def circle(folder: Path) -> Path:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    return folder / "a"


def link_to_nothing(folder: Path) -> Path:
    (folder / "a").symlink_to("nowhere")
    return folder / "a"


def file(folder: Path) -> Path:
    (folder / "a").write_text("")
    return folder / "a"


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (lambda folder: (circle(folder) / "x").write_text(""), "Too many levels of symbolic links"),
        (lambda folder: link_to_nothing(folder).mkdir(), "a is a link to nowhere, which"),
        (lambda folder: (link_to_nothing(folder) / "x").read_text(), "a is a link to nowhere, wh"),
        (lambda folder: file(folder).mkdir(), "File exists. Move away the file"),
        (lambda folder: (file(folder) / "x").mkdir(), "Not a directory. Move away the file"),
        (lambda folder: folder.read_text(), "Is a directory. Move away the folder"),
        (lambda folder: (folder / "x").read_text(), "No such file or directory. Check the path"),
        (lambda folder: (folder / ("n" * 300)).mkdir(), "File name too long. Choose a shorter"),
        (lambda folder: os.replace(folder / "x\n", folder / "y"), r"x\n and "),
    ],
)
def test_a_system_error_becomes_one_line_with_place_and_remedy(
    tmp_path: Path, use: Callable[[Path], object], says: str
) -> None:
    with pytest.raises(OSError, match="Errno") as refused:
        use(tmp_path)
    told = str(explain_os_error(refused.value))
    assert told.startswith(str(tmp_path))
    assert says in told
    assert told.isprintable()


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_system_error_becomes_one_line(number: int) -> None:
    told = explain_os_error(OSError(number, "as the library says", "/here"))
    assert isinstance(told, FileAccessError | DiskFullError)
    assert str(told).startswith(f"/here: {os.strerror(number)}. ")


def test_an_error_without_number_or_place_keeps_its_text() -> None:
    told = str(explain_os_error(OSError("pipe\x1b broken")))
    assert r"pipe\x1b broken" in told
    assert told.isprintable()


def test_an_error_without_a_file_gets_one() -> None:
    """The errors of a full disk while writing, and of a disk without locks, name no file."""
    for number, kind in ((errno.ENOSPC, DiskFullError), (errno.ENOLCK, FileAccessError)):
        with pytest.raises(OSError, match="Errno") as refused, name_os_errors("/data/x"):
            raise OSError(number, os.strerror(number))
        told = explain_os_error(refused.value)
        assert type(told) is kind
        assert str(told).startswith(f"/data/x: {os.strerror(number)}. ")


def test_a_users_own_text_is_shown_unchanged_on_one_line() -> None:
    written = "caf\xe9 \u0646\u06cc\u0645\u200c\u0641\u0627\u0635\u0644\u0647 \u3000\xa0\xad"
    assert escape_controls(written) == written
    assert escape_controls("a\u202eb\u2066c") == r"a\u202eb\u2066c"
    assert escape_controls("abcdef", 5) == "ab..."
    assert (
        escape_controls("a\r\n\x1b[1m\x85\u2028\udcff\ud800") == r"a\r\n\x1b[1m\x85\u2028\xff\ud800"
    )

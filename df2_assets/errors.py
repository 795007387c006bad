"""Every error that a person can cause, each with a message of one or two lines.

A message says what is wrong, where, and what to do. Nothing else in the project is raised on
purpose; anything else that surfaces is a bug.
"""

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters of the categories Cc, Zl, Zp and Cs: controls, ends of lines, and lone surrogates,
which stand for bytes that are not UTF-8."""

_SHOWN_ESCAPED: Final = re.compile(f"{_CONTROLS.pattern}|[\u202a-\u202e\u2066-\u2069]")
"""These, and explicit directions (UAX 9), which would turn round what else is on the line."""


class Df2Error(Exception):
    """Base of all errors of the project that a person can mend."""


class SettingsError(Df2Error):
    """An environment variable, option or run config has a value that cannot be used."""


class TemplatesError(Df2Error):
    """A file of prompt templates cannot be used."""


class LayoutError(Df2Error):
    """`DF2_ROOT` does not look like an unpacked DeepFashion2."""


class RootsError(Df2Error):
    """`DF2_ROOT` and `SKU_ROOT` lie where a build could destroy something."""


class OutputError(Df2Error):
    """What lies under `SKU_ROOT` cannot be written, or is not the project's to change."""


class DiskFullError(OutputError):
    """The disk cannot hold what a build would write."""


class FileAccessError(Df2Error):
    """The system does not let a file or folder be read, written or locked."""


class StorageError(Df2Error):
    """An object store does not answer, or does not do what it is asked."""


class BusyError(Df2Error):
    """Another build holds the split."""


class LostLockError(Df2Error):
    """A build lost its right to write a split while it was writing."""


class AnotherDataSetError(Df2Error):
    """A split under `SKU_ROOT` was built from another data set than the current one."""


class NewerReleaseError(Df2Error):
    """A newer release of the project wrote what lies under `SKU_ROOT`."""


class MissingSplitError(Df2Error):
    """A folder is not there, or has no split of that name, that could be read."""


class MissingTableError(Df2Error):
    """A table that an asset reads has not been made yet."""


class ProvenanceError(Df2Error):
    """A table was made from another version of its input than the current one."""


class IncompleteSplitError(Df2Error):
    """A split is half-built: its files do not belong together."""


class BuildError(Df2Error):
    """A build failed where no other of these errors did: a check with severity ERROR, or a bug."""


class StoppedError(Df2Error):
    """Somebody ended a build: Ctrl-C, or SIGTERM."""


class SampleError(Df2Error):
    """A sample data set cannot be written there or in that size."""


_IN_THE_WAY: Final = "move away the file that lies where a folder belongs"
_LOCKS: Final = "mount it with locks, or choose a folder on another disk"
_RIGHTS: Final = "give this user the right to it, or choose another folder"
_ROOM: Final = "make room there, or choose a folder on another disk"
_REMEDIES: Final = {
    errno.EACCES: _RIGHTS,
    errno.EDQUOT: _ROOM,
    errno.EEXIST: _IN_THE_WAY,
    errno.EIO: "mend the disk or its network",
    errno.EISDIR: "move away the folder that lies where a file belongs",
    errno.ELOOP: "remove the links that lead to each other",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.ENFILE: "end programs that hold many files open",
    errno.ENOENT: "check the path, and whether something else removes files there",
    errno.ENOLCK: _LOCKS,
    errno.ENOMEM: "free memory, or use fewer workers",
    errno.ENOSPC: _ROOM,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.ENOTSUP: "choose a folder on another disk",
    errno.EPERM: _RIGHTS,
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.ESTALE: "mount the network disk again",
    errno.ETIMEDOUT: "mend the disk or its network",
}


def explain_os_error(error: OSError) -> Df2Error:
    """Return what the system refuses, where, and what to do about it, as an error of one line."""
    where = [_path(name) for name in (error.filename, error.filename2) if name is not None]
    kind = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else FileAccessError
    is_absent = error.errno in (errno.ENOENT, errno.EEXIST)
    if where and is_absent and (link := find_dead_link(where[-1])) is not None:
        target = escape_controls(os.readlink(link))
        return kind(
            f"{escape_controls(link)} is a link to {target}, which does not exist: remove the link "
            "or fix it."
        )
    reason = os.strerror(error.errno) if error.errno else escape_untrusted(str(error), 300)
    remedy = _REMEDIES.get(error.errno or 0, "mend this, and try again")
    subject = " and ".join(map(escape_controls, where)) or "The system refuses a file operation"
    return kind(f"{subject}: {reason}. {remedy[0].upper()}{remedy[1:]}.")


def find_dead_link(path: str) -> str | None:
    """Return the link in a path, or above it, that leads to nothing; None where there is none."""
    while path not in ("", os.sep):
        if os.path.islink(path) and not os.path.exists(path):
            return path
        path = os.path.dirname(path)
    return None


def _path(name: str | bytes | int) -> str:
    return f"file descriptor {name}" if isinstance(name, int) else os.fsdecode(name)


@contextmanager
def name_os_errors(path: object) -> Iterator[None]:
    """Let an OSError that names no file, such as one of a full disk, name `path`."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def escape_untrusted(value: object, limit: int = 80) -> str:
    """`value` as printable ASCII of at most `limit` characters, fit for a log or a terminal.

    Text from annotations and file names is anybody's: escapes and control characters in it must
    not reach a terminal.
    """
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("unicode_escape").decode("ascii")
    return text if len(text) <= limit else text[: limit - 3] + "..."


def has_controls(text: str) -> bool:
    """Return whether a text has a control character, an end of a line, or a byte that is no UTF-8.

    No setting, path or prompt of a person's own has one on purpose. Joiners, spaces of other widths
    and directions it may have: many scripts cannot be written without them.
    """
    return _CONTROLS.search(text) is not None


def escape_controls(value: object, limit: int | None = None) -> str:
    """Return a person's own text in one line, of at most `limit` characters where that is given.

    Controls and directions in it are escaped. Unlike `escape_untrusted`, it leaves every script
    as it is.
    """
    text = value if isinstance(value, str) else repr(value)
    text = _SHOWN_ESCAPED.sub(_escape, text)
    return text if limit is None or len(text) <= limit else text[: limit - 3] + "..."


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    byte = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code  # as Python reads file names
    return chr(byte).encode("unicode_escape").decode("ascii")


def quote_json(value: object, limit: int = 80) -> str:
    """Return a value from a JSON file as JSON, in printable ASCII of at most `limit` characters.

    A text is in quotes, to tell it from a number. Like the result of `escape_untrusted`, it is
    safe to print on a terminal.
    """
    text = json.dumps(value).replace("\x7f", r"\u007f")
    if len(text) <= limit:
        return text
    end = '..."' if isinstance(value, str) else "..."
    return text[: limit - len(end)] + end

"""The errors that users can cause, and the escaping of text in messages.

A message has one or two lines: what is wrong, where, and what to do. Any other exception that
reaches a user is a bug.
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
which represent bytes that are not UTF-8."""

_SHOWN_ESCAPED: Final = re.compile(f"{_CONTROLS.pattern}|[\u202a-\u202e\u2066-\u2069]")
"""Control characters and explicit directions (UAX 9), which would reorder the rest of the line."""


class Df2Error(Exception):
    """The base of all errors that a user can fix."""


class SettingsError(Df2Error):
    """An environment variable, option or run config has a value that cannot be used."""


class TemplatesError(Df2Error):
    """A file of prompt templates cannot be used."""


class CaptionsError(Df2Error):
    """A file of captions cannot be used."""


class EncoderError(Df2Error):
    """An encoder cannot be loaded, or does not return a vector for each crop."""


class ResultsError(Df2Error):
    """A file of retrieval results cannot be used."""


class VariantsError(Df2Error):
    """A file of crop variants cannot be used."""


class LayoutError(Df2Error):
    """`DF2_ROOT` is not an unpacked DeepFashion2."""


class RootsError(Df2Error):
    """A build with this `DF2_ROOT` and `SKU_ROOT` could destroy something."""


class OutputError(Df2Error):
    """Files under `SKU_ROOT` cannot be written, or do not belong to the project."""


class DiskFullError(OutputError):
    """The disk has too little space for what a build would write."""


class FileAccessError(Df2Error):
    """The system does not let a file or folder be read, written or locked."""


class StorageError(Df2Error):
    """An object store does not answer, or refuses a request."""


class BusyError(Df2Error):
    """Another build has locked the split."""


class LostLockError(Df2Error):
    """A build lost the lock of a split while it was writing."""


class AnotherDataSetError(Df2Error):
    """A split under `SKU_ROOT` was built from another data set than the current one."""


class NewerReleaseError(Df2Error):
    """A newer release of the project wrote the files under `SKU_ROOT`."""


class MissingSplitError(Df2Error):
    """A folder does not exist, or has no readable split of that name."""


class MissingTableError(Df2Error):
    """A table that an asset reads does not exist yet."""


class ProvenanceError(Df2Error):
    """A table was built from an earlier version of its input."""


class IncompleteSplitError(Df2Error):
    """A split is half-built: its files come from different builds."""


class BuildError(Df2Error):
    """A build failed for another reason: a check with severity ERROR, or a bug."""


class StoppedError(Df2Error):
    """A build was stopped by Ctrl-C or SIGTERM."""


class SampleError(Df2Error):
    """A sample data set cannot be written in this folder, or with this number of images."""


_IN_THE_WAY: Final = "move away the file that is in the place of a folder"
_LOCKS: Final = "mount it with locks, or choose a folder on another disk"
_RIGHTS: Final = "give this user permission, or choose another folder"
_ROOM: Final = "free some space, or choose a folder on another disk"
_REMEDIES: Final = {
    errno.EACCES: _RIGHTS,
    errno.EDQUOT: _ROOM,
    errno.EEXIST: _IN_THE_WAY,
    errno.EIO: "check the disk and its network",
    errno.EISDIR: "move away the folder that is in the place of a file",
    errno.ELOOP: "remove the links that form a circle",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.ENFILE: "end programs that have many files open",
    errno.ENOENT: "check the path, and whether another program removes files there",
    errno.ENOLCK: _LOCKS,
    errno.ENOMEM: "free memory, or use fewer workers",
    errno.ENOSPC: _ROOM,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.ENOTSUP: "choose a folder on another disk",
    errno.EPERM: _RIGHTS,
    errno.EROFS: "choose a folder on a writable disk",
    errno.ESTALE: "mount the network disk again",
    errno.ETIMEDOUT: "check the disk and its network",
}


def explain_os_error(error: OSError) -> Df2Error:
    """Return an OSError as an error of one line: what failed, where, and what to do about it."""
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
    remedy = _REMEDIES.get(error.errno or 0, "fix this, and try again")
    subject = " and ".join(map(escape_controls, where)) or "A file operation failed"
    return kind(f"{subject}: {reason}. {remedy[0].upper()}{remedy[1:]}.")


def find_dead_link(path: str) -> str | None:
    """Return the path, or the folder above it, that is a link without a target; else None."""
    while path not in ("", os.sep):
        if os.path.islink(path) and not os.path.exists(path):
            return path
        path = os.path.dirname(path)
    return None


def _path(name: str | bytes | int) -> str:
    return f"file descriptor {name}" if isinstance(name, int) else os.fsdecode(name)


@contextmanager
def name_os_errors(path: object) -> Iterator[None]:
    """Add `path` to an OSError that names no file, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def escape_untrusted(value: object, limit: int = 80) -> str:
    """Return a value as printable ASCII of at most `limit` characters, for a log or a terminal.

    Text in annotations and file names cannot be trusted: its escape sequences and control
    characters must not reach a terminal.
    """
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("unicode_escape").decode("ascii")
    return text if len(text) <= limit else text[: limit - 3] + "..."


def describe_exception(error: BaseException) -> str:
    """Return an exception of code that is not the project's as one line for a message."""
    return f"{type(error).__name__}: {escape_untrusted(str(error), 200)}"


def has_controls(text: str) -> bool:
    """Return whether a text has a control character, a line end, or a byte that is not UTF-8.

    Settings, paths and prompts have none of these on purpose. Joiners, spaces of other widths and
    directions are fine: many scripts cannot be written without them.
    """
    return _CONTROLS.search(text) is not None


def escape_controls(value: object, limit: int | None = None) -> str:
    """Return a user's own text on one line, of at most `limit` characters if there is a limit.

    Control characters and directions are escaped. Unlike `escape_untrusted`, this keeps every
    script readable.
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

    Strings have quotes, which distinguish them from numbers. Like the result of
    `escape_untrusted`, this is safe to print on a terminal.
    """
    text = json.dumps(value).replace("\x7f", r"\u007f")
    if len(text) <= limit:
        return text
    end = '..."' if isinstance(value, str) else "..."
    return text[: limit - len(end)] + end

"""A root as it was given, a path or a URL, and what lies below it."""

import os
import re
from functools import cache
from pathlib import Path, PosixPath
from typing import IO, Any, Final, Self
from urllib.parse import urlsplit

from df2_assets.errors import RootsError, SettingsError, escape_controls, has_controls
from df2_assets.store.local import LocalStore
from df2_assets.store.objects import ObjectStore
from df2_assets.store.store import Address, Store

CONTROLS_REMEDY: Final = (
    "give it in UTF-8 and without control characters, such as the \\r at the ends of Windows lines"
)
"""What to do about text for which `has_controls` is true."""

_SCHEMES: Final = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gs"),
    **dict.fromkeys(("az", "azure", "adl", "abfs", "abfss"), "az"),
}
"""The one spelling of each scheme of a URL."""

_ONE_SLASH: Final = re.compile(r"^([a-z][a-z0-9+.-]*):/(?!/)")
"""A URL as pathlib leaves it: it makes one slash of two."""

_LOCAL: Final = LocalStore()
_bucket: Final = cache(ObjectStore)


def store_at(place: Address) -> Store:
    """Return the store in which a place lies: this alone tells addresses apart."""
    scheme, found, rest = str(place).partition("://")
    return _bucket(f"{scheme}://{rest.partition('/')[0]}") if found else _LOCAL


class Location(PosixPath):
    """A place in a store, by its address: a path of this machine, or `scheme://bucket/key`.

    What pathlib does with names works on it as on any path. What looks at files asks the store.
    What only files of this machine can do raises TypeError in an object store.
    """

    @property
    def store(self) -> Store:
        return store_at(self)

    def __str__(self) -> str:
        return _ONE_SLASH.sub(r"\1://", super().__str__())

    def __fspath__(self) -> str:
        if is_url(address := str(self)):
            raise TypeError(f"{address} is no file of this machine")
        return address

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return self.store.stat(str(self), follow_symlinks=follow_symlinks)

    def is_dir(self) -> bool:
        return self.store.is_folder(str(self))

    def is_symlink(self) -> bool:
        return self.store.is_link(str(self))

    def open(self, mode: str = "r", *arguments: Any, **options: Any) -> IO[Any]:  # type: ignore[override]
        names = ("buffering", "encoding", "errors", "newline")
        options |= dict(zip(names, arguments, strict=False))
        return self.store.open(str(self), mode, **options)

    def unlink(self, missing_ok: bool = False) -> None:
        self.store.unlink(str(self), missing_ok)

    def resolve(self, strict: bool = False) -> Self:
        return type(self)(self.store.resolve(str(self)))

    def as_uri(self) -> str:
        return self.store.uri(str(self))


def is_url(text: str) -> bool:
    return "://" in text


def locate(text: str, base: Path | None = None) -> Location:
    """Return the place that `text` names; a relative path lies in `base`, by default where one is.

    Raises RootsError for a URL of another store, that names no bucket, or holds what may be a
    secret, and for text with control characters or bytes that are not UTF-8; SettingsError for an
    unknown home.
    """
    if has_controls(text):
        raise RootsError(f"'{escape_controls(text)}' cannot be used: {CONTROLS_REMEDY}.")
    if not is_url(text):
        return Location((base or Path.cwd()) / expand(text))
    scheme, _, rest = text.partition("://")
    if "@" in urlsplit(text).netloc or "?" in rest or "#" in rest:
        raise RootsError(
            f"A {scheme}:// address has a user, password or query in it: give a bucket and a "
            "prefix alone, and credentials through the client's own configuration."
        )
    if scheme == "file" or not rest.strip("/") or rest.startswith("/"):
        raise RootsError(f"{text} names no bucket: give a path, or s3://bucket/prefix.")
    if "//" in rest.rstrip("/") or {".", ".."} & set(rest.split("/")):
        raise RootsError(f"{text} has an empty part, a . or a .. in it: leave it out.")
    if scheme not in _SCHEMES:
        raise RootsError(
            f"{scheme}:// cannot be used: give a path, or s3://, gs:// or az:// with a bucket and "
            "a prefix."
        )
    return Location(f"{_SCHEMES[scheme]}://{rest}")


def expand(text: str) -> Path:
    """Return a path with the home folder for a leading `~`.

    Raises SettingsError where nothing says which folder that is: an unknown user, or no HOME.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        user = text.partition("/")[0]
        raise SettingsError(
            f"{text} cannot be used: the home folder of {user} is not known. Give the path in full."
        ) from None

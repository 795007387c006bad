"""Addresses of files: a path on this machine, or a URL of an object store."""

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
"""What to do about a text for which `has_controls` is true."""

_SCHEMES: Final = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gs"),
    **dict.fromkeys(("az", "azure", "adl", "abfs", "abfss"), "az"),
}
"""The canonical spelling of each URL scheme."""

_ONE_SLASH: Final = re.compile(r"^([a-z][a-z0-9+.-]*):/(?!/)")
"""A URL after pathlib has turned its two slashes into one."""

_LOCAL: Final = LocalStore()
_bucket: Final = cache(ObjectStore)


def store_at(place: Address) -> Store:
    """Return the store of an address. Only this function distinguishes the kinds of addresses."""
    scheme, separator, rest = str(place).partition("://")
    return _bucket(f"{scheme}://{rest.partition('/')[0]}") if separator else _LOCAL


class Location(PosixPath):
    """An address in a store: a path on this machine, or `scheme://bucket/key`.

    Methods of pathlib that work on names work as usual. Methods that access files ask the store.
    What only local files can do raises TypeError in an object store.
    """

    @property
    def store(self) -> Store:
        return store_at(self)

    def __str__(self) -> str:
        return _ONE_SLASH.sub(r"\1://", super().__str__())

    def __fspath__(self) -> str:
        if is_url(address := str(self)):
            raise TypeError(f"{address} is not a file on this machine")
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
    """Return the location that a text names. A relative path is relative to `base`.

    By default, `base` is the current folder. Raises RootsError for a URL with an unknown scheme,
    without a bucket or with what may be a secret, and for a text with control characters or bytes
    that are not UTF-8. Raises SettingsError for an unknown home folder.
    """
    if has_controls(text):
        raise RootsError(f"'{escape_controls(text)}' cannot be used: {CONTROLS_REMEDY}.")
    if not is_url(text):
        return Location((base or Path.cwd()) / expand(text))
    scheme, _, rest = text.partition("://")
    if "@" in urlsplit(text).netloc or "?" in rest or "#" in rest:
        raise RootsError(
            f"A {scheme}:// address contains a user, password or query: give only a bucket and "
            "a prefix, and set credentials in the configuration of the client."
        )
    if scheme == "file" or not rest.strip("/") or rest.startswith("/"):
        raise RootsError(f"{text} names no bucket: give a path, or s3://bucket/prefix.")
    if "//" in rest.rstrip("/") or {".", ".."} & set(rest.split("/")):
        raise RootsError(f"{text} contains an empty part, a . or a ..: remove it.")
    if scheme not in _SCHEMES:
        raise RootsError(
            f"{scheme}:// cannot be used: give a path, or s3://, gs:// or az:// with a bucket and "
            "a prefix."
        )
    return Location(f"{_SCHEMES[scheme]}://{rest}")


def expand(text: str) -> Path:
    """Return a path with the home folder in place of a leading `~`.

    Raises SettingsError if the home folder is unknown: there is no such user, or no HOME.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        user = text.partition("/")[0]
        raise SettingsError(
            f"{text} cannot be used: the home folder of {user} is unknown. Give the full path."
        ) from None

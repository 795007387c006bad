"""The address of an object, or of what lies below it, with the face of a path."""

import io
import os
import re
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PosixPath, PurePosixPath
from typing import IO, Any, Final, Self

from df2_assets.store.objects.client import Client, client, stamp, store_of

_PROTOCOL: Final = re.compile(r"^([a-z][a-z0-9+.-]*):/(?!/)")
"""As pathlib leaves it: it makes one slash of two."""


class ObjectPath(PosixPath):
    """`protocol://bucket/key`. What pathlib does with names works on it as on any path.

    Those methods that look at files ask the store instead, and say how often; they raise
    StorageError where it does not answer. All others of pathlib, and whatever takes a file of this
    machine, raise TypeError: nothing is read or written beside the store by mistake.
    """

    def __str__(self) -> str:
        return _PROTOCOL.sub(r"\1://", super().__str__())

    def __fspath__(self) -> str:
        raise TypeError(f"{self} is no file of this machine")

    @property
    def key(self) -> str:
        """Bucket and key, as the client takes them."""
        return str(self).partition("://")[2]

    @property
    def client(self) -> Client:
        return client(str(self).partition("://")[0])

    @property
    def place(self) -> tuple[str, PurePosixPath]:
        """The store, and bucket and key in it: equal where two addresses name one object."""
        return store_of(str(self).partition("://")[0]), PurePosixPath(self.key)

    def as_uri(self) -> str:
        return str(self)

    def resolve(self, strict: bool = False) -> Self:
        """There are no links among objects."""
        return self

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Bytes and, as the time of change, the stamp of the entity tag. One request.

        Raises FileNotFoundError.
        """
        found = self.client.head(self.key)
        status = (stat.S_IFREG, 0, 0, 1, 0, 0, found.size or 0, 0, 0, 0)
        return os.stat_result(status, {"st_mtime_ns": stamp(found.tag)})

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Whether there is an object of this name. One request."""
        try:
            self.client.head(self.key)
        except FileNotFoundError:
            return False
        return True

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """See `exists`."""
        return self.exists()

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether anything lies below. One request."""
        return any(True for _ in self.client.listed(self.key, deep=True, limit=1))

    def is_symlink(self) -> bool:
        """No object is."""
        return False

    def open(  # type: ignore[override]
        self, mode: str = "r", *, encoding: str | None = None
    ) -> IO[Any]:
        """The object in memory, to be read. Raises FileNotFoundError. One request."""
        if mode not in ("r", "rb"):
            raise TypeError(f"{self} is no file of this machine: store.files writes it")
        whole = io.BytesIO(self.read_bytes())
        return whole if "b" in mode else io.TextIOWrapper(whole, encoding)

    def read_bytes(self) -> bytes:
        """Raises FileNotFoundError. One request."""
        return self.client.get(self.key)[0]

    def read_text(
        self, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> str:
        """See `read_bytes`."""
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def unlink(self, missing_ok: bool = True) -> None:
        """One request; what is not there is none the worse."""
        self.client.delete([self.key])

    def glob(self, pattern: str, **_: Any) -> Iterator[Self]:  # type: ignore[override]
        """Objects below whose name matches. A request a thousand that lie there."""
        for found in self.client.listed(self.key, deep=True):
            if fnmatchcase(found.name, pattern):
                yield self / found.name

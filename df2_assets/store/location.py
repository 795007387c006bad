"""A root as it was given, a path or a URL: the one place that tells them apart."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from df2_assets.errors import RootsError
from df2_assets.store.objects.path import ObjectPath


def is_url(text: str) -> bool:
    return "://" in text


def locate(text: str, base: Path | None = None) -> Path:
    """The place that `text` names; a relative path lies in `base`, by default where one is.

    Raises RootsError for a URL that names no bucket, or holds what may be a secret.
    """
    if not is_url(text):
        return (base or Path.cwd()) / Path(text).expanduser()
    protocol, _, rest = text.partition("://")
    if "@" in urlsplit(text).netloc or "?" in rest or "#" in rest:
        raise RootsError(
            f"A {protocol}:// address has a user, password or query in it: give a bucket and a "
            "prefix alone, and credentials through the client's own configuration."
        )
    if protocol == "file" or not rest.strip("/") or rest.startswith("/"):
        raise RootsError(f"{text} names no bucket: give a path, or protocol://bucket/prefix.")
    if "//" in rest.rstrip("/") or {".", ".."} & set(rest.split("/")):
        raise RootsError(f"{text} has an empty part, a . or a .. in it: leave it out.")
    return ObjectPath(text)


def names(folder: Path) -> list[str]:
    """The names in a folder, in any order; none where it is not there."""
    if isinstance(folder, ObjectPath):
        return [found.name for found in folder.client.listed(folder.key, deep=False)]
    return os.listdir(folder) if folder.is_dir() else []

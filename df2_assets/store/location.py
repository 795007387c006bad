"""A root as it was given, a path or a URL: the one place that tells them apart."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from df2_assets.errors import RootsError, SettingsError, escaped, has_controls
from df2_assets.store.objects.path import ObjectPath

CONTROLS_REMEDY: Final = (
    "give it in UTF-8 and without control characters, such as the \\r at the ends of Windows lines"
)
"""What to do about text for which `has_controls` is true."""


def is_url(text: str) -> bool:
    return "://" in text


def locate(text: str, base: Path | None = None) -> Path:
    """The place that `text` names; a relative path lies in `base`, by default where one is.

    Raises RootsError for a URL that names no bucket, or holds what may be a secret, and for text
    with control characters or bytes that are not UTF-8; SettingsError for an unknown home.
    """
    if has_controls(text):
        raise RootsError(f"'{escaped(text)}' cannot be used: {CONTROLS_REMEDY}.")
    if not is_url(text):
        return (base or Path.cwd()) / expand(text)
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


def without_links(root: Path) -> Path:
    """Return a root with all links followed; `Path.resolve` fails where they lead in a circle."""
    return root if isinstance(root, ObjectPath) else Path(os.path.realpath(root))


def names(folder: Path) -> list[str]:
    """The names in a folder, in any order; none where it is not there."""
    if isinstance(folder, ObjectPath):
        return [found.name for found in folder.client.listed(folder.key, deep=False)]
    return os.listdir(folder) if folder.is_dir() else []

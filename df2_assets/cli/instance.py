"""The Dagster instance that commands, the UI and its runs share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Final
from urllib.parse import unquote

import dagster as dg
import filelock

from df2_assets.defs.runs.connections import lasting_connections
from df2_assets.errors import (
    SettingsError,
    escape_controls,
    escape_untrusted,
    explain_os_error,
    has_controls,
)
from df2_assets.settings import PACKAGE, PROJECT, Settings
from df2_assets.store.layout import Roots
from df2_assets.store.location import CONTROLS_REMEDY, expand

DEFAULT_HOME: Final = PROJECT / ".dagster"
"""The default DAGSTER_HOME."""

_CONFIGURATION: Final = PACKAGE / "defs" / "dagster.yaml"

_DATABASES = ("alembic", "psycopg2", "sqlalchemy", "sqlite3")
"""Packages that store Dagster's history. Their errors are about DAGSTER_HOME."""


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """Open the instance at DAGSTER_HOME, by default DEFAULT_HOME, for a block.

    A home without a `dagster.yaml` gets the one of this package. Raises SettingsError where Dagster
    cannot open the home, or the block cannot use its database.
    """
    setting = os.environ.get("DAGSTER_HOME") or str(DEFAULT_HOME)
    if has_controls(setting):
        raise SettingsError(f"DAGSTER_HOME is '{escape_controls(setting)}': {CONTROLS_REMEDY}.")
    home = expand(setting).absolute()
    if unquote(str(home)) != str(home) or set("*?[") & set(str(home)):
        raise SettingsError(
            f"DAGSTER_HOME ({home}) has a *, ?, [ or % in it, which Dagster reads as part of a "
            "pattern or an address: set it to a folder without them."
        )
    with lasting_connections():
        try:
            home.mkdir(parents=True, exist_ok=True)
            os.environ["DAGSTER_HOME"] = str(home)
            # Two commands that both prepared a new home would leave it unusable.
            with filelock.FileLock(home / ".df2_assets.lock"):
                if not (home / "dagster.yaml").exists():
                    (home / "dagster.yaml").write_bytes(_CONFIGURATION.read_bytes())
                instance = dg.DagsterInstance.get()
        except Exception as error:  # of YAML, Dagster's config, a package, or a database
            raise _unusable(home, error) from error
        try:
            with instance:
                yield instance
        except Exception as error:
            if type(error).__module__.partition(".")[0] in _DATABASES:
                raise _unusable(home, error) from error
            raise


def _unusable(home: Path, error: Exception) -> SettingsError:
    message = str(explain_os_error(error) if isinstance(error, OSError) else error)
    lines = (message or type(error).__name__).split("\n\n")[0]
    return SettingsError(
        f"DAGSTER_HOME ({home}) cannot be used: fix it, or set it to another folder. "
        f"The reason: {escape_untrusted(' '.join(lines.split()), 300)}"
    )


def with_places(command: str, roots: Roots) -> str:
    """Return a command to paste, with the variables that select this data set."""
    defaults = Settings().roots
    places = {
        "DF2_ROOT": (roots.df2_root, defaults.df2_root),
        "SKU_ROOT": (roots.sku_root, defaults.sku_root),
        "DAGSTER_HOME": (os.environ.get("DAGSTER_HOME") or DEFAULT_HOME, DEFAULT_HOME),
    }
    settings = [
        f"{name}={quote(str(place))}"
        for name, (place, default) in places.items()
        if str(place) != str(default)
    ]
    return " ".join([*settings, command])

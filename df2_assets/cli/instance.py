"""The Dagster instance that commands, `make ui` and the UI's runs share, and what it knows."""

import os
import shutil
from typing import TYPE_CHECKING

import dagster as dg
import filelock

from df2_assets.errors import SettingsError, escaped, has_controls
from df2_assets.settings import PROJECT
from df2_assets.store.location import CONTROLS_REMEDY, expand

if TYPE_CHECKING:
    pass

_ENOUGH_IMAGES = 200
_LOOKED_AT = 20
_OURS = PROJECT / ".dagster" / "dagster.yaml"


def open_instance() -> dg.DagsterInstance:
    """The instance at DAGSTER_HOME, by default the project's `.dagster`.

    A home without a `dagster.yaml` is given the project's. Raises SettingsError.
    """
    given = os.environ.get("DAGSTER_HOME") or str(_OURS.parent)
    if has_controls(given):
        raise SettingsError(f"DAGSTER_HOME is '{escaped(given)}': {CONTROLS_REMEDY}.")
    home = expand(given).absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists() and _OURS.exists():
            shutil.copyfile(_OURS, home / "dagster.yaml")
    except OSError as error:
        raise SettingsError(
            f"DAGSTER_HOME ({home}) cannot be used: {error.strerror}. Set it to a folder of yours."
        ) from None
    os.environ["DAGSTER_HOME"] = str(home)
    # Two commands that both found a new home without tables would leave it unusable.
    with filelock.FileLock(home / ".df2_assets.lock"):
        return dg.DagsterInstance.get()


def last_rate(instance: dg.DagsterInstance, split: str) -> float | None:
    """Images a second of the last build of `split` that cut enough to tell."""
    made = dg.AssetRecordsFilter(asset_key=dg.AssetKey("crops"), asset_partitions=[split])
    for record in instance.fetch_materializations(made, limit=10).records:
        event = record.asset_materialization
        metadata = event.metadata if event else {}
        decoded, rate = (
            getattr(metadata.get(name), "value", 0)
            for name in ("images_decoded", "images_per_second")
        )
        if decoded >= _ENOUGH_IMAGES:
            return float(rate)
    return None

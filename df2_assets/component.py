"""The Component `df2_assets.DeepFashion2Sku`: a data set in another code location, by YAML.

`docs/components.md` shows it in use. A field that stands for a setting has the setting's name, and
wins over its variable.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import dagster as dg
from pydantic import BaseModel, Field, ValidationError

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.definitions import build_defs
from df2_assets.errors import Df2Error, SettingsError
from df2_assets.exports import EXPORTS
from df2_assets.settings import (
    FIELDS,
    MAX_DAYS,
    MAX_WORKERS,
    NO_PROMPTS,
    EngineName,
    Settings,
    read_settings,
    settings_error,
)
from df2_assets.store.location import expand, is_url

if TYPE_CHECKING:
    SplitName = str
    ExportName = str
else:  # the registries, which a type checker cannot read
    SplitName = Literal[SPLITS]
    ExportName = Literal[tuple(EXPORTS)]

_PLACES: Final = ("df2_root", "sku_root", "prompts")
_LOADED: Final[dict[Path, dict[Any, tuple[str, str]]]] = {}
"""The key_prefix and SKU_ROOT of each component, by its project and its place in there."""

_NO_PROMPTS: Final = ("prompts", NO_PROMPTS)
_PLACE: Final = "A relative path is relative to the project's folder."


def _setting(name: str, more: str = "", **constraints: Any) -> Any:
    """Return the field that stands for a setting, with the description of the setting.

    It is None where the YAML does not have it, and has no such type: `null` is no value to give.
    """
    field = FIELDS[name]
    absent = f"By default {field.validation_alias} in the environment, or its default."
    description = " ".join(filter(None, [field.description, more, absent]))
    return Field(default=None, description=description, **constraints)


class DeepFashion2Sku(dg.Component, dg.Model, dg.Resolvable):
    """A DeepFashion2 download as SKU crops, metadata and prompts, with every check.

    One component is one data set. Several in a code location need a `key_prefix` each.
    """

    key_prefix: str = Field(
        default="",
        pattern="^([A-Za-z][A-Za-z0-9_]*)?$",
        description=(
            "What the keys of all assets, and the names of jobs, schedules, sensors, groups and "
            "resources begin with. It tells several data sets of a code location apart."
        ),
        examples=["street"],
    )
    df2_root: str = _setting("df2_root", _PLACE, min_length=1, examples=["data/street"])
    sku_root: str = _setting(
        "sku_root",
        f"{_PLACE} Each data set needs its own.",
        min_length=1,
        examples=["s3://crops/street"],
    )
    splits: list[SplitName] = _setting(
        "splits", "The assets have all three.", min_length=1, examples=[["train", "validation"]]
    )
    engine: EngineName = _setting("engine")
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)] = _setting("workers")
    ray_address: str = _setting("ray_address")
    prompts: str = _setting("prompts", _PLACE, min_length=1, examples=["prompts/street.yaml"])
    exports: list[ExportName] = Field(
        default=[*EXPORTS],
        description="The exports that are assets, by default all.",
        examples=[["webdataset", "croissant"]],
    )
    schedules: bool = _setting("schedules")
    cron: str = _setting("cron", examples=["0 2 * * *"])
    timezone: str = _setting("timezone", examples=["Europe/Berlin"])
    max_refused: Annotated[float, Field(ge=0, le=1)] = _setting("max_refused")
    max_age_days: Annotated[float, Field(gt=0, le=MAX_DAYS)] = _setting("max_age_days")
    reports_url: str = _setting("reports_url", examples=["http://127.0.0.1:3002"])
    code_url: str = _setting("code_url")

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Return what YAML is compared with: this class, with its limits and descriptions.

        The model that Dagster derives by default takes any text for any field, and has no
        descriptions.
        """
        return cls

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the definitions of the data set.

        Raises SettingsError, which names the folder of the YAML and the field that is wrong, also
        where another component has the same SKU_ROOT.
        """
        given = {name: getattr(self, name) for name in FIELDS if name in self.model_fields_set}
        try:
            settings = _settings(given, context.project_root)
            self._require_own_sku_root(context, settings)
            return build_defs(settings, key_prefix=self.key_prefix, exports=self.exports)
        except Df2Error as error:
            text = str(error)
            for name in given:  # what is wrong is in the YAML, not in the environment
                text = re.sub(rf"\b{FIELDS[name].validation_alias}\b", name, text)
            raise SettingsError(f"{context.path}: {text}") from None

    def _require_own_sku_root(self, context: dg.ComponentLoadContext, settings: Settings) -> None:
        """Raise SettingsError where another component of the project has the same SKU_ROOT."""
        place, sku_root = context.component_path, os.path.realpath(settings.roots.sku_root)
        loaded = _LOADED.setdefault(context.project_root, {})
        loaded[place] = (self.key_prefix, sku_root)
        for other, (prefix, root) in loaded.items():
            if other != place and root == sku_root:
                raise SettingsError(
                    f"The data sets with the key_prefix {prefix!r} and {self.key_prefix!r} have "
                    f"the same SKU_ROOT ({sku_root}): give each of them a folder of its own."
                )


def _settings(given: Mapping[str, Any], project: Path) -> Settings:
    """Return the settings of the environment, with those of the YAML. Raises SettingsError."""
    places = {
        name: str(project / expand(given[name]))
        for name in _PLACES
        if name in given and not is_url(given[name]) and (name, given[name]) != _NO_PROMPTS
    }
    try:
        return replace(read_settings(), **{**given, **places})
    except ValidationError as error:
        raise settings_error(error, {name: name for name in given}) from None

"""The Component `df2_assets.DeepFashion2Sku`, which adds a data set to a code location with YAML.

`docs/components.md` shows how to use it. A field with the name of a setting overrides the variable
of that setting.
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
    DROP,
    FIELDS,
    MAX_DAYS,
    MAX_WORKERS,
    EngineName,
    Settings,
    read_settings,
    settings_error,
)
from df2_assets.store.location import expand, is_url

if TYPE_CHECKING:
    SplitName = str
    ExportName = str
else:  # from the registries, which a type checker cannot read
    SplitName = Literal[SPLITS]
    ExportName = Literal[tuple(EXPORTS)]

_PLACES: Final = ("df2_root", "sku_root", "prompts", "captions", "variants")
_LOADED: Final[dict[Path, dict[Any, tuple[str, str]]]] = {}
"""The key_prefix and SKU_ROOT of each component, by its project and its place in there."""

_DROPPED: Final = (("prompts", DROP), ("captions", DROP), ("variants", DROP))
_PLACE: Final = "A relative path is relative to the project's folder."


def _setting(name: str, more: str = "", **constraints: Any) -> Any:
    """Return the field of a setting, with the description of the setting.

    It is None if the YAML leaves it out. Its type does not allow None, so YAML cannot set `null`.
    """
    field = FIELDS[name]
    absent = f"The default is {field.validation_alias} in the environment, or its default."
    description = " ".join(filter(None, [field.description, more, absent]))
    return Field(default=None, description=description, **constraints)


class DeepFashion2Sku(dg.Component, dg.Model, dg.Resolvable):
    """A data set: the assets, checks, jobs and schedules that build SKU crops from DeepFashion2.

    Each component is one data set. Several in one code location need different `key_prefix`es.
    """

    key_prefix: str = Field(
        default="",
        pattern="^([A-Za-z][A-Za-z0-9_]*)?$",
        description=(
            "The prefix of all asset keys and of the names of jobs, schedules, sensors, groups and "
            "resources. It keeps the data sets of a code location apart."
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
        "splits",
        "The assets always have all three splits.",
        min_length=1,
        examples=[["train", "validation"]],
    )
    engine: EngineName = _setting("engine")
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)] = _setting("workers")
    ray_address: str = _setting("ray_address")
    prompts: str = _setting("prompts", _PLACE, min_length=1, examples=["prompts/street.yaml"])
    only_pairs: bool = _setting("only_pairs")
    sku_token: Annotated[float, Field(ge=0, le=1)] | Literal["none"] = _setting(
        "sku_token", examples=[0.5]
    )
    captions: str = _setting("captions", _PLACE, min_length=1, examples=["captions/street.jsonl"])
    encoder: str = _setting("encoder", min_length=1, examples=["open_clip:ViT-B-32/openai"])
    variants: str = _setting("variants", _PLACE, min_length=1, examples=["variants/street.yaml"])
    exports: list[ExportName] = Field(
        default=[*EXPORTS],
        description="The exports that become assets, by default all.",
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
        """Return the model that validates the YAML: this class, with its limits and descriptions.

        The model that Dagster derives by default accepts any text for any field, and has no
        descriptions.
        """
        return cls

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the definitions of the data set.

        Raises SettingsError, which names the folder of the YAML and the field that is wrong, also
        where another component has the same SKU_ROOT.
        """
        values = {name: getattr(self, name) for name in FIELDS if name in self.model_fields_set}
        try:
            settings = _settings(values, context.project_root)
            self._require_own_sku_root(context, settings)
            return build_defs(settings, key_prefix=self.key_prefix, exports=self.exports)
        except Df2Error as error:
            text = str(error)
            for name in values:  # the error is in the YAML, not in the environment
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


def _settings(values: Mapping[str, Any], project: Path) -> Settings:
    """Return the settings of the environment, overridden by the YAML. Raises SettingsError."""
    places = {
        name: str(project / expand(values[name]))
        for name in _PLACES
        if name in values and not is_url(values[name]) and (name, values[name]) not in _DROPPED
    }
    try:
        return replace(read_settings(), **{**values, **places})
    except ValidationError as error:
        raise settings_error(error, {name: name for name in values}) from None

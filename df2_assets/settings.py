"""All settings, each with its variable, type, limits, default and meaning.

Only this module reads them from the environment. The launchpad (`defs/resources.py`), the options
of commands and the Component take their fields from here. Which assets exist never depends on a
setting.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    StrictBool,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.embeddings.encoders import HISTOGRAM, check_name
from df2_assets.errors import (
    CaptionsError,
    Df2Error,
    SettingsError,
    TemplatesError,
    VariantsError,
    escape_controls,
    has_controls,
)
from df2_assets.store.layout import Roots, require_safe_roots
from df2_assets.store.location import CONTROLS_REMEDY, expand, locate

if TYPE_CHECKING:
    import pyarrow as pa

    from df2_assets.dataset.prompts import Captions, PromptTemplate
    from df2_assets.dataset.variants import CropVariant

PACKAGE: Final = Path(__file__).resolve().parent
"""The folder of this package."""

PROJECT: Final = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else Path.cwd()
"""The folder of default paths: the project's, or the current one for an installed package."""

MAX_WORKERS: Final = 1024
MAX_DAYS: Final = 3650

DROP: Final = "none"
"""The value that drops what earlier builds declared: these texts, or all crop variants."""

EngineName = Literal["local", "ray", "serial"]

_SKU_ROOT: Final = "data/DeepFashion2_SKU"
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", re.ASCII)


def parse_splits(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of splits without repetitions, in the usual order. Raises SettingsError."""
    names = list(names)
    for name in names:
        if name not in SPLITS:
            raise SettingsError(f"There is no split {name!r}: choose from {', '.join(SPLITS)}.")
    return tuple(split for split in SPLITS if split in names)


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("give an address, such as http://127.0.0.1:3001")
    return text.rstrip("/")


def parse_timezone(name: str) -> str:
    """Return the name of a time zone. Raises SettingsError if this machine does not know it."""
    try:
        return ZoneInfo(name.strip()).key
    except (KeyError, ValueError, OSError):  # not known, not a name, or a folder of zones
        raise SettingsError(
            f"DF2_TIMEZONE is {name!r}: give the name of a time zone, such as Europe/Berlin."
        ) from None


_Root = Annotated[Path, PlainValidator(lambda place: locate(str(place)))]


def _file_or_none(value: str | Path | None) -> Path | str | None:
    """Return the absolute path of a file, or `none`. A file of that name is `./none`."""
    text = str(value or "").strip()
    return text if text == DROP else expand(str(value)).absolute() if text else None


def _dropout(value: str | float | None) -> float | str | None:
    """Return a probability, or `none`."""
    text = "" if value is None else str(value).strip()
    if text in ("", DROP):
        return text or None
    if _NUMBER.fullmatch(text) and 0 <= float(text) <= 1:
        return float(text)
    raise ValueError("give a number from 0 to 1, such as 0.5, or none")


_File = Annotated[Path | Literal["none"] | None, PlainValidator(_file_or_none)]
_Dropout = Annotated[float | Literal["none"] | None, PlainValidator(_dropout)]
_Splits = Annotated[
    tuple[str, ...],
    PlainValidator(lambda names: parse_splits(names.split() if isinstance(names, str) else names)),
]
_read_switch: Final = BeforeValidator(lambda text: {"on": True, "off": False}.get(text, text))
_Switch = Annotated[StrictBool, _read_switch]
_OptionalSwitch = Annotated[StrictBool | None, _read_switch]


@dataclass(frozen=True, config={"use_attribute_docstrings": True, "validate_by_name": True})
class Settings:
    """All settings.

    `df2_root` is an absolute path or a URL. `sku_root` is unchanged, because the contract files
    repeat it. With `workers` None, there is one worker per core.
    """

    df2_root: _Root = Field(
        default=PROJECT / "data/DeepFashion2_original", validation_alias="DF2_ROOT"
    )
    """The unpacked DeepFashion2 download, with train/, validation/ and test/."""

    sku_root: str = Field(default=_SKU_ROOT, validation_alias="SKU_ROOT")
    """The output folder of crops, metadata and prompts."""

    splits: _Splits = Field(default=SPLITS, validation_alias="SPLITS")
    """The splits that commands and schedules process."""

    engine: EngineName = Field(default="local", validation_alias="DF2_ENGINE")
    """What runs the work: local processes, a Ray cluster, or the process of the run itself."""

    ray_address: Annotated[str, AfterValidator(str.strip)] = Field(
        default="", validation_alias="RAY_ADDRESS"
    )
    """The Ray cluster, as host:port or ray://host:port. By default, Ray starts on this machine."""

    workers: int | None = Field(default=None, ge=1, le=MAX_WORKERS, validation_alias="DF2_WORKERS")
    """The number of parallel workers. By default (in the launchpad: 0), there is one per core."""

    max_refused: float = Field(default=0.01, ge=0, le=1, validation_alias="DF2_MAX_REFUSED")
    """The share of images, and of items, that may be refused. Two of each are always allowed."""

    max_age_days: float = Field(default=7.0, gt=0, le=MAX_DAYS, validation_alias="DF2_MAX_AGE_DAYS")
    """The number of days for which a split counts as fresh after its last build."""

    prompts: _File = Field(default=None, validation_alias="DF2_PROMPTS")
    """A YAML file with templates of further prompts, or `none` for only those of the contract.
    By default, a data set keeps the prompts of its last build."""

    only_pairs: _OptionalSwitch = Field(default=None, validation_alias="DF2_ONLY_PAIRS")
    """Whether SKUs with crops of only one domain are left out. By default, a data set does what its
    last build did, and a new one leaves them out."""

    sku_token: _Dropout = Field(default=None, validation_alias="DF2_SKU_TOKEN")
    """The dropout of `text_sku`, a text that names the SKU on train rows; `none` drops the text.
    It is the probability that a train row does not name its SKU. By default, a data set does what
    its last build did."""

    captions: _File = Field(default=None, validation_alias="DF2_CAPTIONS")
    """A JSONL file of captions by crop_path and sha256, or `none` for no captions. By default, a
    data set reads the file of its last build again."""

    variants: _File = Field(default=None, validation_alias="DF2_VARIANTS")
    """A YAML file that declares crop variants, or `none` for no variants. By default, a data set
    keeps the variants that it was last declared with."""

    encoder: Annotated[str, AfterValidator(check_name)] = Field(
        default=HISTOGRAM, validation_alias="DF2_ENCODER"
    )
    """What turns crops into vectors: `histogram`, a model of open_clip, timm or torchvision, or
    `module:callable`."""

    code_url: str | None = Field(default=None, validation_alias="DF2_CODE_URL")
    """The address of the project's folder on a code host, for links to the code in the UI."""

    reports_url: Annotated[str, AfterValidator(_address)] = Field(
        default="http://127.0.0.1:3001", validation_alias="DF2_REPORTS_URL"
    )
    """The address of `df2-assets serve` in a browser, for links and pictures in the UI."""

    cron: str = Field(default="0 2 * * *", validation_alias="DF2_CRON")
    """The time of the nightly build, as a cron expression."""

    timezone: Annotated[str, PlainValidator(parse_timezone)] = Field(
        default="UTC", validation_alias="DF2_TIMEZONE"
    )
    """The time zone of all schedules, such as Europe/Berlin."""

    schedules: _Switch = Field(default=False, validation_alias="DF2_SCHEDULES")
    """Whether schedules, and the sensors that log failures, are turned on by default."""

    @field_validator("*", mode="before")
    @classmethod
    def _require_plain_text(cls, value: object, info: ValidationInfo) -> object:
        """Refuse control characters, and numbers such as `²` and `1_0`, which Python accepts."""
        text = str(value) if isinstance(value, str | Path) else ""
        is_number = _is_number(FIELDS[info.field_name or ""])
        if has_controls(text) or (is_number and ("_" in text or not text.isascii())):
            raise ValueError("no plain text")  # settings_error explains what is allowed
        return value

    @property
    def roots(self) -> Roots:
        return make_roots(str(self.df2_root), self.sku_root)


FIELDS: Final[Mapping[str, FieldInfo]] = vars(Settings)["__pydantic_fields__"]
"""The description of each setting, by its name."""

_ADAPTER: Final = TypeAdapter(Settings)


def read_settings(
    environment: Mapping[str, str] = os.environ, names: Mapping[str, str] = {}
) -> Settings:
    """Return the settings of the environment. An empty variable counts as not set.

    `names` replace the variables of settings in messages, such as with the names of options.
    Raises SettingsError or RootsError.
    """
    values = {
        name: text for name, text in environment.items() if text.strip() or has_controls(text)
    }
    if "SKU_ROOT" in values:
        values["SKU_ROOT"] = as_given(values["SKU_ROOT"])
    try:
        return _ADAPTER.validate_python(values, by_alias=True, by_name=False)
    except ValidationError as error:
        raise settings_error(error, names) from None


def as_given(sku_root: str) -> str:
    """Return a SKU_ROOT that a person gave: relative to the current folder, unlike the default."""
    return f"./{sku_root}" if sku_root == _SKU_ROOT else sku_root


def require_usable(settings: Settings, *, starts_engine: bool = False) -> None:
    """Raise RootsError where writing to the roots could destroy something.

    If `starts_engine`, also raise SettingsError where the engine cannot run.
    """
    require_safe_roots(settings.roots)
    if starts_engine:
        from df2_assets.engines import make

        make.require_usable(settings.engine, settings.workers, settings.ray_address)


def settings_error(error: ValidationError, names: Mapping[str, str]) -> SettingsError:
    """Return an error that names a setting, its wrong value, and the values that are allowed.

    `names` replace the variables of settings.
    """
    problem = error.errors()[0]
    place = problem["loc"][0]
    setting, field = next(
        (name, field) for name, field in FIELDS.items() if place in (name, field.validation_alias)
    )
    name = names.get(setting, field.validation_alias)
    value = problem["input"]
    allowed = _allowed(field) or problem["msg"].removeprefix("Value error, ")
    if not isinstance(value, str | Path):
        return SettingsError(f"{name} is {value!r}: {allowed}.")
    text = str(value)
    if has_controls(text):
        allowed = CONTROLS_REMEDY
    return SettingsError(f"{name} is '{escape_controls(text)}': {allowed}.")


def _is_number(field: FieldInfo) -> bool:
    return field.annotation in (float, int | None)


def _allowed(field: FieldInfo) -> str | None:
    """Return the allowed values of a setting with simple limits; None for other settings."""
    if field.annotation in (bool, StrictBool | None):
        return "choose from on, off"
    if get_origin(field.annotation) is Literal:
        return f"choose from {', '.join(get_args(field.annotation))}"
    match field.metadata:
        case [object(ge=low), object(le=high)]:
            limits = f"from {low} to {high}"
        case [object(gt=low), object(le=high)]:
            limits = f"above {low}, up to {high}"
        case _:
            return None
    number = "a number" if field.annotation is float else "a whole number"
    example = "" if field.default is None else f", such as {field.default:g}"
    return f"give {number} {limits}{example}"


def make_roots(df2_root: str, sku_root: str) -> Roots:
    """Return the roots with absolute paths.

    The default SKU_ROOT is relative to the project, any other to the current folder. Raises
    RootsError for a URL that cannot be a root.
    """
    base = PROJECT if sku_root == _SKU_ROOT else None
    return Roots(locate(df2_root), locate(sku_root, base), sku_root)


def read_templates(prompts: Path | Literal["none"]) -> "tuple[PromptTemplate, ...]":
    """Return the further prompts that a file defines, in its order; none for `none`.

    Raises TemplatesError if the file cannot be read or used.
    """
    from df2_assets.dataset.templates import parse_templates

    if prompts == DROP:
        return ()
    remedy = "set DF2_PROMPTS to a YAML file of templates, or to none"
    return parse_templates(_read_text(prompts, remedy, TemplatesError), str(prompts))


def read_variants(file: Path | Literal["none"]) -> "tuple[CropVariant, ...]":
    """Return the crop variants that a file declares, in its order; none for `none`.

    Raises VariantsError if the file cannot be read or used.
    """
    from df2_assets.dataset.variant_files import parse_variants

    if file == DROP:
        return ()
    remedy = "set DF2_VARIANTS to a YAML file of crop variants, or to none"
    return parse_variants(_read_text(file, remedy, VariantsError), str(file))


def _read_text(file: Path, remedy: str, error: type[Df2Error]) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = "it is not UTF-8" if isinstance(problem, ValueError) else problem.strerror
        raise error(f"{file} cannot be read ({why}): {remedy}") from problem


def read_captions(file: Path, split: str | None = None) -> "tuple[Captions, pa.Table]":
    """Return the description of a file of captions, and the captions of a split.

    Raises CaptionsError if the file cannot be read or used.
    """
    from df2_assets.dataset.captions import parse_captions

    try:
        with file.open("rb") as lines:
            return parse_captions(lines, str(file), split)
    except OSError as error:
        raise CaptionsError(
            f"{file} cannot be read ({error.strerror}): set DF2_CAPTIONS to the file of captions, "
            "or to none to drop them"
        ) from error

"""The environment, read once. Nothing else reads it; which assets exist never depends on it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.errors import SettingsError, TemplatesError
from df2_assets.store.layout import Roots
from df2_assets.store.location import locate

if TYPE_CHECKING:
    from df2_assets.dataset.prompts import Variant

PACKAGE: Final = Path(__file__).resolve().parent
"""Where the code is."""

PROJECT: Final = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else Path.cwd()
"""Where defaults lie: the project's own folder, or the current one for an installed package."""

MAX_WORKERS: Final = 1024
MAX_DAYS: Final = 3650

EngineName = Literal["local", "ray", "serial"]


@dataclass(frozen=True)
class Settings:
    """Every setting of the platform, with its default.

    `df2_root` is absolute, or a URL. `sku_root` is as given: the contract repeats it. `workers`
    None means one a core. `ray_address` is that of a cluster; empty, a run has a Ray of its own.
    `max_refused` is the share of images, and of items, that may be refused.
    `max_age_days` is how long ago a split may have been built and still count as fresh.
    `prompts` is a YAML file with templates of further prompts, if any.
    `code_url` is where the project's folder is to be seen in a browser, if anywhere.
    """

    df2_root: Path = PROJECT / "data/DeepFashion2_original"
    sku_root: str = "data/DeepFashion2_SKU"
    splits: tuple[str, ...] = SPLITS
    engine: EngineName = "local"
    workers: int | None = None
    ray_address: str = ""
    max_refused: float = 0.01
    max_age_days: float = 7.0
    prompts: Path | None = None
    code_url: str | None = None
    cron: str = "0 2 * * *"
    schedules: bool = False

    @property
    def roots(self) -> Roots:
        return make_roots(str(self.df2_root), self.sku_root)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment; an empty variable counts as absent. Raises SettingsError."""
    default = Settings()
    given = {name: value for name, value in environment.items() if value.strip()}
    return Settings(
        df2_root=locate(given["DF2_ROOT"]) if "DF2_ROOT" in given else default.df2_root,
        sku_root=_here(given["SKU_ROOT"]) if "SKU_ROOT" in given else default.sku_root,
        splits=parse_splits(given.get("SPLITS", " ".join(default.splits)).split()),
        engine=_one_of("DF2_ENGINE", given.get("DF2_ENGINE", default.engine), get_args(EngineName)),
        workers=_workers(given.get("DF2_WORKERS")),
        ray_address=given.get("RAY_ADDRESS", default.ray_address).strip(),
        max_refused=_share(given.get("DF2_MAX_REFUSED", str(default.max_refused))),
        max_age_days=_days(given.get("DF2_MAX_AGE_DAYS", str(default.max_age_days))),
        prompts=_absolute(given["DF2_PROMPTS"]) if "DF2_PROMPTS" in given else default.prompts,
        code_url=given.get("DF2_CODE_URL"),
        cron=given.get("DF2_CRON", default.cron),
        schedules=_one_of("DF2_SCHEDULES", given.get("DF2_SCHEDULES", "off"), ("on", "off"))
        == "on",
    )


def make_roots(df2_root: str, sku_root: str) -> Roots:
    """Both roots absolute; the default SKU_ROOT lies in the project, any other where one is.

    Raises RootsError for a URL that cannot be one.
    """
    default = sku_root == Settings.sku_root
    return Roots(locate(df2_root), locate(sku_root, PROJECT if default else None), sku_root)


def read_variants(prompts: Path | None) -> "tuple[Variant, ...]":
    """The prompts that a file asks for beside the contract's; none without one.

    Raises TemplatesError where it cannot be read or used.
    """
    from df2_assets.dataset.templates import parse_templates

    if prompts is None:
        return ()
    try:
        text = prompts.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not UTF-8" if isinstance(error, ValueError) else error.strerror
        raise TemplatesError(
            f"{prompts} cannot be read ({why}): set DF2_PROMPTS to a YAML file of templates."
        ) from error
    return parse_templates(text, str(prompts))


def _absolute(path: str | Path) -> Path:
    return Path(path).expanduser().absolute()


def _here(sku_root: str) -> str:
    """A path as given; one that reads like the default is told apart from it."""
    return f"./{sku_root}" if sku_root == Settings.sku_root else sku_root


def parse_splits(names: list[str]) -> tuple[str, ...]:
    """Names of splits, each once, in the usual order. Raises SettingsError."""
    for name in names:
        if name not in SPLITS:
            raise SettingsError(f"There is no split {name!r}: choose from {', '.join(SPLITS)}.")
    return tuple(split for split in SPLITS if split in names)


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> Any:
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}: choose from {', '.join(choices)}.")
    return value


def _workers(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or not 1 <= int(text) <= MAX_WORKERS:
        raise SettingsError(
            f"DF2_WORKERS is {text!r}: give a whole number from 1 to {MAX_WORKERS}."
        )
    return int(text)


def _share(text: str) -> float:
    share = _number(text)
    if not 0 <= share <= 1:
        raise SettingsError(f"DF2_MAX_REFUSED is {text!r}: give a share from 0 to 1, such as 0.01.")
    return share


def _days(text: str) -> float:
    days = _number(text)
    if not 0 < days <= MAX_DAYS:
        raise SettingsError(f"DF2_MAX_AGE_DAYS is {text!r}: give days, up to {MAX_DAYS}.")
    return days


def _number(text: str) -> float:
    """Not a number for what is none: it is in no range."""
    try:
        return float(text)
    except ValueError:
        return float("nan")

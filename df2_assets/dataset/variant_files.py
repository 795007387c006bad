"""Parsing of crop variants, which people declare in YAML or JSON.

Everything is checked here, before any variant is made.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from PIL import ImageColor

from df2_assets.dataset.variants import (
    ALPHA,
    EDGE,
    FORMATS,
    MAX_SIZE,
    RESAMPLING,
    SQUARES,
    CropVariant,
)
from df2_assets.dataset.yaml_files import load_yaml
from df2_assets.errors import VariantsError, escape_controls

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_DEVICE: Final = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")
"""Names that Windows and file servers refuse for a folder."""

_COLOUR: Final = "a colour, such as white or '#f0f0f0' (with quotes)"


def parse_variants(text: str, name: str) -> tuple[CropVariant, ...]:
    """Return the crop variants that a YAML or JSON text declares, in its order.

    Messages call the text `name`. Raises VariantsError, which says what is wrong, where, and what
    is allowed.
    """
    content = load_yaml(text, name, VariantsError)
    if not isinstance(content, dict) or content.keys() != {"variants"}:
        raise VariantsError(f"{name}: the only key is `variants`: put every variant below it.")
    variants = content["variants"]
    if not isinstance(variants, dict) or not variants:
        raise VariantsError(f"{name}: variants is {_show(variants)}: give options by name.")
    return tuple(
        _read_variant(_require_name(key, name), options, f"{name}: variants.{key}")
        for key, options in variants.items()
    )


def _require_name(key: object, name: str) -> str:
    """Return the name of a variant. Without capitals, no two are the same folder anywhere."""
    where = f"{name}: variants.{_show(key)}"
    if not isinstance(key, str):
        raise VariantsError(f"{where}: the name is not text: put it in quotes.")
    if not _NAME.fullmatch(key):
        raise VariantsError(
            f"{where}: this cannot be the name of a folder everywhere: use up to 64 of a-z, 0-9, _ "
            "and -, such as square_224."
        )
    if _DEVICE.fullmatch(key):
        raise VariantsError(
            f"{where}: file servers refuse this name: give another one, such as {key}_2."
        )
    return key


def _read_variant(name: str, options: object, where: str) -> CropVariant:
    if options is None:
        options = {}
    if not isinstance(options, dict):
        raise VariantsError(f"{where} is {_show(options)}: give options, such as size: 224.")
    values: dict[str, Any] = {}
    for key, value in options.items():
        if key not in _OPTIONS:
            allowed = ", ".join(_OPTIONS)
            raise VariantsError(f"{where}: unknown option {_show(key)}: the options are {allowed}.")
        values[key] = _OPTIONS[key](value, f"{where}.{key}")
    _require_agreement(values, where)
    return CropVariant(name, **values)


def _require_agreement(values: dict[str, Any], where: str) -> None:
    """Raise VariantsError for an option that has no effect, or cannot have one, beside others."""
    form = FORMATS[values.get("format", "jpeg")]
    if values.get("cut_out") == ALPHA and not form.has_alpha:
        raise VariantsError(
            f"{where}: JPEG has no alpha: give format: png or webp, or another cut_out, such as "
            "white."
        )
    if "quality" in values and not form.has_quality:
        raise VariantsError(f"{where}.quality: PNG has no quality, it loses nothing: leave it out.")
    if "fill" in values and "square" not in values:
        raise VariantsError(f"{where}.fill is for squares: give square as well, or leave it out.")
    if "fill" in values and "cut_out" in values:
        raise VariantsError(
            f"{where}.fill: a cut-out is filled with the background of cut_out: leave fill out."
        )
    if "resample" in values and "size" not in values:
        raise VariantsError(f"{where}.resample is for a size: give size as well, or leave it out.")


def _read_margin(value: object, where: str) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise VariantsError(
            f"{where} is {_show(value)}: give a share of the box from 0 to 1, such as 0.02."
        )
    return float(value)  # type: ignore[arg-type]


def _read_whole(low: int, high: int, example: int) -> Callable[[object, str], int]:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(value: object, where: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise VariantsError(
                f"{where} is {_show(value)}: give a whole number from {low} to {high}, such as "
                f"{example}."
            )
        return value

    return read


def _read_choice(*choices: str) -> Callable[[object, str], str]:
    """Return a reader of one of some words."""

    def read(value: object, where: str) -> str:
        if not isinstance(value, str) or value not in choices:
            allowed = ", ".join(choices)
            raise VariantsError(f"{where} is {_show(value)}: choose from {allowed}.")
        return value

    return read


def _read_colour(word: str) -> Callable[[object, str], str]:
    """Return a reader of colours, as `#rrggbb`, that also accepts a word."""

    def read(value: object, where: str) -> str:
        if value == word:
            return word
        try:
            if not isinstance(value, str):
                raise ValueError
            red, green, blue, *opacity = ImageColor.getrgb(value)
            if opacity:
                raise ValueError
        except ValueError:
            raise VariantsError(f"{where} is {_show(value)}: give {word}, or {_COLOUR}.") from None
        return f"#{red:02x}{green:02x}{blue:02x}"

    return read


_OPTIONS: Final[dict[str, Callable[[object, str], Any]]] = {
    "margin": _read_margin,
    "square": _read_choice(*SQUARES),
    "fill": _read_colour(EDGE),
    "size": _read_whole(1, MAX_SIZE, 224),
    "resample": _read_choice(*RESAMPLING),
    "cut_out": _read_colour(ALPHA),
    "format": _read_choice(*FORMATS),
    "quality": _read_whole(1, 100, 95),
}


def _show(value: object) -> str:
    return escape_controls(value, 80)

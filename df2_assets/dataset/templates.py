"""Parsing of prompt templates, which people write in YAML.

Everything is checked here, before any prompt is written.
"""

import re
from string import Formatter
from typing import Any, Final

from df2_assets.dataset.metadata import ImageText
from df2_assets.dataset.prompts import PLACEHOLDERS, SKU_KEY, PromptTemplate, fill_template
from df2_assets.dataset.record import EDGES, MORE_LABELS
from df2_assets.dataset.taxonomy import DOMAINS, VIEWPOINTS
from df2_assets.dataset.yaml_files import load_yaml
from df2_assets.errors import TemplatesError, escape_controls, has_controls

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED_KEYS: Final = (
    "file_name",
    "filepath",
    "image",
    "landmarks",
    "mask",
    "sha256",
    "size",
    "sku_uid",
    "title",
    *EDGES,
    *MORE_LABELS,
)
"""Names of columns that exports add to those of the contract."""

_ALLOWED: Final = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
_FORM: Final = (
    "give a template, a list of templates, or templates for catalog and for query; each of these "
    "may have templates for viewpoints 1, 2 and 3"
)


def parse_templates(text: str, name: str) -> tuple[PromptTemplate, ...]:
    """Return the templates that a YAML text defines, in its order.

    Messages call the text `name`. Raises TemplatesError, which says what is wrong, where, and what
    is allowed.
    """
    content = load_yaml(text, name, TemplatesError)
    if not isinstance(content, dict) or not {"prompts"} <= content.keys() <= {"prompts", "seed"}:
        raise TemplatesError(
            f"{name}: the keys are `prompts` and, optionally, `seed`; remove all others."
        )
    seed, prompts = content.get("seed", 0), content["prompts"]
    if type(seed) is not int:
        raise TemplatesError(f"{name}: seed is {_show(seed)}: give a whole number.")
    if not isinstance(prompts, dict) or not prompts:
        raise TemplatesError(f"{name}: prompts is {_show(prompts)}: give templates by key.")
    return tuple(
        PromptTemplate(
            _require_key(key, name), seed, _read_domains(value, f"{name}: prompts.{key}")
        )
        for key, value in prompts.items()
    )


def find_key_problem(key: object) -> str | None:
    """Return why a further text cannot have this key, and what to do; None if it can."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return (
            f"{_show(key)} cannot be the name of a field: use a-z, 0-9 and _, such as text_short."
        )
    if key in ImageText.__struct_fields__:
        return f"{key} is a field of the contract: give another name, such as {key}_2."
    if key in RESERVED_KEYS:
        return f"exports already have a column {key}: give another name, such as text_{key}."
    if key == SKU_KEY:
        return f"{key} is the key of DF2_SKU_TOKEN: give another name, such as {key}_2."
    return None


def _require_key(key: Any, name: str) -> str:
    if problem := find_key_problem(key):
        raise TemplatesError(f"{name}: prompts.{_show(key)}: {problem}")
    return str(key)


def _read_domains(value: object, where: str) -> dict[str, dict[int, tuple[str, ...]]]:
    domains = DOMAINS.values()
    if isinstance(value, dict) and not value.keys() <= VIEWPOINTS.keys():
        _require_keys(value, list(domains), where)
        return {domain: _read_viewpoints(value[domain], f"{where}.{domain}") for domain in domains}
    return dict.fromkeys(domains, _read_viewpoints(value, where))


def _read_viewpoints(value: object, where: str) -> dict[int, tuple[str, ...]]:
    if isinstance(value, dict):
        _require_keys(value, list(VIEWPOINTS), where)
        return {
            number: _read_templates(value[number], f"{where}.{number}") for number in VIEWPOINTS
        }
    return dict.fromkeys(VIEWPOINTS, _read_templates(value, where))


def _require_keys(value: dict[Any, Any], allowed: list[Any], where: str) -> None:
    """Raise TemplatesError for missing or unknown keys. `true` is unknown, although it equals 1."""
    names = ", ".join(map(str, allowed))
    for key in value:
        if key not in allowed or isinstance(key, bool):
            raise TemplatesError(f"{where}: unknown case {_show(key)}: give {names}.")
    for key in allowed:
        if key not in value:
            raise TemplatesError(f"{where}: {key} is missing: give all of {names}.")


def _read_templates(value: object, where: str) -> tuple[str, ...]:
    if isinstance(value, list):
        if not value:
            raise TemplatesError(f"{where}: the list is empty: {_FORM}.")
        return tuple(
            _require_template(item, f"{where}[{number}]") for number, item in enumerate(value)
        )
    return (_require_template(value, where),)


def _require_template(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise TemplatesError(f"{where} is {_show(value)}, not text: {_FORM}.")
    if has_controls(value):
        raise TemplatesError(
            f"{where}: {_show(value)} has a line break, a tab or another control character: a "
            "prompt is one line."
        )
    try:
        parts = list(Formatter().parse(value))
    except ValueError as error:
        raise TemplatesError(
            f"{where}: {_show(value)}: {error}. Placeholders are {_ALLOWED}; write {{{{ for a "
            "brace."
        ) from error
    for _, field, form, conversion in parts:
        if field is None:
            continue
        if field not in PLACEHOLDERS:
            raise TemplatesError(
                f"{where}: unknown placeholder {{{_show(field)}}}: the placeholders are {_ALLOWED}."
            )
        if form or conversion:
            raise TemplatesError(
                f"{where}: {{{field}}} takes no format: write it exactly like this."
            )
    if not fill_template(value, "catalog", "vest", 1, 2).strip():
        raise TemplatesError(f"{where}: {_show(value)} is empty for some crops: add words.")
    return value


def _show(value: object) -> str:
    return escape_controls(value, 80)

"""Prompt templates as a person writes them: YAML, checked before anything is made with it."""

import re
from string import Formatter
from typing import Any, Final

import yaml

from df2_assets.dataset.metadata import ImageText
from df2_assets.dataset.prompts import PLACEHOLDERS, Variant, fill_template
from df2_assets.dataset.record import EDGES, MORE_LABELS
from df2_assets.dataset.taxonomy import DOMAINS, VIEWPOINTS
from df2_assets.errors import TemplatesError, escape_controls, has_controls

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED_KEYS: Final = (
    "file_name",
    "filepath",
    "image",
    "sha256",
    "size",
    "title",
    *EDGES,
    *MORE_LABELS,
)
"""Names of columns that exports have beside those of the contract."""

_ALLOWED: Final = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
_FORM: Final = (
    "give a template, a list of templates, or those of catalog and of query; each of these may be "
    "by viewpoint 1, 2 and 3"
)


def parse_templates(text: str, name: str) -> tuple[Variant, ...]:
    """Return the variants that a YAML text asks for, in its order.

    `name` is what messages call it. Raises TemplatesError: what is wrong where, and what may be.
    """
    content = _load(text, name)
    if not isinstance(content, dict) or not {"prompts"} <= content.keys() <= {"prompts", "seed"}:
        raise TemplatesError(f"{name}: give `prompts`, and `seed` if you like, and nothing else.")
    seed, prompts = content.get("seed", 0), content["prompts"]
    if type(seed) is not int:
        raise TemplatesError(f"{name}: seed is {_show(seed)}: give a whole number.")
    if not isinstance(prompts, dict) or not prompts:
        raise TemplatesError(f"{name}: prompts is {_show(prompts)}: give templates by key.")
    return tuple(
        Variant(_key(key, name), seed, _by_domain(said, f"{name}: prompts.{key}"))
        for key, said in prompts.items()
    )


def _load(text: str, name: str) -> Any:
    """Return the content; refuse a key that appears twice, of which YAML keeps the last."""
    try:
        _refuse_twice(yaml.compose(text, yaml.SafeLoader), name, set())
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise TemplatesError(f"{where}: this is not YAML: {_show(error.problem)}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise TemplatesError(f"{name}: this is not YAML: {_show(str(error))}.") from error


def _refuse_twice(node: yaml.Node | None, name: str, seen: set[int]) -> None:
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return
    seen.add(id(node))
    keys = set()
    for child in node.value:
        pair = child if isinstance(child, tuple) else (child,)
        if isinstance(node, yaml.MappingNode):
            key = pair[0].value if isinstance(pair[0], yaml.ScalarNode) else None
            if key in keys:
                line = pair[0].start_mark.line + 1
                raise TemplatesError(
                    f"{name}, line {line}: {_show(key)} is there twice: give each key once."
                )
            keys.add(key)
        for one in pair:
            _refuse_twice(one, name, seen)


def _key(key: object, name: str) -> str:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise TemplatesError(
            f"{name}: {_show(key)} under prompts is no name of a field: give one of a-z, 0-9 and "
            "_, such as text_short."
        )
    if key in ImageText.__struct_fields__:
        raise TemplatesError(
            f"{name}: prompts.{key}: {key} is a field of the contract, which stays as it is: give "
            f"another name, such as {key}_2."
        )
    if key in RESERVED_KEYS:
        raise TemplatesError(
            f"{name}: prompts.{key}: exports have a column {key} of their own: give another name, "
            f"such as text_{key}."
        )
    return key


def _by_domain(said: object, where: str) -> dict[str, dict[int, tuple[str, ...]]]:
    domains = DOMAINS.values()
    if isinstance(said, dict) and not said.keys() <= VIEWPOINTS.keys():
        _refuse_other_keys(said, list(domains), where)
        return {domain: _by_viewpoint(said[domain], f"{where}.{domain}") for domain in domains}
    return dict.fromkeys(domains, _by_viewpoint(said, where))


def _by_viewpoint(said: object, where: str) -> dict[int, tuple[str, ...]]:
    if isinstance(said, dict):
        _refuse_other_keys(said, list(VIEWPOINTS), where)
        return {number: _templates(said[number], f"{where}.{number}") for number in VIEWPOINTS}
    return dict.fromkeys(VIEWPOINTS, _templates(said, where))


def _refuse_other_keys(said: dict[Any, Any], wanted: list[Any], where: str) -> None:
    """Raise where keys are missing or unknown. `true` is no 1, though Python takes it for one."""
    names = ", ".join(map(str, wanted))
    for key in said:
        if key not in wanted or isinstance(key, bool):
            raise TemplatesError(f"{where}: unknown case {_show(key)}: give {names}.")
    for key in wanted:
        if key not in said:
            raise TemplatesError(f"{where}: {key} is missing: give all of {names}.")


def _templates(said: object, where: str) -> tuple[str, ...]:
    if isinstance(said, list):
        if not said:
            raise TemplatesError(f"{where}: the list is empty: {_FORM}.")
        return tuple(_template(one, f"{where}[{number}]") for number, one in enumerate(said))
    return (_template(said, where),)


def _template(said: object, where: str) -> str:
    if not isinstance(said, str):
        raise TemplatesError(f"{where} is {_show(said)}, no text: {_FORM}.")
    if has_controls(said):
        raise TemplatesError(
            f"{where}: {_show(said)} has a line break, a tab or another control character in it: "
            "a prompt is one line."
        )
    try:
        parts = list(Formatter().parse(said))
    except ValueError as error:
        raise TemplatesError(
            f"{where}: {_show(said)}: {error}. Placeholders are {_ALLOWED}; write {{{{ for a brace."
        ) from error
    for _, field, form, conversion in parts:
        if field is None:
            continue
        if field not in PLACEHOLDERS:
            raise TemplatesError(
                f"{where}: unknown placeholder {{{_show(field)}}}: there are {_ALLOWED}."
            )
        if form or conversion:
            raise TemplatesError(f"{where}: {{{field}}} takes no format: write it as it is here.")
    if not fill_template(said, "catalog", "vest", 1, 2).strip():
        raise TemplatesError(f"{where}: {_show(said)} says nothing of some crops: give more words.")
    return said


def _show(value: object) -> str:
    return escape_controls(value, 80)

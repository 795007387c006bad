"""Reading of the YAML files that people write."""

from typing import Any

import yaml

from df2_assets.errors import Df2Error, escape_controls


def load_yaml(text: str, name: str, error: type[Df2Error]) -> Any:
    """Return the content of a YAML text, which messages call `name`. JSON is YAML too.

    Raises `error` where it is not YAML, or where a key appears twice: YAML itself would keep only
    the last.
    """
    try:
        _require_unique_keys(yaml.compose(text, yaml.SafeLoader), name, error, set())
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise error(f"{where}: this is not YAML: {_show(problem.problem)}.") from problem
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise error(f"{name}: this is not YAML: {_show(str(problem))}.") from problem


def _require_unique_keys(
    node: yaml.Node | None, name: str, error: type[Df2Error], seen: set[int]
) -> None:
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
                raise error(f"{name}, line {line}: {_show(key)} appears twice: give each key once.")
            keys.add(key)
        for part in pair:
            _require_unique_keys(part, name, error, seen)


def _show(value: object) -> str:
    return escape_controls(value, 80)

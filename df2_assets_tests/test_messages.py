"""Commands and settings in messages, which people paste into a shell."""

import ast
import re
from pathlib import Path

import pytest

from df2_assets_tests.support.processes import PROJECT

MODULES = sorted((PROJECT / "df2_assets").rglob("*.py"))
COMMAND = r"(?<!`)\b(df2-assets [a-z]+|make ui|pip install|(dagster|dg) [a-z]+)\b[^`.,)]*"
TARGETS = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
SETTING = r"\b(DF2_[A-Z_]+|SKU_ROOT|DAGSTER_HOME)="


def messages(module: Path) -> list[tuple[str, list[ast.expr]]]:
    """Return the texts of a module except docstrings, with `{}` for each value, and the values."""
    tree = ast.parse(module.read_text())
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            values = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            found.append(("".join(map(str, parts)), values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.value, []))
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    }
    return [(text, values) for text, values in found if text not in docstrings]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_full_stop_follows_a_command_or_a_setting(module: Path) -> None:
    """It would become part of the pasted command or value."""
    ends = re.compile(rf"({COMMAND}|{SETTING}\S*?)[.,](\s|$)")
    assert [text for text, _ in messages(module) if ends.search(text)] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_value_of_a_setting_is_quoted_for_the_shell(module: Path) -> None:
    for text, values in messages(module):
        for match in re.finditer(rf"{SETTING}{{}}", text):
            value = values[text[: match.end()].count("{}") - 1]
            assert isinstance(value, ast.Call), text
            assert ast.unparse(value.func) == "quote", text


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_message_asks_for_make_which_an_installed_package_does_not_have(module: Path) -> None:
    target = re.compile(rf"\bmake ({'|'.join(TARGETS)})\b")
    assert target.findall(module.read_text()) == []

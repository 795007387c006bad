"""Phrases that a native-English engineer stumbles over: none in pages, code, the UI or the help."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import click
import pytest
from dagster import AssetsDefinition

from df2_assets.cli import main
from df2_assets.definitions import build_defs
from df2_assets.settings import read_settings
from df2_assets_tests.support.processes import PROJECT

_UNIT = (
    "batch|block|build|category|command|core|crop|file|folder|image|item|label|line|page|pair|part|"
    "process|reason|request|row|run|shard|SKU|split|step|table|worker"
)

_UNITS = "crops|files|images|lines|pairs|requests|rows|runs|shards|SKUs|splits"

INSTEAD = {
    r"anew": "again, or rebuild",
    r"at hand": "available",
    r"(held|holds?|holding)( \w+){0,3} against": "compare with",
    r"look(s|ed|ing)? whether": "check whether",
    rf"(one|an?)( \w+)? ({_UNIT}) an? ({_UNIT})": "one X per Y",
    rf"({_UNITS}|bytes|digits) an? ({_UNIT})": "N X per Y",
    r"of one piece": "consistent",
    r"(gone|goes?|going) on with": "continue",
    r"in vain": "without success; of work: for nothing",
    r"so the test": "a sentence that says why",
    r"(lies?|lay) there": "exists, or say where",
    r"(stands?|stood) (in|there)": "is in",
    r"not done again": "is reused, or skipped",
    r"is there (again|twice)": "appears twice",
    r"at once": "immediately, or at the same time",
    r"(is|are|was|were|nothing|be) (\w+ )?said": "name who says it, or use reported or shown",
    r"(says|said) no": "refuses",
    r"puts? up with": "accept",
    r"all is well": "no problems",
    r"being told": "alerts",
    r"told (apart|from)": "distinguished",
    r"mend(s|ed|ing)?": "fix",
    r"(is|are) wanted|wanted of": "needed, or requested",
    r"(?<!there\s)is no (crop|file|folder|JPEG|name|sample|text|UTF-8)": "is not a X",
    r"knows? nothing of": "does not know about",
    r"for ever": "forever",
    r"the look after": "the next check",
}
"""Phrases, as regular expressions in any letter case, and the plain words to write instead."""

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob("*/README.md")])
FOLDERS = ("df2_assets", "df2_assets_tests", "benchmarks", "scripts", "examples")
MODULES = sorted(
    path
    for folder in FOLDERS
    for path in (PROJECT / folder).rglob("*.py")
    if path != Path(__file__)
)


def odd_phrases(text: str, place: str, line: int = 1) -> list[str]:
    """Return `place:line: phrase: words to use instead` for each phrase in a text.

    `line` is the number of the text's first line.
    """
    problems = []
    for phrase, instead in INSTEAD.items():
        spaced = phrase.replace(" ", r"([ \t]+|[ \t]*\n[ \t]*)")  # not across paragraphs
        for match in re.finditer(rf"\b({spaced})\b", text, re.IGNORECASE):
            at = line + text.count("\n", 0, match.start())
            problems.append(f"{place}:{at}: {' '.join(match[0].split())!r}: write {instead}")
    return problems


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield the strings and the blocks of comments of a module, with the number of their line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    for _, block in groupby(enumerate(comments), lambda entry: entry[1].start[0] - entry[0]):
        lines = [token for _, token in block]
        yield lines[0].start[0], "\n".join(token.string.lstrip("# ") for token in lines)


def described() -> Iterator[tuple[str, str]]:
    """Yield everything with a description in Dagster's UI, and that description."""
    defs = build_defs(read_settings())
    for asset in defs.assets or ():
        assert isinstance(asset, AssetsDefinition)
        for spec in asset.specs:
            yield f"asset {spec.key.to_user_string()}", spec.description or ""
        for check in asset.check_specs:
            yield f"check {check.name}", check.description or ""
    for kind in (defs.jobs, defs.schedules, defs.sensors):
        for definition in kind or ():
            yield definition.name, getattr(definition, "description", None) or ""


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and those below it, by their full names."""
    yield name, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for below in command.list_commands(context):
                inner = command.get_command(context, below)
                assert inner is not None
                yield from commands(inner, f"{name} {below}")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_pages_are_in_plain_english(page: Path) -> None:
    assert odd_phrases(page.read_text(encoding="utf-8"), str(page.relative_to(PROJECT))) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_docstrings_comments_and_messages_are_in_plain_english(module: Path) -> None:
    place = str(module.relative_to(PROJECT))
    texts = texts_of(module.read_text(encoding="utf-8"))
    assert [odd for line, text in texts for odd in odd_phrases(text, place, line)] == []


def test_descriptions_in_the_ui_are_in_plain_english() -> None:
    texts = dict(described())
    assert len(texts) > 20
    assert [odd for name, text in texts.items() for odd in odd_phrases(text, name)] == []


def test_help_of_every_command_is_in_plain_english() -> None:
    helps = {
        name: command.get_help(click.Context(command, info_name=name))
        for name, command in commands(main, "df2-assets")
    }
    assert len(helps) > 10
    assert [odd for name, text in helps.items() for odd in odd_phrases(text, name)] == []

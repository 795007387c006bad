"""AGENTS.md names every read-only command, and each works as described there."""

import json
import re
import shlex

import pytest

from df2_assets.cli import main
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.cli.test_command_line import write_splits
from df2_assets_tests.support.processes import PROJECT
from df2_assets_tests.support.webserver import free_port

TEXT = (PROJECT / "AGENTS.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^\| .* \| `df2-assets (.*)` \|$", TEXT, re.MULTILINE)
WRITES = {"build", "embed", "evaluate", "export", "report", "sample", "score", "ui"}
"""Commands that write, or start something that writes."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Build one split."""
    desk = Desk(tmp_path_factory.mktemp("agents"))
    write_splits(desk.df2, "train")
    assert desk.run("build", SPLITS="train").exit_code == 0
    return desk


def test_every_command_that_only_reads_answers_a_question() -> None:
    assert {words.split()[0] for words in QUESTIONS} == main.commands.keys() - WRITES


def test_every_command_and_target_that_is_named_exists() -> None:
    named = re.findall(r"`df2-assets ([a-z]+)", TEXT)
    assert set(named) <= main.commands.keys()
    targets = re.findall(r"`make ([a-z-]+)`", TEXT)
    makefile = (PROJECT / "Makefile").read_text()
    assert [target for target in targets if f"\n{target}:" not in makefile] == []
    paths = re.findall(r"`([\w./]+\.(?:md|py)|\.ci/run)`", TEXT)
    assert len(paths) > 3
    assert [path for path in paths if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize("words", [words for words in QUESTIONS if not words.startswith("serve")])
def test_a_question_is_answered_by_one_json_object_and_changes_nothing(
    desk: Desk, words: str
) -> None:
    before = desk.files()
    reply = desk.run(*shlex.split(words), SPLITS="train")
    assert reply.exit_code == 0, reply.output
    assert isinstance(json.loads(reply.stdout), dict)
    assert desk.files() == before


def test_the_server_says_where_it_is_in_one_json_object(desk: Desk) -> None:
    reply = desk.start("serve", "--json", "--port", str(free_port()), "--", "true")
    assert json.loads(reply.stdout)["url"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("name", sorted(main.commands.keys() - {"ui"}))
def test_every_command_has_json(name: str) -> None:
    assert "as_json" in {parameter.name for parameter in main.commands[name].params}


ERRORS = {
    "status --split val": "SettingsError",
    "plan --df2-root nowhere": "LayoutError",
    "verify --sku-root nowhere": "MissingTableError",
    "explain train 1 --sku-root df2": "RootsError",
    "explain": "MissingParameter",
    "explain one two three": "UsageError",
    "prompts --prompts nowhere.yaml": "TemplatesError",
    "build --workers x": "BadParameter",
    "export nothing": "BadParameter",
    "sample df2": "SampleError",
    "plan --nonsense": "NoSuchOption",
    "nonsense": "NoSuchCommand",
}


@pytest.mark.parametrize(("words", "kind"), ERRORS.items(), ids=ERRORS)
def test_an_error_is_a_json_object_too(
    desk: Desk, words: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    reply = desk.run(*words.split(), "--json", SPLITS="train")
    assert reply.exit_code in (1, 2)
    error = json.loads(reply.stdout)["error"]
    assert error["kind"] == kind
    assert f"Error: {error['message']}" in reply.stderr
    without = desk.run(*words.split(), SPLITS="train")
    assert (without.stdout, without.exit_code) == ("", reply.exit_code)


def test_json_after_two_hyphens_is_not_an_option(desk: Desk) -> None:
    reply = desk.run("explain", "train", "--", "x", "--json")
    assert reply.exit_code == 2
    assert reply.stdout == ""

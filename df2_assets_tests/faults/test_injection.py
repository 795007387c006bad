"""Hostile text of the data set where it is shown: terminal, UI, tables."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from df2_assets.cli import main
from df2_assets_tests.faults.agreement import SPLIT
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support.builder import DataSet, item, jpeg
from df2_assets_tests.support.run import read_table

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "~~~~~~~~",
    "| a | b |\n|---|",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\r\x00\x7f\x9b",
    "\u202etxt.exe",
    "$(touch hacked)",
    "`touch hacked`",
    "; touch hacked;",
    "{{ 7 * 7 }}",
    "%s%n",
)
FIRST = range(10, 10 + 4 * len(HOSTILE), 4)
"""The number of the first of four images, by text."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a data set in which every text that people write is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    data = DataSet(folder / "df2")
    for image, source in ((1, "shop"), (2, "user")):
        data.raw_image(SPLIT, image, jpeg((70, 60)))
        data.annotation(SPLIT, image, source, 1, {1: item(1, 1, [5, 5, 60, 50])})
    for first, text in zip(FIRST, HOSTILE, strict=True):
        for image in range(first, first + 4):
            data.raw_image(SPLIT, image, jpeg((70, 60)))
        named = item(1, 1, [5, 5, 60, 50], category_name=text)
        labelled = item(1, 1, [5, 5, 60, 50]) | {"occlusion": text}
        data.annotation(SPLIT, first, "user", 1, {1: named, 2: labelled, f"item{text}": named})
        data.annotation(SPLIT, first + 1, text, 1, {1: named})
        data.annotation(SPLIT, first + 2, "user", text, {1: named})
        data.raw_annotation(SPLIT, first + 3, text.encode())
        name = text.replace("/", "_").replace("\x00", "_")
        data.raw_image(SPLIT, name, b"")
        data.raw_annotation(SPLIT, name, b"")
    return folder


@pytest.fixture(scope="module")
def said(place: Path) -> dict[str, str]:
    """Return everything that the commands print, by command."""
    environment = {
        "DF2_ROOT": str(place / "df2"),
        "SKU_ROOT": str(place / "sku"),
        "DAGSTER_HOME": str(place / "home"),
        "SPLITS": SPLIT,
        "DF2_WORKERS": "1",
        "DF2_MAX_REFUSED": "1",
    }
    commands = ["plan", "-v build", "verify --deep", "build --json", "explain train 000001 --json"]
    commands += [f"explain train {first + kind}" for first in FIRST for kind in range(4)]
    texts = {}
    for command in commands:
        done = CliRunner().invoke(main, command.split(), env=environment, color=True)
        assert done.exit_code in (0, 1), (command, done.output)
        texts[command] = done.output
    return texts


def test_nothing_that_the_commands_print_moves_the_cursor_or_hides_itself(
    said: dict[str, str], faults: Faults
) -> None:
    faults.count("injections", 6 * len(HOSTILE))
    for command, text in said.items():
        odd = {sign for sign in text if not (sign.isprintable() or sign == "\n")}
        assert odd == set(), command
        assert text.strip()


def test_nothing_is_run(place: Path, said: dict[str, str]) -> None:
    assert said
    assert not list(place.rglob("hacked"))
    assert not Path("hacked").exists()


def test_no_text_in_a_table_would_be_a_formula_in_a_spreadsheet(
    place: Path, said: dict[str, str]
) -> None:
    assert said
    own = place / "sku" / "_df2_assets"
    frames = [pd.read_parquet(path) for path in sorted(own.rglob("*.parquet"))]
    assert len(read_table(place / "sku", "refusals", SPLIT)) >= 6 * len(HOSTILE)
    assert len(frames) > 6
    for frame in frames:
        for column in frame.select_dtypes(["object", "string"]):
            texts = [text for text in frame[column].dropna() if isinstance(text, str)]
            assert [text for text in texts if text.startswith(FORMULA)] == []
            assert [text for text in texts if not text.isprintable()] == []

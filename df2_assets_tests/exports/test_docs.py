"""docs/exports.md lists all exports, and its code and that of the data cards loads them."""

import re
import runpy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from df2_assets.exports import EXPORTS
from df2_assets.store.layout import Roots
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SPLIT
from df2_assets_tests.support import croissant, torchvision

TEXT: Final = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
TOGETHER: Final = TEXT.partition("## Two splits together\n")[2].partition("\n## ")[0]


def blocks(text: str, level: str) -> dict[str, str]:
    """Return the first Python of each section with a heading of a level."""
    form = rf"^{level} ([^\n]+)\n(?:(?!^{level} ).)*?```python\n(.*?)```"
    return dict(re.findall(form, text, re.M | re.S))


BLOCKS: Final = blocks(TEXT.replace(TOGETHER, ""), "##")
BLOCKS_TOGETHER: Final = blocks(TOGETHER, "###")

Shown = Callable[[dict[str, Any], list[dict[str, Any]]], bool]

SHOWS: Final[dict[str, Shown]] = {
    "WebDataset": lambda has, lines: (has["text"], has["fields"]) == (lines[0]["text"], lines[0]),
    "Hugging Face": lambda has, lines: len(has["rows"]) == len(has["crops"]) == len(lines),
    "JSON lines": lambda has, lines: (
        has["rows"]["image_id"].tolist() == [line["image_id"] for line in lines]
        and has["rows"]["sku_id"].tolist() == [line["sku_id"] for line in lines]
    ),
    "open_clip": lambda has, lines: (
        (len(has["dataset"]), has["title"]) == (len(lines), lines[0]["text"])
    ),
    "Table": lambda has, lines: (
        has["rows"]["sku_id"].tolist() == [line["sku_id"] for line in lines]
        and len(has["wide"]) == len(has["lazy"].collect()) == has["count"][0][0] > 0
    ),
    "Retrieval": lambda has, lines: (
        len(has["rows"]) == len(lines) and has["batch"]["sku_id"].nunique() == 4
    ),
    "ReID list": lambda has, lines: (
        [row["sku_id"] for row in has["queries"]]
        == [line["sku_id"] for line in lines if line["domain"] == "query"]
    ),
    "Pairs and triplets": lambda has, lines: len(has["pairs"]) > len(has["hardest"]) > 0,
    "OML": lambda has, lines: (
        len(has["table"]) == len(has["train"]) + len(has["validation"])
        and set(has["train"]["label"]).isdisjoint(has["validation"]["label"])
    ),
    "Croissant": lambda has, lines: has["text"].decode() == lines[0]["text"],
    "COCO": lambda has, lines: has["image"]["file_name"] == lines[0]["orig_image_path"],
}


IDS: Final[dict[str, Callable[[dict[str, Any]], Iterable[object]]]] = {
    "WebDataset": lambda has: (row["sku_id"] for row in has["rows"]),
    "Hugging Face": lambda has: has["rows"]["sku_id"],
    "JSON lines": lambda has: has["rows"]["sku_id"],
    "open_clip": lambda has: has["rows"]["filepath"].str.split("/").str[2],
    "Table": lambda has: has["rows"]["sku_id"],
    "Retrieval": lambda has: has["rows"]["sku_id"],
    "ReID list": lambda has: (row["sku_id"] for row in has["rows"]),
    "Pairs and triplets": lambda has: has["rows"]["sku_id"],
    "Croissant": lambda has: (row["records/sku_id"] for row in has["rows"]),
    "COCO": lambda has: (row["sku_id"] for row in has["rows"]),
}
"""The bare SKU id of each row of two splits, as the blocks of the page load them."""


def test_the_page_and_the_readme_list_every_export() -> None:
    assert re.findall(r"^\| `(\w+)` \| \[(.+?)\]\(#.+?\) \|", TEXT, re.M) == [
        (export.name, export.title) for export in EXPORTS.values()
    ]
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| export | loads with |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == [*EXPORTS]


def test_the_page_has_a_block_for_each_way_to_load() -> None:
    assert BLOCKS.keys() == SHOWS.keys()
    assert BLOCKS_TOGETHER.keys() == IDS.keys() == SHOWS.keys() - {"OML"}


def test_the_data_cards_show_the_same_blocks() -> None:
    shown = {block.strip() for title, block in BLOCKS.items() if title not in ("OML", "JSON lines")}
    assert {export.example(SPLIT) for export in EXPORTS.values()} == shown


def cards_block(roots: Roots, name: str, split: str) -> str | None:
    """Return the Python of a data card."""
    card = (roots.export(name, split) / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", card, re.S)
    return found and found[1]


def test_the_card_of_an_empty_split_says_that_there_is_nothing_to_load(exported: Roots) -> None:
    nothing = "There is nothing to load: test has no SKU. test was released without annotations."
    for name in EXPORTS:
        card = (exported.export(name, "test") / "README.md").read_text(encoding="utf-8")
        assert f"## Load\n\n{nothing}" in card
        assert (cards_block(exported, name, "test") is not None) == (name == "huggingface")
        assert "nothing to load" not in (exported.export(name, SPLIT) / "README.md").read_text()
    block = cards_block(exported, "huggingface", "test")
    assert block is not None
    assert block in TEXT


@pytest.mark.exports
def test_the_card_of_an_empty_split_loads_0_rows_with_their_types(
    exported: Roots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "DeepFashion2_SKU").symlink_to(exported.sku_root)
    monkeypatch.chdir(tmp_path)
    sizes, features = [], []
    for split in (SPLIT, "test"):
        block = tmp_path / "block.py"
        block.write_text(str(cards_block(exported, "huggingface", "test")).replace("test", split))
        rows = runpy.run_path(str(block))["rows"]
        sizes.append(len(rows))
        features.append(rows.features)
    assert sizes[0] > 0 == sizes[1]
    assert features[0] == features[1]


libraries_warn = pytest.mark.filterwarnings(
    "ignore:.*unclosed file.*[.]tar",
    "ignore:Exception ignored in",
    "ignore:ConjunctiveGraph is deprecated",
    "ignore:.*inplace.*",
)


@pytest.fixture
def run_block(
    exported: Roots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], dict[str, Any]]:
    """Return a function that runs Python of the page, and returns its variables."""
    for library in ("datasets", "duckdb", "open_clip_train", "polars", "webdataset"):
        pytest.importorskip(library)
    croissant.mlcroissant()
    torchvision.make_importable()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "DeepFashion2_SKU").symlink_to(exported.sku_root)
    monkeypatch.chdir(tmp_path)

    def run(text: str) -> dict[str, Any]:
        block = tmp_path / "block.py"
        block.write_text(text)
        return runpy.run_path(str(block))

    return run


@pytest.mark.exports
@libraries_warn
@pytest.mark.parametrize("title", SHOWS)
def test_a_block_of_the_page_loads_the_split(
    exported: Roots, run_block: Callable[[str], dict[str, Any]], title: str
) -> None:
    assert SHOWS[title](run_block(BLOCKS[title]), splits.records(exported))


@pytest.mark.exports
@libraries_warn
@pytest.mark.parametrize("title", IDS)
def test_a_block_of_two_splits_tells_their_garments_apart_and_the_bare_ids_do_not(
    exported: Roots, run_block: Callable[[str], dict[str, Any]], title: str
) -> None:
    train, validation = (
        {line["sku_id"] for line in splits.lines(exported, split)}
        for split in ("train", "validation")
    )
    assert train & validation
    has = run_block(BLOCKS_TOGETHER[title])
    assert len(has["garments"]) == len({*has["garments"]}) == len(train) + len(validation)
    assert len({*IDS[title](has)}) == len(train | validation) < len(has["garments"])


@pytest.mark.exports
@libraries_warn
def test_what_two_splits_load_together_keeps_every_row_and_label(
    exported: Roots, run_block: Callable[[str], dict[str, Any]]
) -> None:
    crops = sum(len(splits.lines(exported, split)) for split in ("train", "validation"))
    for title in IDS.keys() - {"Pairs and triplets"}:
        assert len(run_block(BLOCKS_TOGETHER[title])["rows"]) == crops, title
    retrieval = run_block(BLOCKS_TOGETHER["Retrieval"])
    assert retrieval["batch"]["sku_uid"].nunique() == 4
    assert (retrieval["rows"].groupby("label")["sku_uid"].nunique() == 1).all()
    assert len(run_block(BLOCKS_TOGETHER["open_clip"])["images"]) == crops

"""Prompts read back, and which combinations have none."""

from itertools import product

import msgspec
import pytest

from df2_assets.checks.image_text import coverage
from df2_assets.dataset.metadata import ImageText
from df2_assets.store.contract_files import read_image_text
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import fails, named
from df2_assets_tests.support.builder import DataSet


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[ImageText]:
    """The lines of a split in which every combination occurs once."""
    base = tmp_path_factory.mktemp("prompts")
    roots = Roots(base / "df2", base / "sku", str(base / "sku"))
    clean.write(DataSet(roots.df2_root), "train")
    clean.build(roots)
    return read_image_text(roots, "train")


def one(
    records: list[ImageText], category_id: int, domain: str, occlusion: int, viewpoint: int
) -> int:
    """The place of a combination's record."""
    wanted = category_id, domain, occlusion, viewpoint
    found = [
        place
        for place, r in enumerate(records)
        if (r.category_id, r.domain, r.occlusion, r.viewpoint) == wanted
    ]
    assert len(found) == 1
    return found[0]


def test_the_table_shows_every_combination(records: list[ImageText]) -> None:
    twice = records[one(records, 8, "query", 3, 2)]
    table = coverage("train", [*records, twice]).tables["crops by combination"]
    cells = [f"occlusion {o}, viewpoint {v}" for o, v in product((1, 2, 3), (1, 2, 3))]
    assert list(table.columns) == ["category", "domain", *cells]
    assert len(table) == 26
    assert int(table[cells].to_numpy().sum()) == 235
    trousers = table[(table["category"] == "trousers") & (table["domain"] == "query")]
    assert trousers["occlusion 3, viewpoint 2"].tolist() == [2]


TOP = "A user photo of a person wearing a partially occluded short sleeve top from the front."


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (TOP.replace("short", "long"), "the prompt says another category"),
        (TOP.replace("partially ", "heavily "), "the prompt says another occlusion"),
        (TOP.replace("partially occluded ", ""), "the prompt says another occlusion"),
        (TOP.replace("front", "side or back"), "the prompt says another viewpoint"),
        (
            TOP.replace("from the front", "that is not being worn"),
            "the prompt says another viewpoint",
        ),
        (TOP.replace("A user", "A catalog product"), "the prompt says another domain"),
        (TOP.replace("person wearing a ", ""), "the prompt says another person"),
        (TOP.replace("short sleeve top", "vest from the side"), "the prompt says another category"),
        (TOP.removesuffix("."), "not a sentence of the contract"),
        (TOP + " ", "not a sentence of the contract"),
        (TOP.replace("photo", "picture"), "not a sentence of the contract"),
        ("", "not a sentence of the contract"),
    ],
)
def test_a_wrong_prompt_is_an_error_and_named(
    records: list[ImageText], text: str, what: str
) -> None:
    place = one(records, 1, "query", 2, 2)
    record = records[place]
    assert record.text == TOP
    changed = [*records]
    changed[place] = msgspec.structs.replace(record, text=text)
    finding = coverage("train", changed)
    assert fails(finding, "error")
    assert named(finding.offenders, "split", "sku_id", "image_id", "item_idx", "text", "what") == [
        ("train", record.sku_id, record.image_id, record.item_idx, text, what)
    ]
    assert named(finding.offenders, "crop_path") == [(record.image_path,)]


def test_no_two_combinations_may_share_a_prompt(records: list[ImageText]) -> None:
    """Every prompt but its own is wrong for every record, whichever is taken."""
    for taken in records[:: len(records) // 13]:
        changed = [msgspec.structs.replace(record, text=taken.text) for record in records]
        finding = coverage("train", changed)
        assert finding.numbers["wrong_prompts"] == len(records) - 1


def test_a_category_name_of_another_id_is_an_error(records: list[ImageText]) -> None:
    place = one(records, 1, "query", 2, 2)
    changed = [*records]
    text = TOP.replace("short sleeve top", "vest")
    changed[place] = msgspec.structs.replace(records[place], category_name="vest", text=text)
    finding = coverage("train", changed)
    assert finding.severity == "error"
    assert named(finding.offenders, "image_id", "what") == [
        (records[place].image_id, "the prompt says another category")
    ]


def test_empty_combinations_are_a_warning_and_named(records: list[ImageText]) -> None:
    gone = {one(records, 1, "query", 2, 2), one(records, 13, "catalog", 3, 1)}
    left = [record for place, record in enumerate(records) if place not in gone]
    finding = coverage("train", left)
    assert fails(finding, "warn")
    columns = ("category_id", "category_name", "domain", "occlusion", "viewpoint", "what")
    assert named(finding.offenders, *columns) == [
        (1, "short sleeve top", "query", 2, 2, "no crop of this kind"),
        (13, "sling dress", "catalog", 3, 1, "no crop of this kind"),
    ]

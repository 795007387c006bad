"""The check of prompts, and of the combinations without any."""

from itertools import product
from operator import attrgetter
from pathlib import Path

import msgspec
import pytest

from df2_assets.checks.image_text import coverage
from df2_assets.dataset.metadata import ImageText
from df2_assets.dataset.taxonomy import RELEASED, Released
from df2_assets.store.contract_files import read_image_text
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.clean import copied, fails, find, named, passes


@pytest.fixture(scope="module")
def records(every_look: Roots) -> list[ImageText]:
    """The lines of a split in which every combination occurs once."""
    return read_image_text(every_look, "train")


def one(records: list[ImageText], *labels: object) -> int:
    """Return the place of the record with that category, domain, occlusion and viewpoint."""
    of_record = attrgetter("category_id", "domain", "occlusion", "viewpoint")
    (place,) = (place for place, record in enumerate(records) if of_record(record) == labels)
    return place


def test_the_table_shows_every_combination(records: list[ImageText]) -> None:
    twice = records[one(records, 8, "query", 3, 2)]
    table = coverage("train", [*records, twice], is_full=False).tables["crops by combination"]
    occlusions, viewpoints = (
        ("slight or none", "medium", "heavy"),
        ("not worn", "frontal", "side or back"),
    )
    cells = [f"{o} occlusion, {v}" for o, v in product(occlusions, viewpoints)]
    assert list(table.columns) == ["category", "domain", *cells]
    assert len(table) == 26
    assert int(table[cells].to_numpy().sum()) == 235
    trousers = table[(table["category"] == "trousers") & (table["domain"] == "query")]
    assert trousers["heavy occlusion, frontal"].tolist() == [2]


TOP = "A user photo of a person wearing a partially occluded short sleeve top from the front."
VEST = TOP.replace("short sleeve top", "vest")
CATEGORY, OCCLUSION, VIEWPOINT, DOMAIN, PERSON = (
    f"the prompt has the wrong {what}"
    for what in ("category", "occlusion", "viewpoint", "domain", "person")
)
NO_SENTENCE = "not a sentence of the contract"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"text": TOP.replace("short", "long")}, CATEGORY),
        ({"text": TOP.replace("short sleeve top", "vest from the side")}, CATEGORY),
        ({"text": VEST, "category_name": "vest"}, CATEGORY),
        ({"text": TOP.replace("partially ", "heavily ")}, OCCLUSION),
        ({"text": TOP.replace("partially occluded ", "")}, OCCLUSION),
        ({"text": TOP.replace("front", "side or back")}, VIEWPOINT),
        ({"text": TOP.replace("from the front", "that is not being worn")}, VIEWPOINT),
        ({"text": TOP.replace("A user", "A catalog product")}, DOMAIN),
        ({"text": TOP.replace("person wearing a ", "")}, PERSON),
        ({"text": TOP.removesuffix(".")}, NO_SENTENCE),
        ({"text": TOP + " "}, NO_SENTENCE),
        ({"text": TOP.replace("photo", "picture")}, NO_SENTENCE),
        ({"text": ""}, NO_SENTENCE),
    ],
)
def test_a_wrong_prompt_is_an_error_and_named(
    records: list[ImageText], changes: dict[str, str], what: str
) -> None:
    place = one(records, 1, "query", 2, 2)
    record = records[place]
    assert record.text == TOP
    changed = [*records]
    changed[place] = msgspec.structs.replace(record, **changes)
    finding = coverage("train", changed, is_full=False)
    assert fails(finding, "error")
    assert named(finding.offenders, "split", "sku_id", "image_id", "item_idx", "text", "what") == [
        ("train", record.sku_id, record.image_id, record.item_idx, changes["text"], what)
    ]
    assert named(finding.offenders, "crop_path") == [(record.image_path,)]


def test_no_two_combinations_may_share_a_prompt(records: list[ImageText]) -> None:
    """Only its own prompt is right for a record; that of any other is wrong."""
    for taken in records[:: len(records) // 13]:
        changed = [msgspec.structs.replace(record, text=taken.text) for record in records]
        finding = coverage("train", changed, is_full=False)
        assert finding.numbers["wrong_prompts"] == len(records) - 1


def without_two(records: list[ImageText]) -> list[ImageText]:
    """Return the records without those of two combinations."""
    gone = {one(records, 1, "query", 2, 2), one(records, 13, "catalog", 3, 1)}
    return [record for place, record in enumerate(records) if place not in gone]


def test_empty_combinations_of_a_small_split_are_only_counted(records: list[ImageText]) -> None:
    finding = coverage("train", without_two(records), is_full=False)
    assert passes(finding)
    assert finding.numbers["empty_combinations"] == 2
    assert "2 of 234 combinations without a crop" in finding.summary


def test_a_split_is_full_with_as_many_images_as_were_released(
    every_look: Roots, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    roots = copied(every_look, tmp_path)
    records = without_two(read_image_text(roots, "train"))
    lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
    roots.image_text("train").write_bytes(lines)
    assert passes(find("prompt_coverage", roots))
    monkeypatch.setitem(RELEASED, "train", Released(18, 18))
    assert fails(find("prompt_coverage", roots), "warn")


def test_empty_combinations_of_a_full_split_are_a_warning_and_named(
    records: list[ImageText],
) -> None:
    finding = coverage("train", without_two(records), is_full=True)
    assert fails(finding, "warn")
    columns = ("category_id", "category_name", "domain", "occlusion", "viewpoint", "what")
    assert named(finding.offenders, *columns) == [
        (1, "short sleeve top", "query", 2, 2, "no crop of this kind"),
        (13, "sling dress", "catalog", 3, 1, "no crop of this kind"),
    ]

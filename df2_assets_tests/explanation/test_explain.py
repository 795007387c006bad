"""Why something is in the data set or not: every fate, for every form of the question."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from df2_assets.dataset.tables import RAW_ANNOTATION_INDEX
from df2_assets.explanation.explain import (
    Answer,
    Run,
    explain_crop,
    explain_image,
    explain_place,
    explain_sku,
    explain_sku_id,
    find_place,
)
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets_tests.support import run
from df2_assets_tests.support.builder import DataSet, item, jpeg, truncated
from df2_assets_tests.support.random_data import random_dataset

SPLIT = "train"
INDEX = "raw_annotation_index"
BOX = [10, 10, 90, 100]
OTHER_BOX = [20, 20, 110, 90]
STAGES = [INDEX, "sku_groups", "crops", "sku_metadata", "image_text"]
RUNS = {stage: Run(f"run of {stage}", "2026-01-01T00:00:00+00:00") for stage in STAGES}

TOP_SKU, TROUSERS_SKU, SKIRT_SKU = "000001_01_01", "000002_01_08", "000001_02_09"
SHOP_TOP = f"train/catalog/{TOP_SKU}/000001_item1.jpg"
SHOP_TROUSERS = f"train/catalog/{TROUSERS_SKU}/000004_item1.jpg"
USER_TROUSERS = f"train/query/{TROUSERS_SKU}/000005_item1.jpg"
ESCAPE = "\x1b[31mred"


def write(data: DataSet) -> None:
    """Write data with each fate at least once.

    The second split only has a shop item of the first SKU.
    """
    for image in (1, 2, 6, 7, 9, 10, 11):
        data.image(SPLIT, image)
    data.annotation(
        SPLIT, 1, "shop", 1, {1: item(1, 1, BOX), 2: item(8, 0, BOX), 3: item(9, 2, OTHER_BOX)}
    )
    worn, reversed_skirt = item(1, 1, BOX, viewpoint=3), item(9, 2, [90, 10, 10, 100])
    other_skirt = reversed_skirt | {"style": 5}
    data.annotation(SPLIT, 2, "user", 1, {1: worn, 2: reversed_skirt, 3: other_skirt, 4: ESCAPE})
    data.raw_annotation(SPLIT, 3, b'{"source": "shop"')
    data.raw_image(SPLIT, 4, truncated(jpeg()))
    data.annotation(SPLIT, 4, "shop", 2, {1: item(8, 1, BOX)})
    data.raw_image(SPLIT, 12, truncated(jpeg(seed=12)))
    data.annotation(SPLIT, 12, "user", 2, {1: item(8, 1, BOX)})
    data.image(SPLIT, 5)
    data.annotation(SPLIT, 5, "user", 2, {1: item(8, 1, BOX)})
    data.annotation(SPLIT, 7, "user", 3, {})
    data.annotation(SPLIT, 8, "user", 3, {1: item(1, 1, BOX)})
    data.annotation(SPLIT, 9, "user", 1, {1: item(1, 1, OTHER_BOX), "item01": item(1, 1, BOX)})
    data.annotation(SPLIT, 10, ESCAPE, 1, {1: item(1, 1, BOX)})
    data.annotation(SPLIT, 11, "shop", 1, {1: reversed_skirt})
    data.image("validation", 1)
    data.annotation("validation", 1, "shop", 1, {1: item(1, 1, BOX)})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    base = tmp_path_factory.mktemp("explain")
    write(DataSet(base / "df2"))
    result = run.build(base / "df2", base / "sku", ("train", "validation"), max_refused=1.0)
    assert result.success, result.problems
    return Roots(base / "df2", base / "sku", str(base / "sku"))


@pytest.fixture
def copy(built: Roots, tmp_path: Path) -> Roots:
    """Copy a build, for a test to change."""
    shutil.copytree(built.df2_root, tmp_path / "df2")
    shutil.copytree(built.sku_root, tmp_path / "sku")
    return Roots(tmp_path / "df2", tmp_path / "sku", str(tmp_path / "sku"))


def explain_one(roots: Roots, image: int, item_idx: int | None = None) -> Answer:
    """Return the only answer."""
    (answer,) = explain_image(roots, SPLIT, f"{image:06d}", item_idx, RUNS)
    return answer


def stages(answer: Answer) -> list[str]:
    return [step.stage for step in answer.steps]


def test_an_item_in_the_data_set_is_followed_from_its_files_to_its_prompt(built: Roots) -> None:
    answer = explain_one(built, 1, 1)
    assert (answer.fate, answer.sku_id, answer.crop_path) == ("in", TOP_SKU, SHOP_TOP)
    assert stages(answer) == ["deepfashion2", *STAGES]
    files, index, group, crop, entry, text = answer.steps
    size = (built.annotations(SPLIT) / "000001.json").stat().st_size
    assert files.facts["annotation"] == {"path": "train/annos/000001.json", "bytes": size}
    assert (index.facts["source"], index.facts["x2"], index.facts["width"]) == ("shop", 90, 160)
    labels = "occlusion slight or none, viewpoint frontal, scale modest, zoom_in none"
    assert index.text.endswith(labels)
    assert (group.facts["catalog"], group.facts["query"]) == (1, 2)
    assert crop.facts["size"] == (built.sku_root / SHOP_TOP).stat().st_size
    assert (entry.facts["crop_path"], entry.facts["bbox"]) == (SHOP_TOP, BOX)
    assert text.text == "A catalog product photo of a short sleeve top from the front."
    assert [step.run for step in answer.steps] == [None, *RUNS.values()]
    assert answer.notes == []


@pytest.mark.parametrize(
    ("image", "item_idx", "fate", "stage", "why"),
    [
        (1, 2, "style 0", "sku_groups", "its style is 0: it has no counterpart"),
        (1, 3, "unpaired", "sku_groups", f"SKU {SKIRT_SKU} has no query item, so it is left out"),
        (2, 2, "refused", INDEX, "the item is refused: box_reversed: bounding_"),
        (4, 1, "refused", "crops", "the crop is refused: unreadable_image: "),
        (5, 1, "unpaired", "crops", "it could be made, but SKU 000002_01_08 has no crop of"),
        (3, None, "refused", INDEX, "the whole file is refused: unreadable_json: "),
        (3, 1, "refused", INDEX, "the whole file is refused: unreadable_json: "),
        (8, None, "refused", INDEX, "the whole file is refused: missing_image: "),
        (8, 1, "refused", INDEX, "the whole file is refused: missing_image: "),
        (6, None, "unknown", "deepfashion2", "there is an image, but no annotation"),
        (7, None, "unknown", "deepfashion2", "its annotation has no items"),
        (77, None, "unknown", "deepfashion2", "train had neither an image nor an annotation with"),
        (1, 9, "unknown", "deepfashion2", "its annotation has no item 9; it has 1, 2, 3"),
    ],
)
def test_an_item_that_is_not_in_says_where_it_ends_and_why(
    built: Roots, image: int, item_idx: int | None, fate: str, stage: str, why: str
) -> None:
    answer = explain_one(built, image, item_idx)
    assert (answer.fate, stages(answer)[-1]) == (fate, stage)
    assert answer.why.startswith(why)


def test_an_item_without_a_counterpart_names_those_that_may_have_been_it(built: Roots) -> None:
    facts = explain_one(built, 1, 3).steps[-1].facts
    refused = [text.partition(":")[0] for text in facts["refused"]]
    assert refused[0] == "000002 item 2 (box_reversed"
    assert refused[1:] == ["000002 item 4 (not_an_object", "000009 item 1 (wrong_field"]
    answer = explain_one(built, 5, 1)
    (failed,) = answer.steps[-1].facts["failed"]
    assert failed.startswith(f"{SHOP_TROUSERS} (unreadable_image: ")
    assert SHOP_TROUSERS in answer.why


def test_an_image_has_an_answer_for_each_of_its_items(built: Roots) -> None:
    answers = explain_image(built, SPLIT, "000001", None, {})
    assert [(a.item_idx, a.fate) for a in answers] == [(1, "in"), (2, "style 0"), (3, "unpaired")]


def test_two_items_with_the_same_number_are_both_explained(built: Roots) -> None:
    answers = explain_image(built, SPLIT, "000009", 1, {})
    assert [answer.fate for answer in answers] == ["in", "refused"]


def test_nothing_in_an_answer_can_reach_a_terminal(built: Roots) -> None:
    answers = [*explain_image(built, SPLIT, "000002", None, {}), explain_one(built, 10)]
    answers.append(explain_crop(built, f"train/{ESCAPE}", {}))
    texts = [answer.why for answer in answers]
    texts += [step.text for answer in answers for step in answer.steps]
    texts += [answer.crop_path for answer in answers if answer.crop_path]
    assert [text for text in texts if not text.isprintable()] == []
    assert explain_one(built, 10).fate == "refused"


def test_a_sku_is_explained_with_each_of_its_items(built: Roots) -> None:
    answer = explain_sku(built, SPLIT, TOP_SKU, RUNS)
    assert (answer.fate, answer.why) == ("in", "with 1 catalog and 2 query crops")
    assert [(i.image_id, i.domain, i.fate) for i in answer.items] == [
        ("000001", "catalog", "in"),
        ("000002", "query", "in"),
        ("000009", "query", "in"),
    ]
    assert stages(answer) == STAGES
    assert [step.run for step in answer.steps] == list(RUNS.values())


def test_an_answer_identifies_its_sku_across_splits(built: Roots) -> None:
    item_answer, sku_answer = explain_one(built, 1, 1), explain_sku(built, SPLIT, TOP_SKU, {})
    assert item_answer.sku_uid == sku_answer.sku_uid == f"{SPLIT}/{TOP_SKU}"
    assert item_answer.steps[2].facts["sku_uid"] == f"{SPLIT}/{TOP_SKU}"
    assert explain_one(built, 3).sku_uid is None


@pytest.mark.parametrize("split", [SPLIT, "validation"])
def test_an_identity_across_splits_leads_to_the_sku_of_its_split(built: Roots, split: str) -> None:
    place = find_place(built, f"{split}/{TOP_SKU}")
    (answer,) = explain_place(built, place, None, {})
    assert answer == explain_sku(built, split, TOP_SKU, {})
    assert answer.notes == []


def test_equal_ids_of_two_splits_are_noted_as_different_garments(built: Roots) -> None:
    runs = {SPLIT: RUNS, "validation": RUNS, "test": RUNS}
    answers = explain_sku_id(built, TOP_SKU, runs)
    assert [answer.sku_uid for answer in answers] == [
        f"{SPLIT}/{TOP_SKU}",
        f"validation/{TOP_SKU}",
    ]
    note = f"{SPLIT}/{TOP_SKU} and validation/{TOP_SKU} are different garments"
    assert all(answer.notes[-1].startswith(note) for answer in answers)
    (answer,) = explain_sku_id(built, TROUSERS_SKU, runs)
    assert answer.notes == []
    assert len(explain_sku_id(built, "000009_01_01", runs)) == len(runs)


@pytest.mark.parametrize(
    ("split", "sku_id", "fate", "items"),
    [
        (SPLIT, TROUSERS_SKU, "unpaired", 3),
        (SPLIT, SKIRT_SKU, "unpaired", 3),
        ("validation", TOP_SKU, "unpaired", 1),
        (SPLIT, "000001_00_08", "style 0", 1),
        (SPLIT, "000009_01_01", "unknown", 0),
    ],
)
def test_a_sku_that_is_not_in_the_data_set_says_so_and_which_items_it_has(
    built: Roots, split: str, sku_id: str, fate: str, items: int
) -> None:
    """The same id is another SKU in another split."""
    answer = explain_sku(built, split, sku_id, {})
    assert (answer.fate, len(answer.items)) == (fate, items)
    if split == "validation":
        assert answer.why == f"SKU {sku_id} has no query item, so it is left out"


def test_a_crop_path_leads_to_its_item(built: Roots) -> None:
    answer = explain_crop(built, SHOP_TOP, {})
    assert (answer.fate, answer.image_id, answer.item_idx) == ("in", "000001", 1)
    assert explain_crop(built, USER_TROUSERS, {}).fate == "unpaired"
    assert explain_crop(built, SHOP_TROUSERS, {}).fate == "refused"


def test_a_path_that_is_another_skus_is_unknown_and_says_where_the_items_crop_is(
    built: Roots,
) -> None:
    answer = explain_crop(built, SHOP_TOP.replace("catalog", "query"), {})
    assert answer.fate == "unknown"
    assert SHOP_TOP in answer.why


@pytest.mark.parametrize(
    "path", ["train/catalog/notes.txt", "dev/catalog/000001_01_01/000001_item1.jpg", "a/b", "/"]
)
def test_a_path_that_no_crop_can_have_is_unknown(built: Roots, path: str) -> None:
    answer = explain_crop(built, path, {})
    assert answer.fate == "unknown"
    assert "it is not the path of a crop" in answer.why


def test_a_file_that_the_next_build_removes_is_noted(copy: Roots) -> None:
    orphan = SHOP_TOP.replace("000001_item1", "000077_item1")
    shutil.copy(copy.sku_root / SHOP_TOP, copy.sku_root / orphan)
    answer = explain_crop(copy, orphan, {})
    assert answer.fate == "unknown"
    assert "The next build removes it" in answer.notes[0]
    (copy.sku_root / "train/catalog/notes.txt").write_text("mine")
    assert "leave it alone" in explain_crop(copy, "train/catalog/notes.txt", {}).notes[0]


def test_a_split_that_was_never_built_is_reported(built: Roots) -> None:
    for answer in (
        *explain_image(built, "test", "000001", None, {}),
        explain_sku(built, "test", TOP_SKU, {}),
        explain_crop(built, SHOP_TOP.replace("train", "test"), {}),
    ):
        assert answer.fate == "unknown"
        assert answer.why.startswith("test is not built under ")
        assert answer.why.endswith("run df2-assets build --split test")


def test_inconsistent_tables_are_noted(copy: Roots) -> None:
    index = tables.read(copy, INDEX, SPLIT)
    tables.write(copy, INDEX, SPLIT, index.slice(0, 4), {})
    (note, *_) = explain_one(copy, 1, 1).notes
    assert note.startswith("Sku_groups of train was made from another raw_annotation_index")
    assert note.endswith("run df2-assets build --split train")


def test_an_item_that_is_not_in_the_groups_yet_is_unknown(copy: Roots) -> None:
    index = tables.read(copy, INDEX, SPLIT)
    rows = index.to_pylist()
    later = [row | {"image_id": "000055"} for row in rows if row["image_id"] == "000001"]
    newer = index.from_pylist(rows + later, schema=RAW_ANNOTATION_INDEX)
    tables.write(copy, INDEX, SPLIT, newer, {})
    answer = explain_one(copy, 55, 1)
    assert (answer.fate, stages(answer)[-1]) == ("unknown", "sku_groups")
    assert "older than the index" in answer.why


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        ("sku_metadata", "train_sku_metadata.json does not have it: build again"),
        ("image_text", "train_image_text.jsonl has no line for it: build again"),
    ],
)
def test_a_missing_contract_file_is_reported(copy: Roots, stage: str, why: str) -> None:
    getattr(copy, stage)(SPLIT).unlink()
    answer = explain_one(copy, 1, 1)
    assert (answer.fate, stages(answer)[-1], answer.why) == ("unknown", stage, why)


def test_files_that_have_changed_are_reported(copy: Roots) -> None:
    (copy.annotations(SPLIT) / "000001.json").write_text("{}")
    (copy.sku_root / SHOP_TOP).unlink()
    answer = explain_one(copy, 1, 1)
    assert "000001.json" in answer.steps[0].text
    assert answer.steps[0].text.count("changed since: build again") == 1
    assert answer.steps[3].text.endswith("missing since: build again")


def test_a_crop_with_another_time_and_the_same_bytes_is_unchanged(copy: Roots) -> None:
    os.utime(copy.sku_root / SHOP_TOP, ns=(0, 0))
    assert explain_one(copy, 1, 1).steps[3].text.endswith("pixels")
    os.utime(copy.images(SPLIT) / "000001.jpg", ns=(0, 0))
    assert "000001.jpg, " in explain_one(copy, 1, 1).steps[0].text
    assert "its time changed since: build again" in explain_one(copy, 1, 1).steps[0].text


def test_missing_originals_are_not_reported_as_changed(copy: Roots) -> None:
    shutil.rmtree(copy.df2_root)
    assert explain_one(copy, 1, 1).fate == "in"
    assert "changed" not in explain_one(copy, 1, 1).steps[0].text


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    base = tmp_path_factory.mktemp("messy")
    random_dataset(base / "df2", seed=5, images=80, bad=0.12)
    assert run.build(base / "df2", base / "sku", max_refused=1.0).success
    return Roots(base / "df2", base / "sku", str(base / "sku"))


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    for row in pq.read_table(path).to_pylist():
        yield {name: None if pd.isna(value) else value for name, value in row.items()}


def test_explanations_agree_with_the_metadata(messy: Roots) -> None:
    files = rows_of(messy.table("files", SPLIT))
    answers = [a for f in files for a in explain_image(messy, SPLIT, f["image_id"], None, {})]
    document = json.loads(messy.sku_metadata(SPLIT).read_text())
    listed = {c["crop_path"] for s in document["skus"].values() for c in s["catalog"] + s["query"]}
    assert {answer.crop_path for answer in answers if answer.fate == "in"} == listed
    fates = {answer.fate for answer in answers}
    assert fates == {"in", "style 0", "unpaired", "refused", "unknown"}
    assert {answer.why for answer in answers if answer.fate == "unknown"} == {
        "there is an image, but no annotation for it",
        "its annotation has no items",
    }


def test_each_row_of_the_refusals_can_be_pasted(messy: Roots) -> None:
    refusals = list(rows_of(messy.table("refusals", SPLIT)))
    assert refusals
    for row in refusals:
        answers = explain_image(messy, row["split"], row["image_id"], row["item_idx"], {})
        told = [f"{row['reason']}: {row['detail']}" in answer.why for answer in answers]
        assert any(told), row


def test_each_offender_of_each_check_can_be_pasted(messy: Roots) -> None:
    paths = sorted((messy.own / "checks").rglob(f"{SPLIT}.parquet"))
    assert len(paths) >= 4
    for row in (row for path in paths for row in rows_of(path)):
        if row.get("crop_path"):
            answer = explain_crop(messy, row["crop_path"], {})
        elif row.get("image_id"):
            answer = explain_image(messy, row["split"], row["image_id"], row.get("item_idx"), {})[0]
        else:
            continue
        alone = row.get("what") == "image without annotation"
        assert (answer.fate == "unknown") == alone, (row, answer.why)

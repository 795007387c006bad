"""Labels of crops: incremental per annotation, and only of crops that are on disk."""

import json
import os
from typing import Any

import pyarrow as pa
import pytest

from df2_assets.dataset.masks import decode_mask
from df2_assets.dataset.taxonomy import LANDMARKS
from df2_assets.engines.base import Lost
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import ProvenanceError
from df2_assets.pipeline.labels import Labelled, update_labels
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets.verification.verify import verify
from df2_assets_tests.checks import clean

SPLIT = "train"
CROPS = 52
IMAGES = 4
OF_AN_IMAGE = 13
PATH = "train/query/000001_01_08/000003_item8.jpg"


def update(roots: Roots, engine: Any = None) -> Labelled:
    return update_labels(roots, SPLIT, engine or SerialEngine(), silent)


def label_rows(labelled: Labelled) -> dict[str, dict[str, Any]]:
    return {row["crop_path"]: row for row in labelled.table.to_pylist()}


def change(roots: Roots, image_id: str, item: int, **fields: Any) -> None:
    """Change fields of an item, with another time of the annotation's file."""
    path = roots.annotations(SPLIT) / f"{image_id}.json"
    before = path.stat().st_mtime_ns
    annotation = json.loads(path.read_text())
    annotation[f"item{item}"] |= fields
    path.write_text(json.dumps(annotation))
    os.utime(path, ns=(before, before + 10**9))


def give_shapes(roots: Roots) -> None:
    """Give every item a mask that fills the left half of its box, and landmarks."""
    for path in sorted(roots.annotations(SPLIT).iterdir()):
        annotation = json.loads(path.read_text())
        for item in (value for key, value in annotation.items() if key.startswith("item")):
            x1, y1, x2, y2 = item["bounding_box"]
            half = (x1 + x2) / 2
            item["segmentation"] = [[x1, y1, half, y1, half, y2, x1, y2]]
            item["landmarks"] = [x1, y1, 2] * LANDMARKS[item["category_id"]]
        path.write_text(json.dumps(annotation))


@pytest.fixture
def labelled(disk: Roots) -> Roots:
    """A built split whose items have shapes, with its labels."""
    give_shapes(disk)
    clean.build(disk)
    update(disk)
    return disk


def test_every_crop_on_disk_has_a_row_in_its_own_coordinates(disk: Roots) -> None:
    give_shapes(disk)
    clean.build(disk)
    first = update(disk)
    made = tables.read(disk, "crops", SPLIT)
    assert first.table["crop_path"].to_pylist() == made["crop_path"].to_pylist()
    assert first.table["sku_uid"].to_pylist() == made["sku_uid"].to_pylist()
    assert (first.table.num_rows, first.annotations_read) == (CROPS, IMAGES)
    row = label_rows(first)[PATH]
    assert row["reason"] is None
    assert row["polygons"] == [[0, 0, 19, 0, 19, 38, 0, 38]]
    assert row["landmarks"] == [0, 0, 2] * LANDMARKS[8]
    mask = decode_mask(row["mask"], 38, 38)
    assert mask[:, :19].all()
    assert not mask[:, 19:].any()
    assert (row["area"], row["box_share"], row["overlap"]) == (19 * 38, 0.5, 0)
    assert tables.read(disk, "labels", SPLIT).equals(first.table)


def test_an_unchanged_split_is_not_read_again(labelled: Roots) -> None:
    before = tables.read(labelled, "labels", SPLIT)
    again = update(labelled)
    assert again.annotations_read == 0
    assert str(again.changes) == "Nothing changed."
    assert again.table.equals(before)


def test_only_annotations_that_changed_are_read_again(labelled: Roots) -> None:
    before = tables.digest(tables.read(labelled, "labels", SPLIT))
    change(labelled, "000003", 8, landmarks=[1, 1, 1] * LANDMARKS[8])
    clean.build(labelled)
    after = update(labelled)
    assert (after.annotations_read, after.changes.remade) == (1, OF_AN_IMAGE)
    assert after.changes.unchanged == CROPS - OF_AN_IMAGE
    assert label_rows(after)[PATH]["landmarks"][2] == 1
    assert tables.digest(after.table) != before


def test_the_same_shapes_give_the_same_digest(labelled: Roots) -> None:
    before = tables.digest(tables.read(labelled, "labels", SPLIT))
    for image in range(1, IMAGES + 1):
        change(labelled, f"{image:06d}", 1)
    clean.build(labelled)
    after = update(labelled)
    assert after.annotations_read == IMAGES
    assert tables.digest(after.table) == before


def test_labels_follow_the_crops_that_are_on_disk(labelled: Roots) -> None:
    change(labelled, "000003", 8, style=0)
    clean.build(labelled)
    with pytest.raises(ProvenanceError, match="rerun labels, or build_labels, for train"):
        tables.read(labelled, "labels", SPLIT)
    after = update(labelled)
    assert PATH not in label_rows(after)
    assert after.changes.removed == 1
    assert tables.read(labelled, "labels", SPLIT).num_rows == CROPS - 1


def test_a_refused_shape_leaves_the_crop_and_its_other_shape(labelled: Roots) -> None:
    change(labelled, "000003", 8, segmentation=[[1, 2, 3]])
    clean.build(labelled)
    row = label_rows(update(labelled))[PATH]
    assert (row["reason"], row["detail"]) == ("odd_coordinates", "a polygon of 3 coordinates")
    assert row["mask"] is row["area"] is row["overlap"] is None
    assert row["landmarks"] is not None
    assert PATH in tables.read(labelled, "crops", SPLIT)["crop_path"].to_pylist()
    assert tables.find(labelled, "refusals", SPLIT) is None


def test_an_annotation_that_changed_since_the_build_is_tried_again(disk: Roots) -> None:
    give_shapes(disk)
    clean.build(disk)
    path = disk.annotations(SPLIT) / "000003.json"
    text = path.read_text()
    path.write_text(text + " ")
    row = label_rows(update(disk))[PATH]
    assert (row["reason"], row["fingerprint"]) == ("unreadable", None)
    assert row["detail"] == "changed since the build: build again"
    path.write_text(text)
    clean.build(disk)
    again = update(disk)
    assert again.annotations_read == 1
    assert label_rows(again)[PATH]["reason"] is None


class LosingEngine(SerialEngine):
    """An engine whose worker dies at the annotation of one image."""

    def map(self, function: Any, shards: Any) -> Any:
        for shard in shards:
            lost = any(image.image_id == "000003" for image in shard[-1])
            yield shard, Lost("killed") if lost else function(shard)


def test_an_annotation_that_ends_its_reader_is_refused_alone(labelled: Roots) -> None:
    labelled.table("labels", SPLIT).unlink()
    after = update(labelled, LosingEngine())
    refused = after.table.filter(pa.compute.is_valid(after.table["reason"]))
    assert refused["crop_path"].to_pylist() == [
        path for path in label_rows(after) if "/000003_item" in path
    ]
    assert {*refused["reason"].to_pylist()} == {"unreadable"}
    assert update(labelled).annotations_read == 1


def problems(roots: Roots, *, deep: bool) -> list[tuple[str, str | None, str]]:
    found = verify(roots, SPLIT, SerialEngine() if deep else None)
    own = [problem for problem in found.problems if problem.check.startswith("labels: ")]
    return [(problem.check, problem.path, problem.repair) for problem in own]


def test_verify_reports_labels_of_earlier_crops_and_wrong_rows(labelled: Roots) -> None:
    assert problems(labelled, deep=True) == []
    table = tables.read(labelled, "labels", SPLIT)
    inputs = tables.digests(labelled, ("sku_groups", "crops"), SPLIT)
    tables.write(labelled, "labels", SPLIT, table.slice(1), inputs)
    (path,) = table["crop_path"].to_pylist()[:1]
    assert problems(labelled, deep=False) == [("labels: labels_match", path, "labels")]
    change(labelled, "000003", 8, style=0)
    clean.build(labelled)
    assert problems(labelled, deep=False) == [("labels: labels_match", None, "labels")]
    update(labelled)
    assert problems(labelled, deep=True) == []


def test_verify_compares_the_json_lines_with_the_table(labelled: Roots) -> None:
    """Their first line is as written, so that only a person who removes them has them repaired."""
    path = labelled.lines("labels", SPLIT)
    where = path.relative_to(labelled.sku_root).as_posix()
    whole = path.read_bytes()
    for damaged in (whole[:-2], whole + b"{}\n", whole.replace(b"19", b"91", 1)):
        path.write_bytes(damaged)
        assert problems(labelled, deep=False) == []
        assert problems(labelled, deep=True) == [("labels: JSON lines", where, "you")]
    path.unlink()
    assert problems(labelled, deep=False) == [("labels: JSON lines", where, "labels")]
    update(labelled)
    assert path.read_bytes() == whole
    assert problems(labelled, deep=True) == []

"""Planted defects: the answer key is right, and everything outside the key is valid."""

from collections import Counter, defaultdict
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from df2_assets.dataset import record
from df2_assets.dataset.annotations import parse
from df2_assets.dataset.reasons import Reason
from df2_assets.errors import SampleError
from df2_assets.sample import make_sample
from df2_assets.sample.answer_key import PlantedDefect, read_answer_key
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.sample.conftest import FAULTY_IMAGES

pytestmark = pytest.mark.slow  # `make demo-defects` scores this sample


@pytest.fixture(scope="module")
def key(faulty: Path) -> list[PlantedDefect]:
    return read_answer_key(faulty)


def test_every_reason_is_planted_in_each_split_and_more_than_once(key: list[PlantedDefect]) -> None:
    planted = Counter((one.split, one.expect.reason) for one in key)
    for reason in Reason:
        assert min(planted[split, reason] for split in ("train", "validation")) >= 2


def test_entries_point_at_files_and_items_that_are_there(
    faulty: Path, key: list[PlantedDefect]
) -> None:
    for one in key:
        path = faulty / one.path
        missing = one.planted == "image without an annotation"
        assert path.exists() != missing, one
        assert one.path.startswith(f"{one.split}/")
        if one.item_idx is not None:
            assert f'"item{one.item_idx}"'.encode() in path.read_bytes(), one


def test_no_place_has_two_defects(key: list[PlantedDefect]) -> None:
    assert len({(one.path, one.item_idx) for one in key}) == len(key)


def test_neighbours_of_a_bad_item_are_good(faulty: Path, key: list[PlantedDefect]) -> None:
    spoilt = [one for one in key if one.planted == "style -1"]
    assert len(spoilt) == 2
    for one in spoilt:
        reasons = {i.item_idx: i.reason for i in parse((faulty / one.path).read_bytes()).items}
        assert len(reasons) > 1
        assert reasons.pop(one.item_idx) == Reason.WRONG_FIELD
        assert set(reasons.values()) == {None}


def test_copies_have_the_bytes_of_another_image(faulty: Path, key: list[PlantedDefect]) -> None:
    places = defaultdict(set)
    for one in key:
        if "crops/duplicate_crops" in one.expect.checks:
            data = (faulty / one.split / "image" / f"{one.image_id}.jpg").read_bytes()
            places[data].add((one.split, one.image_id, one.expect.once_built))
    assert all(len(copies) == 2 for copies in places.values())
    kinds = Counter(frozenset((split, built) for split, _, built in v) for v in places.values())
    assert kinds == {
        frozenset({("train", None)}): 2,
        frozenset({("validation", None)}): 2,
        frozenset({("train", "validation"), ("validation", "train")}): 2,
    }


def test_only_train_has_too_many_boxes_past_the_edge(key: list[PlantedDefect]) -> None:
    assert {one.split for one in key if one.planted.startswith("box past the edge")} == {"train"}


def test_the_clean_part_is_that_of_a_sample_without_defects(faulty: Path, tmp_path: Path) -> None:
    make_sample(tmp_path / "out", images=FAULTY_IMAGES)
    for path in (tmp_path / "out").rglob("*"):
        relative = path.relative_to(tmp_path / "out")
        if path.is_file() and relative.name != "sample.json":
            assert (faulty / relative).read_bytes() == path.read_bytes()


def test_a_second_call_touches_nothing(faulty: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in faulty.rglob("*")}
    assert make_sample(faulty, images=FAULTY_IMAGES, defects=True).written == 0
    with pytest.raises(SampleError, match="holds another sample"):
        make_sample(faulty, images=FAULTY_IMAGES)
    assert {path: path.stat().st_mtime_ns for path in faulty.rglob("*")} == before


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "answer_key.json").write_text('[{"split": "train"}]')
    with pytest.raises(SampleError, match="is not an answer key"):
        read_answer_key(tmp_path)


def test_a_faulty_split_gives_tables_with_the_values_that_the_record_allows(
    faulty: Path, tmp_path: Path
) -> None:
    roots = Roots(faulty, tmp_path / "sku", str(tmp_path / "sku"))
    clean.build(roots)
    frames = {
        name: tables.frame(tables.read(roots, name, "train"))
        for name in ("raw_annotation_index", "sku_groups", "crops")
    }
    lines = roots.image_text("train").read_bytes().splitlines()
    frames["image_text"] = pd.DataFrame([msgspec.json.decode(line) for line in lines])
    for name, frame in frames.items():
        asset = (record.TABLES | record.DOCUMENTS)[name]
        assert {n for n in frame if frame[n].isna().any()} <= {*asset.nullable}, name
        assert asset.unique is None or frame[asset.unique].is_unique, name
        for field in asset.fields:
            values = frame[field.name].dropna()
            if field.limits:
                assert values.between(*field.limits).all(), (name, field.name)
            if field.pattern:
                assert values.str.fullmatch(field.pattern).all(), (name, field.name)

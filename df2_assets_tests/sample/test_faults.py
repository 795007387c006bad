"""Planted defects: the key says what is there, and what is not in the key is good."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from df2_assets.dataset.annotations import Refused, parse
from df2_assets.dataset.boxes import clamp, is_reversed
from df2_assets.dataset.cropping import decode, image_size
from df2_assets.dataset.reasons import Reason
from df2_assets.errors import SampleError
from df2_assets.sample import make_sample
from df2_assets.sample.answer_key import Planted, read_answer_key
from df2_assets.sample.defects import CHECKS
from df2_assets_tests.sample.conftest import FAULTY_IMAGES
from df2_assets_tests.sample.reading import ANNOTATED

PIXELS = -1


@pytest.fixture(scope="module")
def key(faulty: Path) -> list[Planted]:
    return read_answer_key(faulty)


def test_every_reason_is_planted_in_each_split_and_more_than_once(key: list[Planted]) -> None:
    planted = Counter((one.split, one.expect.reason) for one in key)
    for reason in Reason:
        assert planted["train", reason] >= 1
        assert planted["validation", reason] >= 1
        assert planted["train", reason] + planted["validation", reason] >= 4


def test_every_check_that_looks_at_input_has_something_to_find(key: list[Planted]) -> None:
    found = Counter(check for one in key for check in one.expect.checks)
    assert found.keys() == CHECKS
    assert min(found.values()) >= 4


def test_entries_point_at_files_and_items_that_are_there(faulty: Path, key: list[Planted]) -> None:
    for one in key:
        path = faulty / one.path
        missing = one.planted == "image without an annotation"
        assert path.exists() != missing, one
        assert one.path.startswith(f"{one.split}/")
        if one.item_idx is not None:
            assert f'"item{one.item_idx}"'.encode() in path.read_bytes() or (
                f'"item0{one.item_idx}"'.encode() in path.read_bytes()
            ), one


def test_no_place_has_two_faults(key: list[Planted]) -> None:
    places = Counter((one.path, one.item_idx) for one in key)
    assert max(places.values()) == 1


def test_reading_the_sample_refuses_what_the_key_says_and_nothing_else(
    faulty: Path, key: list[Planted]
) -> None:
    wanted = {
        (one.split, one.image_id, one.item_idx): one.expect.reason
        for one in key
        if one.expect.reason is not None
    }
    found: dict[tuple[str, str | None, int | None], Reason] = {}
    for split in ANNOTATED:
        for path in sorted((faulty / split / "annos").glob("??????.json")):
            reasons = refusals(path)
            if PIXELS in reasons:  # each crop that is wanted of it is refused: the key says which
                reasons = {
                    one.item_idx: reasons[PIXELS]
                    for one in key
                    if one.path == f"{split}/annos/{path.name}"
                }
            found |= {(split, path.stem, item_idx): why for item_idx, why in reasons.items()}
    assert found == wanted


def refusals(path: Path) -> dict[int | None, Reason]:
    """Why a file (None), its items (by index) or its PIXELS cannot be used."""
    image = path.parents[1] / "image" / f"{path.stem}.jpg"
    try:
        if path.stat().st_size > 16 * 1024 * 1024:
            raise Refused(Reason.UNREADABLE_JSON, "too large")
        annotation = parse(path.read_bytes())
        if not image.exists():
            raise Refused(Reason.MISSING_IMAGE, "not there")
        with image.open("rb") as file:
            size = image_size(file)
    except Refused as refused:
        return {None: refused.reason}
    result: dict[int | None, Reason] = {}
    for item in annotation.items:
        if item.reason is not None:
            result[item.item_idx] = item.reason
        elif item.box is not None and is_reversed(clamp(item.box, *size)):
            result[item.item_idx] = Reason.BOX_OUTSIDE
    try:
        with image.open("rb") as file:
            decode(file)
    except Refused as refused:
        result[PIXELS] = refused.reason
    return result


def test_neighbours_of_a_bad_item_are_good(faulty: Path, key: list[Planted]) -> None:
    spoilt = [one for one in key if one.planted == "style -1"]
    assert len(spoilt) == 2
    for one in spoilt:
        reasons = {i.item_idx: i.reason for i in parse((faulty / one.path).read_bytes()).items}
        assert len(reasons) > 1
        assert reasons.pop(one.item_idx) == Reason.WRONG_FIELD
        assert set(reasons.values()) == {None}


def test_copies_have_the_bytes_of_another_image(faulty: Path, key: list[Planted]) -> None:
    places = defaultdict(set)
    for one in key:
        if "crops/duplicate_crops" in one.expect.checks:
            data = (faulty / one.split / "image" / f"{one.image_id}.jpg").read_bytes()
            places[data].add((one.split, one.image_id, one.expect.once_built))
    within = [copies for copies in places.values() if len({split for split, _, _ in copies}) == 1]
    across = [copies for copies in places.values() if len({split for split, _, _ in copies}) == 2]
    assert len(within) == 4
    assert len(across) == 2
    assert all(len(copies) == 2 for copies in places.values())
    for copies in across:
        assert {(split, other) for split, _, other in copies} == {
            ("train", "validation"),
            ("validation", "train"),
        }


def test_boxes_past_the_edge_are_too_many_in_train_alone(faulty: Path, key: list[Planted]) -> None:
    listed = [one for one in key if one.planted.startswith("box past the edge")]
    assert {one.split for one in listed} == {"train"}
    boxes = sum(
        len(json.loads(path.read_bytes())) - 2
        for path in (faulty / "train" / "annos").glob("0000[0-2]?.json")
    )
    assert len(listed) > 0.01 * boxes


def test_the_clean_part_is_that_of_a_sample_without_faults(faulty: Path, tmp_path: Path) -> None:
    make_sample(tmp_path / "out", images=FAULTY_IMAGES)
    for path in (tmp_path / "out").rglob("*"):
        relative = path.relative_to(tmp_path / "out")
        if path.is_file() and relative.name != "sample.json":
            assert (faulty / relative).read_bytes() == path.read_bytes()


def test_a_second_call_touches_nothing(faulty: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in faulty.rglob("*")}
    assert make_sample(faulty, images=FAULTY_IMAGES, faults=True).written == 0
    with pytest.raises(SampleError, match="holds another sample"):
        make_sample(faulty, images=FAULTY_IMAGES)
    assert {path: path.stat().st_mtime_ns for path in faulty.rglob("*")} == before


def test_a_sample_without_a_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="--faults"):
        read_answer_key(tmp_path)


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "answer_key.json").write_text('[{"split": "train"}]')
    with pytest.raises(SampleError, match="is not an answer key"):
        read_answer_key(tmp_path)

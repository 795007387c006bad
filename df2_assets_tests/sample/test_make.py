"""Writing a sample: which files are written where, once, and nowhere else."""

import shutil
from pathlib import Path

import pytest

from df2_assets.errors import SampleError
from df2_assets.sample import SampleSummary, make_sample
from df2_assets.sample.make import SampleShard, write_shard
from df2_assets.sample.plan import plan_images
from df2_assets.sample.planting import Job
from df2_assets_tests.sample.reading import ANNOTATED, items, kept_items

IMAGES = 26


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small") / "DeepFashion2_original"
    make_sample(out, images=IMAGES, seed=5)
    return out


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_images_are_numbered_and_test_has_no_annotations(sample_root: Path) -> None:
    for split, count in (("train", 230), ("validation", 230), ("test", 20)):
        wanted = [f"{i:06d}" for i in range(1, count + 1)]
        assert sorted(path.stem for path in (sample_root / split / "image").iterdir()) == wanted
        if split in ANNOTATED:
            assert sorted(path.stem for path in (sample_root / split / "annos").iterdir()) == wanted
    assert not (sample_root / "test" / "annos").exists()


def test_the_same_settings_give_the_same_bytes_in_any_order_of_drawing(
    small: Path, tmp_path: Path
) -> None:
    jobs = [Job(image.split, image.image_id, image) for image in reversed(plan_images(IMAGES, 5))]
    write_shard(SampleShard(tmp_path, 5, jobs))
    drawn_before = contents(small)
    del drawn_before["sample.json"]
    assert contents(tmp_path) == drawn_before


def test_another_seed_draws_other_pictures(small: Path, tmp_path: Path) -> None:
    make_sample(tmp_path / "out", images=IMAGES, seed=6)
    ours = {data for name, data in contents(small).items() if name.endswith(".jpg")}
    theirs = {data for name, data in contents(tmp_path / "out").items() if name.endswith(".jpg")}
    assert len(theirs) == IMAGES
    assert not ours & theirs


def test_a_sample_that_was_killed_half_way_is_completed(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(small, out)
    whole = contents(out)
    untouched = out / "train" / "image" / "000001.jpg"
    time = untouched.stat().st_mtime_ns
    half = out / "train" / "image" / "000002.jpg"
    half.rename(half.with_name(".000002.jpg.tmp"))
    (out / "validation" / "annos" / "000001.json").unlink()
    shutil.rmtree(out / "test")
    assert make_sample(out, images=IMAGES, seed=5).written == 3
    assert contents(out) == whole
    assert untouched.stat().st_mtime_ns == time


def test_a_sample_too_small_for_every_defect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="26 images is too small"):
        make_sample(tmp_path / "out", images=IMAGES, defects=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("images", [-1, 0, 10, 1_000_001])
def test_a_number_of_images_out_of_range_is_refused(tmp_path: Path, images: int) -> None:
    with pytest.raises(SampleError, match="11 to 1,000,000"):
        make_sample(tmp_path / "out", images=images)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_else_and_a_file_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "notes.txt").write_text("mine")
    with pytest.raises(SampleError, match="is not empty and is not a sample") as refusal:
        make_sample(tmp_path, images=12)
    assert len(str(refusal.value).splitlines()) <= 2
    with pytest.raises(SampleError, match="is not empty and is not a sample"):
        make_sample(tmp_path / "train" / "notes.txt", images=12)
    assert contents(tmp_path) == {"train/notes.txt": b"mine"}


@pytest.mark.parametrize("other", [{"images": 27}, {"seed": 4}])
def test_a_sample_with_other_settings_is_refused(small: Path, other: dict[str, int]) -> None:
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    assert make_sample(small, images=IMAGES, seed=5).written == 0
    with pytest.raises(SampleError, match="holds another sample"):
        make_sample(small, **{"images": IMAGES, "seed": 5, **other})  # type: ignore[arg-type]
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before


def test_the_smallest_sample_has_a_kept_sku_in_each_annotated_split(tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = make_sample(out, images=11)
    assert made == SampleSummary(out, {"train": 5, "validation": 5, "test": 1}, written=11)
    assert all(kept_items(items(out, split)) for split in ANNOTATED)
    assert len(list((out / "test" / "image").iterdir())) == 1

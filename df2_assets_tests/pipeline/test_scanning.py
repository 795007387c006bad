"""The listing of a split by workers: the same result as a listing by this process."""

import os
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from df2_assets.engines.base import Engine
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import OutputError
from df2_assets.pipeline import scanning
from df2_assets.pipeline.scanning import list_input, missing_crops, scan_crops
from df2_assets.store import crop_tree, listing
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.layout import Roots
from df2_assets.store.store import NOT_A_FILE

SKUS = [f"{domain}/00000{n}_01_01" for domain in ("catalog", "query") for n in range(1, 4)]


@pytest.fixture
def split(roots: Roots) -> Path:
    """A folder with everything that a scan tells apart."""
    folder = roots.crops("train")
    for number, sku in enumerate(SKUS, 1):
        (folder / sku).mkdir(parents=True)
        (folder / sku / f"{number:06d}_item1.jpg").write_bytes(bytes(number))
    for name in (
        "catalog/readme",
        "catalog/1_01_01/000001_item1.jpg",
        "catalog/000001_01_01/notes.txt",
        "catalog/000001_01_01/.000001_item2.jpg.tmp",
        "catalog/000001_01_01/.DS_Store",
        "catalog/000001_01_01/000009_item1.jpg/x",
        "query/000002_01_01/@eaDir/000001_item1.jpg",
        "other/000001_01_01/000001_item1.jpg",
        "notes.txt",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "query/000009_01_01").mkdir()
    (folder / "query/000003_01_01/000008_item1.jpg").symlink_to(folder / "notes.txt")
    (folder / "query/000008_01_01").symlink_to(folder / "nowhere")
    return folder


@pytest.mark.parametrize("make", [SerialEngine, lambda: LocalEngine(2)])
@pytest.mark.parametrize("few", [0, 1_000])
def test_workers_see_what_this_process_sees(
    roots: Roots,
    split: Path,
    make: type[SerialEngine],
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scanning, "_FEW", few)
    monkeypatch.setattr(scanning, "_FOLDERS", 2)
    engine: Engine = make()
    try:
        tree = scan_crops(roots, contract_crops("train"), engine)
    finally:
        engine.close()
    expected = crop_tree.scan(roots, contract_crops("train"))
    assert tree == expected
    assert len(tree.crops) == len(SKUS)
    assert tree.temporary == ["train/catalog/000001_01_01/.000001_item2.jpg.tmp"]
    assert tree.empty == ["train/query/000009_01_01"]
    assert len(tree.system) == 2
    assert len(tree.foreign) == 6


@pytest.mark.parametrize("few", [0, 1_000])
def test_a_link_in_place_of_a_folder_is_refused(
    roots: Roots, split: Path, few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_FEW", few)
    (split / "query/000007_01_01").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="000007_01_01 is a link"):
        scan_crops(roots, contract_crops("train"), SerialEngine())


def test_a_split_that_was_never_built_is_empty(roots: Roots) -> None:
    assert scan_crops(roots, contract_crops("train"), SerialEngine()) == crop_tree.CropTree()


@pytest.mark.parametrize("make", [SerialEngine, lambda: LocalEngine(2)])
@pytest.mark.parametrize("size", [1, 1_000])
def test_crops_without_a_file_are_returned(
    roots: Roots,
    split: Path,
    make: type[SerialEngine],
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scanning, "_FILES", size)
    paths = sorted(crop_tree.scan(roots, contract_crops("train")).crops)
    folder = "train/catalog/000001_01_01/000009_item1.jpg"
    expected = [f"{path}x" for path in paths] + [folder]
    engine: Engine = make()
    try:
        assert missing_crops(roots, "train", paths, engine) == []
        assert sorted(missing_crops(roots, "train", paths + expected, engine)) == sorted(expected)
    finally:
        engine.close()


@pytest.mark.parametrize("make", [SerialEngine, lambda: LocalEngine(2)])
def test_workers_look_up_images_and_annotations(
    roots: Roots, make: type[SerialEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_FILES", 2)
    images, annotations = roots.images("train"), roots.annotations("train")
    for folder, suffix in ((images, ".jpg"), (annotations, ".json")):
        folder.mkdir(parents=True)
        for number in range(20):
            (folder / f"{number:06d}{suffix}").write_bytes(bytes(number))
            os.utime(folder / f"{number:06d}{suffix}", ns=(0, 10**18 + number))
        (folder / f"000050{suffix}").mkdir()
        (folder / f"000051{suffix}").symlink_to(folder / "nowhere")
        (folder / f"000052{suffix}").symlink_to(folder / f"000007{suffix}")
        for foreign in (f"000053{suffix}\n", f"0000053{suffix}", f"000054{suffix}x", "\udce9.jpg"):
            (folder / foreign).touch()
    (annotations / "000003.json").unlink()
    (images / "000004.jpg").unlink()
    engine: Engine = make()
    try:
        listed = list_input(roots, "train", engine)
    finally:
        engine.close()
    expected = listing.scan(roots, "train")
    assert listed.digest == expected.digest
    assert_frame_equal(listed.files, expected.files)
    files = {image_id: stamps for image_id, *stamps in listed.files.itertuples(index=False)}
    assert [*files] == [f"{n:06d}" for n in (*range(20), 50, 51, 52)]
    assert files["000003"] == [pd.NA, pd.NA, 3, 10**18 + 3]
    assert files["000004"] == [4, 10**18 + 4, pd.NA, pd.NA]
    assert files["000052"] == files["000007"] == [7, 10**18 + 7] * 2
    assert [files[n][2] for n in ("000050", "000051")] == [NOT_A_FILE] * 2


def test_an_image_that_vanishes_while_it_is_listed_is_named(roots: Roots) -> None:
    shard = scanning.FileShard(str(roots.images("train")), ["000001.jpg"])
    with pytest.raises(FileNotFoundError, match=r"image/000001\.jpg"):
        scanning.stat_files(shard)

"""Crops on disk against the manifest, and crops that are of little use."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from df2_assets.checks.crops import duplicate_crops, files_match, tiny_crops
from df2_assets.checks.finding import Finding, crop_rows
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.cropping import encode_crop
from df2_assets.pipeline import cutting
from df2_assets.store import crop_tree, tables
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import Built, fails, named
from df2_assets_tests.support.builder import DataSet, Item, item, truncated

TOP = item(1, 1, [5, 5, 70, 100])
CROP = "train/catalog/000001_01_08/000001_item8.jpg"
OTHER = "train/query/000001_01_08/000003_item8.jpg"


def match(built: Built) -> Finding:
    return files_match(built.groups, built.manifest, built.tree)


def rescanned(disk: Roots, built: Built) -> Built:
    """As the next run sees it, which makes no crop."""
    return replace(built, tree=crop_tree.scan(disk, "train"))


def changed(manifest: pd.DataFrame, crop_path: str, **values: Any) -> pd.DataFrame:
    manifest = manifest.copy()
    for name, value in values.items():
        manifest.loc[manifest["crop_path"] == crop_path, name] = value
    return manifest


def assert_named(finding: Finding, *expected: tuple[str, str]) -> None:
    assert fails(finding, "error")
    assert named(finding.offenders, "crop_path", "what") == list(expected)


def test_a_missing_crop_is_named_with_its_sku_image_and_item(disk: Roots, built: Built) -> None:
    disk.crop(CROP).unlink()
    finding = match(rescanned(disk, built))
    assert_named(finding, (CROP, "the file is not there"))
    assert named(finding.offenders, "split", "sku_id", "image_id", "item_idx") == [
        ("train", "000001_01_08", "000001", 8)
    ]


def test_a_crop_of_another_size_or_time_is_named(disk: Roots, built: Built) -> None:
    with disk.crop(CROP).open("ab") as file:
        file.write(b"\0")
    status = disk.crop(OTHER).stat()
    os.utime(disk.crop(OTHER), ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    what = "size or time is not the recorded one"
    assert_named(match(rescanned(disk, built)), (CROP, what), (OTHER, what))


def test_what_is_in_the_folders_besides_the_crops_is_named(disk: Roots, built: Built) -> None:
    folder = disk.crop(CROP).parent
    orphan, half, foreign = "000099_item1.jpg", ".000001_item8.jpg.tmp", "notes\n.txt"
    for name in (orphan, half, foreign):
        (folder / name).touch()
    (folder.parent / "000009_01_01").mkdir()
    finding = match(rescanned(disk, built))
    assert_named(
        finding,
        (f"train/catalog/000001_01_08/{orphan}", "no row of the manifest wants it"),
        (f"train/catalog/000001_01_08/{half}", "half-written, left by a build that was killed"),
        ("train/catalog/000009_01_01", "an empty folder"),
        (r"train/catalog/000001_01_08/notes\n.txt", "not a file of this project"),
    )
    assert "move it away" in finding.summary


def without_crop(built: Built) -> pd.DataFrame:
    return built.manifest[built.manifest["crop_path"] != CROP]


NOT_THE_BOX = "the recorded width and height are not those of the box"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            lambda b: {
                "tree": CropTree(b.tree.crops, foreign=[os.fsdecode(b"train/query/caf\xe9.jpg")])
            },
            [(r"train/query/caf\udce9.jpg", "not a file of this project")],
        ),
        (lambda b: {"manifest": changed(b.manifest, CROP, width=37)}, [(CROP, NOT_THE_BOX)]),
        (lambda b: {"manifest": changed(b.manifest, CROP, height=37)}, [(CROP, NOT_THE_BOX)]),
        (
            lambda b: {"manifest": without_crop(b)},
            [(CROP, "it has no row in the manifest"), (CROP, "no row of the manifest wants it")],
        ),
        (
            lambda b: {"groups": b.groups[b.groups["crop_path"] != CROP]},
            [(CROP, "sku_groups does not want it")],
        ),
        (
            lambda b: {"manifest": pd.concat([b.manifest, b.manifest.drop(without_crop(b).index)])},
            [(CROP, "in the manifest twice")],
        ),
        (
            lambda b: {
                "manifest": changed(b.manifest, CROP, reason="unpaired"),
                "tree": CropTree({p: s for p, s in b.tree.crops.items() if p != CROP}),
            },
            [(CROP, "left out, though its SKU has crops of both domains")],
        ),
    ],
)
def test_what_the_manifest_the_groups_and_the_files_disagree_in_is_named(
    built: Built, edit: Callable[[Built], dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    assert_named(match(replace(built, **edit(built))), *expected)


def test_a_crop_that_is_cut_smaller_than_its_box_is_named(
    roots: Roots, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrower(image: Image.Image, box: Box, *options: Any) -> bytes:
        return encode_crop(image, (box[0], box[1], box[2] - 1, box[3]), *options)

    monkeypatch.setattr(cutting, "encode_crop", narrower)
    finding = match(clean.build(roots))
    assert fails(finding, "error")
    assert named(finding.offenders, "what") == [(NOT_THE_BOX,)] * 52


def test_sizes_of_crops_that_were_read_back_are_compared_with_their_boxes(built: Built) -> None:
    sizes = {CROP: (37, 38), OTHER: None}
    assert_named(
        files_match(built.groups, built.manifest, built.tree, sizes),
        (OTHER, "the file is no readable JPEG"),
        (CROP, "the file's width and height are not those of the box"),
    )


def test_a_sku_that_failures_took_a_domain_from_is_left_out_whole(
    roots: Roots, data: DataSet
) -> None:
    for image_id, source in ((81, "shop"), (82, "user"), (83, "user")):
        picture = data.image("train", image_id)
        data.annotation("train", image_id, source, 7, {1: TOP})
    for image_id in (82, 83):
        picture = roots.images("train") / f"{image_id:06d}.jpg"
        picture.write_bytes(truncated(picture.read_bytes()))
    built = clean.build(roots)
    assert match(built).passed
    left_out = "train/catalog/000007_01_01/000081_item1.jpg"
    failed = "train/query/000007_01_01/000082_item1.jpg"
    reasons = named(built.manifest, "crop_path", "reason")
    assert {(left_out, "unpaired"), (failed, "unreadable_image")} < set(reasons)
    kept = changed(built.manifest, left_out, reason=None, size=1, mtime_ns=2, width=65, height=95)
    tree = CropTree({**built.tree.crops, left_out: (1, 2)})
    assert_named(
        match(replace(built, manifest=kept, tree=tree)),
        (left_out, "its SKU has lost its catalog or query crops"),
    )


def test_crops_with_a_side_under_32_pixels_are_named(roots: Roots, data: DataSet) -> None:
    sides = {1: (31, 100), 2: (100, 31), 3: (32, 32), 4: (1, 1)}
    items: dict[int | str, Item] = {
        n: item(1, n, [2, 3, 2 + w, 3 + h]) for n, (w, h) in sides.items()
    }
    for image_id, source in ((81, "shop"), (82, "user")):
        data.image("train", image_id)
        data.annotation("train", image_id, source, 7, items)
    finding = tiny_crops(clean.build(roots).manifest)
    assert fails(finding, "warn")
    columns = ("split", "sku_id", "image_id", "item_idx", "width", "height")
    assert named(finding.offenders, *columns) == [
        ("train", f"000007_{n:02d}_01", image_id, n, *sides[n])
        for image_id in ("000081", "000082")
        for n in (1, 2, 4)
    ]


def test_crops_with_the_same_bytes_are_named_with_their_double(roots: Roots, data: DataSet) -> None:
    for image_id, source in ((81, "shop"), (82, "user"), (83, "user")):
        data.image("train", image_id, seed="one" if image_id < 83 else "another")
        data.annotation("train", image_id, source, 7, {1: TOP})
    finding = duplicate_crops("train", clean.build(roots).manifest, {})
    assert fails(finding, "warn")
    shop = "train/catalog/000007_01_01/000081_item1.jpg"
    user = "train/query/000007_01_01/000082_item1.jpg"
    what = "same bytes as another crop of train"
    assert named(finding.offenders, "crop_path", "same_as", "what") == [
        (shop, user, what),
        (user, shop, what),
    ]


def test_a_crop_that_leaks_from_one_split_into_another_is_named(
    roots: Roots, data: DataSet
) -> None:
    clean.write(data, "validation", looks=2)
    leak = roots.images("train") / "000002.jpg"
    (roots.images("validation") / "000003.jpg").write_bytes(leak.read_bytes())
    clean.build(roots, "validation")
    built = clean.build(roots)
    manifest = tables.frame(tables.read(roots, "crops", "validation"))
    finding = duplicate_crops("train", built.manifest, {"validation": manifest, "test": None})
    assert fails(finding, "warn")
    assert finding.numbers == {"duplicates_within": 0, "duplicates_across": 13}
    assert named(finding.offenders, "crop_path", "same_as", "what") == [
        (
            f"train/catalog/000001_01_{n:02d}/000002_item{n}.jpg",
            f"validation/query/000001_01_{n:02d}/000003_item{n}.jpg",
            "same bytes as a crop of validation",
        )
        for n in range(1, 14)
    ]
    assert named(finding.tables["compared with"], "split", "crops with the same bytes") == [
        ("train", "0"),
        ("validation", "13"),
        ("test", "not compared"),
    ]
    assert "Not compared with test" in finding.summary


def test_a_file_whose_item_is_too_large_a_number_is_named_and_stops_nothing() -> None:
    path = "train/catalog/000001_01_01/000001_item99999999999.jpg"
    row = crop_rows([path]).iloc[0]
    assert (row["split"], row["crop_path"]) == ("train", path)
    assert pd.isna(row["item_idx"])

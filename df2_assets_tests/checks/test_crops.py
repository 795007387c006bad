"""The checks of crops: files compared with the manifest, and crops that are of little use."""

import os
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from df2_assets.checks.crops import duplicate_crops, files_match, settle_times, tiny_crops
from df2_assets.checks.finding import Finding, crop_rows
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.cropping import encode_crop
from df2_assets.pipeline import cutting
from df2_assets.store import crop_tree
from df2_assets.store.checksums import digest_each
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import Built, fails, named
from df2_assets_tests.support.builder import DataSet, item, truncated

TOP = item(1, 1, [5, 5, 70, 100])
CROP = "train/catalog/000001_01_08/000001_item8.jpg"
OTHER = "train/query/000001_01_08/000003_item8.jpg"


def match(built: Built) -> Finding:
    return files_match(built.groups, built.manifest, built.tree, only_pairs=True)


def rescanned(disk: Roots, built: Built) -> Built:
    """Scan the disk again, as the next run does, which cuts no crops."""
    read = partial(digest_each, disk.sku_root)
    return replace(
        built,
        tree=settle_times(built.manifest, crop_tree.scan(disk, contract_crops("train")), read),
    )


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
    assert_named(finding, (CROP, "the file is missing"))
    assert named(finding.offenders, "split", "sku_id", "image_id", "item_idx") == [
        ("train", "000001_01_08", "000001", 8)
    ]


def test_a_crop_of_another_size_or_of_other_bytes_is_named(disk: Roots, built: Built) -> None:
    with disk.crop(CROP).open("ab") as file:
        file.write(b"\0")
    data = disk.crop(OTHER).read_bytes()
    disk.crop(OTHER).write_bytes(data[:-1] + b"\0")
    what = "its bytes differ from those that were written"
    assert_named(match(rescanned(disk, built)), (CROP, what), (OTHER, what))


def test_a_change_of_time_alone_passes_and_is_mentioned(disk: Roots, built: Built) -> None:
    for path in (CROP, OTHER):
        os.utime(disk.crop(path), ns=(0, 0))
    finding = match(rescanned(disk, built))
    assert finding.passed
    assert "2 of them were copied: only their time differs" in finding.summary


def test_files_of_systems_are_ignored_and_other_names_are_in_the_message(
    disk: Roots, built: Built
) -> None:
    folder = disk.crop(CROP).parent
    for name in (".DS_Store", "THUMBS.DB", "._000001_item8.jpg", ".nfs000000001"):
        (folder / name).touch()
    (folder / "@eaDir").mkdir()
    (folder / "@eaDir" / "000001_item8.jpg").touch()
    (folder.parent / "desktop.ini").touch()
    (folder.parents[1] / ".directory").touch()
    seen = rescanned(disk, built)
    assert match(seen).passed
    assert len(seen.tree.system) == 7
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (folder / name).touch()
    summary = match(rescanned(disk, built)).summary
    assert "move train/catalog/000001_01_08/a.txt, " in summary
    assert "c.txt and 1 more away" in summary


def test_what_is_in_the_folders_besides_the_crops_is_named(disk: Roots, built: Built) -> None:
    folder = disk.crop(CROP).parent
    orphan, half, foreign = "000099_item1.jpg", ".000001_item8.jpg.tmp", "notes\n.txt"
    for name in (orphan, half, foreign):
        (folder / name).touch()
    (folder.parent / "000009_01_01").mkdir()
    finding = match(rescanned(disk, built))
    assert_named(
        finding,
        (f"train/catalog/000001_01_08/{orphan}", "the manifest does not list it"),
        (f"train/catalog/000001_01_08/{half}", "half-written by a build that was killed"),
        ("train/catalog/000009_01_01", "an empty folder"),
        (r"train/catalog/000001_01_08/notes\n.txt", "not a file of this project"),
    )
    assert r"move train/catalog/000001_01_08/notes\n.txt away" in finding.summary


NOT_THE_BOX = "the recorded width and height are not those of the box"


def test_what_manifest_groups_and_files_disagree_in_is_named(built: Built) -> None:
    groups, manifest, tree = built.groups, built.manifest, built.tree
    row = manifest[manifest["crop_path"] == CROP]
    without_row = manifest.drop(row.index)
    without_file = CropTree({path: at for path, at in tree.crops.items() if path != CROP})
    no_text = CropTree(tree.crops, foreign=[os.fsdecode(b"train/query/caf\xe9.jpg")])
    foreign = (r"train/query/caf\udce9.jpg", "not a file of this project")
    unpaired = changed(manifest, CROP, reason="unpaired")

    def edited(**tables: Any) -> Finding:
        return match(replace(built, **tables))

    assert_named(edited(tree=no_text), foreign)
    for side in ("width", "height"):
        assert_named(edited(manifest=changed(manifest, CROP, **{side: 37})), (CROP, NOT_THE_BOX))
    assert_named(
        edited(manifest=without_row),
        (CROP, "it has no row in the manifest"),
        (CROP, "the manifest does not list it"),
    )
    ungrouped = groups[groups["crop_path"] != CROP]
    assert_named(edited(groups=ungrouped), (CROP, "sku_groups does not list it"))
    assert_named(edited(manifest=pd.concat([manifest, row])), (CROP, "in the manifest twice"))
    assert_named(
        edited(manifest=unpaired, tree=without_file),
        (CROP, "left out, though its SKU has crops of both domains"),
    )


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
        files_match(built.groups, built.manifest, built.tree, sizes, only_pairs=True),
        (OTHER, "the file is not a readable JPEG"),
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


def test_where_skus_with_one_domain_are_kept_only_what_failed_is_left_out(
    roots: Roots, data: DataSet
) -> None:
    for image_id, source in ((81, "shop"), (82, "user")):
        data.annotation("train", image_id, source, 7, {1: TOP})
        data.image("train", image_id)
    picture = roots.images("train") / "000082.jpg"
    picture.write_bytes(truncated(picture.read_bytes()))
    built = clean.build(roots, only_pairs=False)
    reasons = built.manifest.set_index("crop_path")["reason"]
    catalog, query = (
        f"train/{domain}/000007_01_01/{image}_item1.jpg"
        for domain, image in (("catalog", "000081"), ("query", "000082"))
    )
    assert (reasons.isna()[catalog], reasons[query]) == (True, "unreadable_image")
    assert files_match(built.groups, built.manifest, built.tree, only_pairs=False).passed
    left_out = changed(built.manifest, catalog, reason="unpaired")
    without = {path: status for path, status in built.tree.crops.items() if path != catalog}
    assert_named(
        files_match(built.groups, left_out, CropTree(without), only_pairs=False),
        (catalog, "left out, though SKUs with one domain are kept"),
    )


def test_crops_with_a_side_under_32_pixels_are_named(built: Built) -> None:
    manifest = built.manifest.copy()
    manifest.loc[:3, ["width", "height"]] = [(31, 100), (100, 31), (32, 32), (1, 1)]
    finding = tiny_crops(manifest)
    assert fails(finding, "warn")
    columns = ("split", "sku_id", "image_id", "item_idx", "width", "height")
    assert named(finding.offenders, *columns) == [
        ("train", "000001_01_01", "000001", 1, 31, 100),
        ("train", "000001_01_01", "000002", 1, 100, 31),
        ("train", "000001_01_02", "000002", 2, 1, 1),
    ]


def test_crops_with_the_same_bytes_are_named_with_their_double(built: Built) -> None:
    digest = built.manifest.set_index("crop_path")["sha256"][CROP]
    finding = duplicate_crops("train", changed(built.manifest, OTHER, sha256=digest), {})
    assert fails(finding, "warn")
    what = "same bytes as another crop of train"
    assert named(finding.offenders, "crop_path", "same_as", "what") == [
        (CROP, OTHER, what),
        (OTHER, CROP, what),
    ]


def test_a_crop_that_leaks_from_one_split_into_another_is_named(built: Built) -> None:
    leak = OTHER.replace("train/", "validation/")
    manifest = built.manifest[built.manifest["crop_path"] == OTHER].assign(crop_path=leak)
    finding = duplicate_crops("train", built.manifest, {"validation": manifest, "test": None})
    assert fails(finding, "warn")
    assert finding.numbers == {"duplicates_within": 0, "duplicates_across": 1}
    assert named(finding.offenders, "crop_path", "same_as", "what") == [
        (OTHER, leak, "same bytes as a crop of validation")
    ]
    assert named(finding.tables["compared with"], "split", "crops with the same bytes") == [
        ("train", "0"),
        ("validation", "1"),
        ("test", "not compared"),
    ]
    assert "Not compared with test" in finding.summary


def test_a_file_whose_item_is_too_large_a_number_is_named_and_stops_nothing() -> None:
    path = "train/catalog/000001_01_01/000001_item99999999999.jpg"
    row = crop_rows([path]).iloc[0]
    assert (row["split"], row["crop_path"]) == ("train", path)
    assert pd.isna(row["item_idx"])

"""Exports of crop variants: their files, their coordinates, and how they stand beside the crops."""

import csv
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from df2_assets.checks.exports import exports_on_disk, matches_image_text
from df2_assets.cli.verify import join_exports
from df2_assets.dataset.masks import decode_mask, fill, rasterize
from df2_assets.dataset.shapes import Shapes
from df2_assets.dataset.variants import Affine
from df2_assets.errors import MissingTableError, OutputError, ProvenanceError
from df2_assets.exports import EXPORTS
from df2_assets.exports.build import export
from df2_assets.exports.folder import crop_file_name
from df2_assets.exports.record import export_command, export_name, form_of
from df2_assets.exports.shapes import CropShapes, encode_png
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SMALL, SPLIT

NAMES = tuple(variant.name for variant in splits.VARIANTS)


@pytest.fixture
def changing(variants: Roots, tmp_path: Path) -> Roots:
    """Copy the exports, for a test to change. The data set does not change."""
    shutil.copytree(variants.sku_root, tmp_path / "sku")
    return replace(variants, sku_root=tmp_path / "sku")


def records_of(roots: Roots, variant: str) -> list[dict[str, Any]]:
    """Return the content of exports for each file of a variant."""
    files = splits.files_of(roots, variant)
    return [
        record
        | {"image_path": file["variant_path"]}
        | {"bbox": [file[edge] for edge in ("x1", "y1", "x2", "y2")]}
        for record in splits.records(roots)
        if (file := files.get(record["image_path"]))
    ]


def folder_of(roots: Roots, name: str, variant: str) -> Path:
    return roots.sku_root / "_df2_assets" / "exports" / f"{name}@{variant}" / SPLIT


def bytes_of(roots: Roots, record: dict[str, Any]) -> bytes:
    return roots.sku_root.joinpath(record["image_path"]).read_bytes()


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def affine_of(roots: Roots, variant: str, record: dict[str, Any]) -> Affine:
    """Return the map from the image to the file of a record, from the manifest."""
    files = {file["variant_path"]: file for file in splits.files_of(roots, variant).values()}
    file = files[record["image_path"]]
    return Affine(*(file[name] for name in Affine._fields))


def test_names_and_commands_of_exports_have_the_variant() -> None:
    assert export_name("coco") == "coco"
    assert export_name("coco", "square") == "coco@square"
    assert form_of("coco@square") == form_of("coco") == "coco"
    assert export_command("pairs@a", "my:own encoder") == (
        "export pairs --variant a --encoder 'my:own encoder'"
    )
    names = ("coco", "pairs@a", "table", "coco@b", "reid@a")
    assert [*join_exports(dict.fromkeys(map(export_command, names), 1))] == [
        "export coco table",
        "export pairs reid --variant a",
        "export coco --variant b",
    ]
    crop = "train/catalog/000001_01_01/000002_item1.jpg"
    assert crop_file_name(f"_df2_assets/variants/square/{crop}") == crop_file_name(crop)


POLYGONS: list[list[float]] = [[3, 3, 17.3, 4.1, 12, 15.5], [10, 8.8, 30, 9, 26, 22, 12.5, 19]]


def test_shapes_follow_the_map_of_a_variant() -> None:
    mask = rasterize(POLYGONS, 40, 30)
    landmarks = [5.0, 6.0, 2.0, 0.0, 0.0, 0.0]
    crop = CropShapes(100, 50, mask, POLYGONS, landmarks, 40, 30)
    assert crop.in_file() == Shapes(POLYGONS, landmarks)
    assert crop.in_image().landmarks == [105, 56, 2, 0, 0, 0]
    pixels = crop.draw_mask()
    assert pixels is not None
    assert (pixels == decode_mask(mask, 40, 30)).all()
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        assert (np.asarray(image) == pixels).all()

    moved = crop._replace(affine=Affine(0.5, 0.5, -45, -20), width=30, height=25)
    assert moved.in_file().landmarks == [7.5, 8, 2, 0, 0, 0]
    polygons = moved.in_file().polygons
    assert polygons is not None
    assert polygons[0][:2] == [6.5, 6.5]
    half = moved.draw_mask()
    assert half is not None
    assert (half == fill(polygons, 30, 25)).all()
    assert crop._replace(mask=None, polygons=None).draw_mask() is None


slow = pytest.mark.slow


@slow
@pytest.mark.parametrize("variant", splits.VARIANTS, ids=NAMES)
def test_shards_have_the_files_of_the_variant_and_its_boxes(variants: Roots, variant: Any) -> None:
    records = records_of(variants, variant.name)
    samples: list[tuple[str, bytes]] = []
    for shard in sorted(folder_of(variants, "webdataset", variant.name).glob("*.tar")):
        with tarfile.open(shard) as tar:
            for entry in tar:
                data = tar.extractfile(entry)
                assert data is not None
                samples.append((entry.name.partition(".")[2], data.read()))
    endings = [variant.suffix.removeprefix("."), "txt", "json"]
    assert [ending for ending, _ in samples] == endings * len(records)
    assert [data for _, data in samples[::3]] == [bytes_of(variants, one) for one in records]
    assert [json.loads(data) for _, data in samples[2::3]] == records


@slow
@pytest.mark.parametrize("variant", NAMES)
def test_datasets_get_the_files_with_masks_and_landmarks_in_their_pixels(
    variants: Roots, variant: str
) -> None:
    records, folder = records_of(variants, variant), folder_of(variants, "huggingface", variant)
    rows = [
        row for path in sorted(folder.glob("parquet/*")) for row in pq.read_table(path).to_pylist()
    ]
    lines = (folder / "imagefolder" / "metadata.jsonl").read_text().splitlines()
    assert len(rows) == len(lines) == len(records)
    masks = 0
    for row, line, record in zip(rows, map(json.loads, lines), records, strict=True):
        assert row["image"]["bytes"] == bytes_of(variants, record)
        assert row["image"]["path"] == Path(record["image_path"]).name
        assert (row["image_path"], row["bbox"]) == (record["image_path"], record["bbox"])
        linked = folder / "imagefolder" / line["file_name"]
        assert os.path.samefile(linked, variants.sku_root / record["image_path"])
        affine = affine_of(variants, variant, record)
        annotated = splits.landmarks_of(variants, record)
        assert row["landmarks"] == line["landmarks"]
        assert (row["mask"] is None) == (row["landmarks"] is None) == (annotated is None)
        if annotated is None:
            continue
        masks += 1
        points = [[*affine.apply(x, y), v] if v else [0, 0, 0] for x, y, v in annotated]
        assert np.allclose(row["landmarks"], points)
        with (
            Image.open(io.BytesIO(row["mask"]["bytes"])) as mask,
            Image.open(io.BytesIO(row["image"]["bytes"])) as image,
        ):
            assert mask.size == image.size
            if image.mode == "RGBA":
                shown = np.asarray(image.getchannel("A")) > 127
                assert (shown ^ np.asarray(mask)).mean() < 0.12
    assert masks == 2 * 3 * splits.PAIRS


@slow
def test_coco_has_the_files_as_images_and_everything_in_their_pixels(variants: Roots) -> None:
    for variant in NAMES:
        records = records_of(variants, variant)
        path = folder_of(variants, "coco", variant) / f"instances_{SPLIT}.json"
        document = json.loads(path.read_text())
        originals = {
            one["crop_path"]: one["id"]
            for one in json.loads(
                (variants.export("coco", SPLIT) / f"instances_{SPLIT}.json").read_text()
            )["annotations"]
        }
        found = zip(document["images"], document["annotations"], records, strict=True)
        for image, annotation, record in found:
            with Image.open(variants.sku_root / image["file_name"]) as file:
                assert file.size == (image["width"], image["height"])
            assert image["file_name"] == annotation["crop_path"] == record["image_path"]
            assert image["id"] == annotation["image_id"] == annotation["id"]
            affine = affine_of(variants, variant, record)
            x1, y1, x2, y2 = splits.annotated(variants, record)["bounding_box"]
            (left, top), (right, bottom) = affine.apply(x1, y1), affine.apply(x2, y2)
            box = [left, top, right - left, bottom - top]
            assert np.allclose(annotation["bbox"], box, atol=0.001)
            own = splits.landmarks_of(variants, record) or []
            moved = [[*affine.apply(x, y), v] for x, y, v in own if v]
            points = np.reshape(annotation["keypoints"], (-1, 3))
            assert np.allclose(points[points[:, 2] > 0], np.reshape(moved, (-1, 3)), atol=0.001)
            assert annotation["num_keypoints"] == len(moved)
            if own:
                size = image["width"], image["height"]
                assert annotation["area"] == fill(annotation["segmentation"], *size).sum() > 0
        assert {one["id"] for one in document["annotations"]} <= {*originals.values()}


@slow
def test_tables_have_the_paths_of_the_files(variants: Roots) -> None:
    for variant in NAMES:
        records = records_of(variants, variant)
        paths = [record["image_path"] for record in records]
        with (folder_of(variants, "open_clip", variant) / f"{SPLIT}.tsv").open() as lines:
            assert [row["filepath"] for row in csv.DictReader(lines, delimiter="\t")] == paths
        folder = folder_of(variants, "retrieval", variant)
        oml, rows = (pd.read_csv(folder / f"{name}.csv") for name in ("oml", "retrieval"))
        assert oml["path"].tolist() == rows["path"].tolist() == paths
        sizes = [size_of(variants.sku_root / path) for path in paths]
        assert [*zip(oml["x_2"], oml["y_2"], strict=True)] == sizes
        edges = ["x1", "y1", "x2", "y2"]
        assert rows[edges].to_numpy().tolist() == [one["bbox"] for one in records]
        table = pd.read_parquet(folder_of(variants, "table", variant) / f"{SPLIT}.parquet")
        assert table["image_path"].tolist() == paths
        reid = (folder_of(variants, "reid", variant) / f"df2_reid_{SPLIT}.jsonl").read_text()
        assert [json.loads(line)["crop_path"] for line in reid.splitlines()] == paths
        crops = pq.read_table(folder_of(variants, "croissant", variant) / "crops.parquet")
        digests = [hashlib.sha256(bytes_of(variants, one)).hexdigest() for one in records]
        assert crops["sha256"].to_pylist() == digests


@slow
def test_pairs_and_triplets_are_those_of_the_crops(variants: Roots) -> None:
    files = splits.files_of(variants, "letterbox")
    for name in ("pairs", "triplets"):
        crops, moved = (
            pd.read_parquet(folder / f"{name}.parquet")
            for folder in (
                variants.export("pairs", SPLIT),
                folder_of(variants, "pairs", "letterbox"),
            )
        )
        for column in crops.columns[crops.columns.str.endswith("_path")]:
            crops[column] = [files[path]["variant_path"] for path in crops[column]]
        assert crops.equals(moved)


@slow
def test_a_crop_without_a_file_is_left_out_and_the_card_says_so(variants: Roots) -> None:
    made, crops = len(splits.files_of(variants, "cut")), len(splits.lines(variants))
    assert made < crops
    for name in EXPORTS:
        card = (folder_of(variants, name, "cut") / "README.md").read_text()
        assert f"{crops - made} of the crops" in " ".join(card.split())
        assert f"exports/{name}@cut/" in card
        other = (folder_of(variants, name, "wide") / "README.md").read_text()
        assert "Every crop has its image." in other
        assert "as a JPEG of quality 95" not in other
        finding = matches_image_text(variants, SPLIT, name, "cut")
        assert finding.passed
    assert matches_image_text(variants, SPLIT, "coco", "cut").numbers == {"rows": made}


@slow
def test_exports_of_variants_leave_those_of_the_crops_as_they_are(
    variants: Roots, exported: Roots
) -> None:
    assert splits.content(variants) == splits.content(exported)
    for variant in NAMES:
        for name in EXPORTS:
            made = export(variants, SPLIT, name, limits=SMALL, variant=variant)
            assert (made.written, made.removed, made.foreign) == (0, 0, [])


@slow
def test_every_export_on_disk_is_checked_and_another_variant_only_warns(changing: Roots) -> None:
    folder = folder_of(changing, "coco", "wide")
    (folder / f"instances_{SPLIT}.json").write_text("{}")
    seen = exports_on_disk(changing, SPLIT, deep=True)
    variants = Counter(name.partition("@")[2] for name, _ in seen)
    assert variants == dict.fromkeys(("", *NAMES), len(EXPORTS))
    (problem,) = (problem for one in seen.values() for problem in one.problems)
    assert problem.check == "coco@wide: matches_image_text"
    assert problem.path == f"_df2_assets/exports/coco@wide/{SPLIT}/instances_{SPLIT}.json"
    for variant, severity in (("", "warn"), ("cut", "warn"), ("wide", "error"), ("no", "error")):
        finding = matches_image_text(changing, SPLIT, "coco", variant)
        assert (finding.passed, finding.severity) == (False, severity)
        assert f"Run df2-assets export coco --variant wide --split {SPLIT}" in finding.summary
    export(changing, SPLIT, "coco", limits=SMALL, variant="wide")
    assert matches_image_text(changing, SPLIT, "coco", "").passed


@slow
def test_a_changed_file_of_a_variant_is_not_packed(changing: Roots) -> None:
    path = records_of(changing, "wide")[4]["image_path"]
    with (changing.sku_root / path).open("r+b") as file:
        file.seek(40)
        file.write(b"?????")
    shutil.rmtree(folder_of(changing, "webdataset", "wide"))
    with pytest.raises(OutputError, match="df2-assets variants --split train") as raised:
        export(changing, SPLIT, "webdataset", limits=SMALL, variant="wide")
    assert path in str(raised.value)


@slow
def test_what_to_run_is_named_if_a_variant_does_not_exist_or_is_out_of_date(
    variants: Roots, tmp_path: Path
) -> None:
    roots = splits.copy_split(variants, tmp_path)
    clean.build(roots, SPLIT)
    with pytest.raises(MissingTableError, match=r"has cut, letterbox, wide.*df2-assets variants"):
        export(roots, SPLIT, "coco", variant="square")
    with pytest.raises(MissingTableError, match="df2-assets variants --split validation"):
        export(roots, "validation", "coco", variant="cut")
    assert not (roots.own / "exports" / "coco@square").exists()
    for path in (roots.df2_root / SPLIT / "annos").iterdir():
        path.write_text(path.read_text().replace('"bounding_box": [-3', '"bounding_box": [2'))
    clean.build(roots, SPLIT)
    with pytest.raises(ProvenanceError, match="df2-assets variants --split train"):
        export(roots, SPLIT, "coco", variant="cut")
    finding = matches_image_text(roots, SPLIT, "coco", "cut")
    assert finding.summary.startswith("The crop variant cut of train was made from other crops")
    export(roots, SPLIT, "coco")
    finding = matches_image_text(roots, SPLIT, "coco", "")
    assert (finding.passed, finding.severity) == (False, "warn")
    splits.make_variants(roots)
    for variant in NAMES:
        export(roots, SPLIT, "coco", limits=SMALL, variant=variant)
    assert matches_image_text(roots, SPLIT, "coco", "").passed

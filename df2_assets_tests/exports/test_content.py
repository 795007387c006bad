"""The rows of exports, read with standard readers, without code or libraries of the exports."""

import csv
import io
import json
import shutil
import tarfile
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.api.types import is_integer_dtype
from PIL import Image, ImageDraw

from df2_assets.dataset.prompts import Texts
from df2_assets.dataset.taxonomy import LABELS, LANDMARK_STARTS, LANDMARKS
from df2_assets.dataset.templates import RESERVED_KEYS, parse_templates
from df2_assets.embeddings.encoders import resolve_encoder
from df2_assets.embeddings.files import read_embeddings
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import MissingTableError, TemplatesError
from df2_assets.exports.build import export
from df2_assets.exports.streams import encode_delimited
from df2_assets.pipeline.embedding import embed_split
from df2_assets.pipeline.publishing import publish_image_text
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SPLIT
from df2_assets_tests.support import encoders
from df2_assets_tests.support.builder import DataSet, item, without

Rows = list[dict[str, Any]]


def crop_of(roots: Roots, record: dict[str, Any]) -> bytes:
    """Return the bytes of a crop in the data set."""
    return roots.sku_root.joinpath(record["image_path"]).read_bytes()


def name_labels(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the meanings of its labels instead of their numbers."""
    return record | {name: meanings[record[name]] for name, meanings in LABELS.items()}


def samples_in(folder: Path) -> Rows:
    """Return the samples of all tar files: the key, and the content of each part by ending."""
    rows: Rows = []
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as tar:
            sample: dict[str, Any] = {}
            for entry in tar:
                key, ending = entry.name.split(".")
                if ending == "jpg":
                    sample = {"key": key}
                    rows.append(sample)
                data = tar.extractfile(entry)
                assert data is not None
                assert key == sample["key"]
                sample[ending] = data.read()
    return rows


def test_webdataset_has_crop_prompt_and_fields_of_each_sample(prompted: Roots) -> None:
    folder, records = prompted.export("webdataset", SPLIT), splits.records(prompted)
    samples = samples_in(folder)
    assert [json.loads(sample["json"]) for sample in samples] == records
    assert [sample["txt"].decode() for sample in samples] == [one["text"] for one in records]
    assert [sample["jpg"] for sample in samples] == [crop_of(prompted, one) for one in records]
    assert len({sample["key"] for sample in samples}) == len(records)
    assert not [sample["key"] for sample in samples if "/" in sample["key"]]
    assert {sample["key"].partition("-")[0] for sample in samples} == {SPLIT}
    counts = {
        shard.name: (shard.read_bytes().count(b".jpg\0"), shard.stat().st_size)
        for shard in sorted(folder.glob("*.tar"))
    }
    sizes, index = (
        json.loads((folder / name).read_text()) for name in ("sizes.json", "index.json")
    )
    assert sizes == {name: samples for name, (samples, _) in counts.items()}
    assert {one["url"]: (one["nsamples"], one["filesize"]) for one in index["shardlist"]} == counts


def test_parquet_has_crop_and_fields_with_their_types_for_datasets(prompted: Roots) -> None:
    folder, records = prompted.export("huggingface", SPLIT), splits.records(prompted)
    rows: Rows = []
    for shard in sorted(folder.glob("parquet/*.parquet")):
        table = pq.read_table(shard)
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        classes = {name: of["names"] for name, of in features.items() if "names" in of}
        for row in table.to_pylist():
            rows.append(row | {name: names[row[name]] for name, names in classes.items()})
    assert [row.pop("image")["bytes"] for row in rows] == [crop_of(prompted, r) for r in records]
    for row, record in zip(rows, records, strict=True):
        assert_shapes_are_annotated(prompted, record, row.pop("mask"), row.pop("landmarks"))
    assert rows == [name_labels(record) for record in records]
    assert classes.keys() == {"category_name", "domain", *LABELS}
    assert {of["_type"] for name, of in features.items() if name in classes} == {"ClassLabel"}
    assert features["image"] == features["mask"] == {"_type": "Image"}
    assert list(features) == ["image", "mask", *rows[0], "landmarks"]


def assert_shapes_are_annotated(
    roots: Roots, record: dict[str, Any], mask: dict[str, Any] | None, landmarks: Any
) -> None:
    """Assert that mask and landmarks are those of the annotation, in pixels of the crop."""
    left, top, right, bottom = record["bbox"]
    assert landmarks == splits.landmarks_of(roots, record, left, top)
    assert (mask is None) == (landmarks is None)
    if mask is None:
        return
    assert mask["path"] == Path(record["image_path"]).with_suffix(".png").name
    with Image.open(io.BytesIO(mask["bytes"])) as image:
        pixels = np.asarray(image)
    assert pixels.dtype == bool
    assert pixels.shape == (bottom - top, right - left)
    drawn = Image.new("1", (right - left, bottom - top))
    for polygon in splits.annotated(roots, record)["segmentation"]:
        moved = [at - (left, top)[place % 2] for place, at in enumerate(polygon)]
        ImageDraw.Draw(drawn).polygon(moved, fill=1)
    assert (pixels ^ np.asarray(drawn)).mean() < 0.12, "the outlines alone may differ"
    assert 0.2 < pixels.mean() < 0.9


def test_an_imagefolder_has_a_line_with_the_fields_of_each_image(prompted: Roots) -> None:
    folder, records = prompted.export("huggingface", SPLIT), splits.records(prompted)
    text = (folder / "imagefolder" / "metadata.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    images = [(folder / "imagefolder" / row.pop("file_name")).read_bytes() for row in rows]
    assert images == [crop_of(prompted, record) for record in records]
    for row, record in zip(rows, records, strict=True):
        assert row.pop("landmarks") == splits.landmarks_of(prompted, record, *record["bbox"][:2])
    assert rows == [name_labels(record) for record in records]


def test_the_records_of_croissant_have_fields_size_and_digest(prompted: Roots) -> None:
    records = splits.records(prompted)
    rows = pq.read_table(prompted.export("croissant", SPLIT) / "crops.parquet").to_pylist()
    listed = (prompted.own / f"{SPLIT}.sha256").read_text().splitlines()
    digests = {path: digest for digest, _, path in (line.partition("  ") for line in listed)}
    assert [row.pop("sha256") for row in rows] == [digests[one["image_path"]] for one in records]
    assert [row.pop("size") for row in rows] == [len(crop_of(prompted, one)) for one in records]
    assert rows == records


def flatten(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the edges of its box instead of the box."""
    edges = dict(zip(("x1", "y1", "x2", "y2"), record["bbox"], strict=True))
    at = [*record].index("bbox")
    fields = [*record.items()]
    return dict(fields[:at]) | edges | dict(fields[at + 1 :])


def test_a_table_has_the_fields_of_each_crop_in_columns(prompted: Roots) -> None:
    path = prompted.export("table", SPLIT) / f"{SPLIT}.parquet"
    assert pq.read_table(path).to_pylist() == [flatten(one) for one in splits.records(prompted)]
    for field in pq.read_schema(path):
        assert pa.types.is_string(field.type) or pa.types.is_integer(field.type), field.name


def test_open_clip_has_a_line_with_the_prompts_of_each_crop(prompted: Roots) -> None:
    records = splits.records(prompted)
    prompts = [key for key in records[0] if key.startswith("text_")]
    with (prompted.export("open_clip", SPLIT) / f"{SPLIT}.tsv").open() as lines:
        rows = list(csv.reader(lines, delimiter="\t"))
    assert rows == [
        ["filepath", "title", "sku_uid", *prompts],
        *([one[key] for key in ("image_path", "text", "sku_uid", *prompts)] for one in records),
    ]


def test_coco_has_the_annotated_box_of_each_crop_on_its_original(prompted: Roots) -> None:
    records = splits.records(prompted)
    path = prompted.export("coco", SPLIT) / f"instances_{SPLIT}.json"
    document = json.loads(path.read_text())
    images = {image["id"]: image for image in document["images"]}
    names = {category["id"]: category["name"] for category in document["categories"]}
    assert len(document["annotations"]) == len(records)
    for found, record in zip(document["annotations"], records, strict=True):
        item = splits.annotated(prompted, record)
        x1, y1, x2, y2 = item["bounding_box"]
        assert found["bbox"] == [x1, y1, x2 - x1, y2 - y1]
        has_shapes = record["category_id"] == 1
        assert ("segmentation" in found) == has_shapes
        if has_shapes:
            assert found["segmentation"] == item["segmentation"]
            assert 0 < found["area"] < (x2 - x1) * (y2 - y1)
        else:
            assert found["area"] == (x2 - x1) * (y2 - y1)
        image = images[found["image_id"]]
        assert image["file_name"] == record["orig_image_path"]
        with Image.open(prompted.df2_root / image["file_name"]) as original:
            assert original.size == (image["width"], image["height"])
        same = ("sku_id", "sku_uid", "pair_id", "style", "domain", "category_id", *LABELS)
        assert {name: found[name] for name in same} == {name: record[name] for name in same}
        assert names[found["category_id"]] == record["category_name"]
        assert (found["crop_path"], found["caption"]) == (record["image_path"], record["text"])
        prompts = {key: text for key, text in record.items() if key.startswith("text_")}
        assert found.get("captions", {}) == prompts
    assert len({found["id"] for found in document["annotations"]}) == len(records)


def test_coco_has_the_landmarks_of_all_categories_in_the_order_of_the_data_set(
    exported: Roots,
) -> None:
    records = splits.records(exported)
    document = json.loads((exported.export("coco", SPLIT) / f"instances_{SPLIT}.json").read_text())
    for found, record in zip(document["annotations"], records, strict=True):
        start = LANDMARK_STARTS[record["category_id"]]
        own = splits.landmarks_of(exported, record) or []
        before, after = [0] * 3 * start, [0] * 3 * (294 - start - len(own))
        assert found["keypoints"] == [*before, *chain(*own), *after]
        assert found["num_keypoints"] == sum(v > 0 for _, _, v in own)
    assert {found["num_keypoints"] for found in document["annotations"]} == {0, 19}
    for category in document["categories"]:
        names, first = category["keypoints"], category["first_keypoint"]
        assert len(names) == len(set(names)) == 294
        own_names = names[first : first + category["num_keypoints"]]
        count = LANDMARKS[category["id"]]
        assert own_names == [f"{category['name']} {number + 1}" for number in range(count)]


def test_without_annotations_and_labels_an_export_has_no_shapes_and_says_so(site: Roots) -> None:
    """The site is a copy, so its index is of another folder than its DF2_ROOT."""
    table = site.table("labels", SPLIT)
    assert export(site, SPLIT, "coco").note is None, "earlier labels are used"
    assert splits.check(site, "coco").passed
    table.unlink()
    assert "was not made from the current build" in splits.check(site, "coco").summary
    note = export(site, SPLIT, "coco").note
    assert note is not None
    assert note.startswith("coco has no masks and landmarks. The index of train was read from ")
    assert splits.check(site, "coco").passed
    folder = site.export("coco", SPLIT)
    assert "There are no masks and landmarks" in (folder / "README.md").read_text()
    document = json.loads((folder / f"instances_{SPLIT}.json").read_text())
    for found in document["annotations"]:
        _, _, width, height = found["bbox"]
        assert (found["num_keypoints"], found["area"]) == (0, width * height)
        assert "segmentation" not in found
    clean.build(site, SPLIT)
    assert export(site, SPLIT, "coco").note is None
    assert table.exists()


def hold_to_oml(table: pd.DataFrame, dataset_root: Path) -> None:
    """Assert the rules of OML 4.0 for a table of images (oml/utils/dataframe_format.py).

    In addition, `oml.datasets` converts all four edges of each box to integers, so none may be
    empty.
    """
    assert {"label", "path", "split", "is_query", "is_gallery"} <= set(table)
    assert set(table["split"]) <= {"train", "validation"}
    training = table["split"] == "train"
    flags = ["is_query", "is_gallery"]
    assert table.loc[training, flags].isna().all(axis=None)
    validation = table[~training]
    assert all(value in (True, False) for value in validation[flags].to_numpy().ravel())
    assert validation[flags].astype(bool).any(axis=1).all()
    queries = set(validation["label"][validation["is_query"].astype(bool)])
    assert queries <= set(validation["label"][validation["is_gallery"].astype(bool)])
    assert is_integer_dtype(table["label"])
    assert all((dataset_root / path).exists() for path in table["path"])
    boxes = table[["x_1", "x_2", "y_1", "y_2"]]
    assert all(is_integer_dtype(boxes[edge]) for edge in boxes)
    assert (boxes >= 0).all(axis=None)
    assert (table["x_1"] < table["x_2"]).all()
    assert (table["y_1"] < table["y_2"]).all()
    assert (table.groupby("label")["category"].nunique() == 1).all()


def read(roots: Roots, split: str, name: str) -> pd.DataFrame:
    return pd.read_csv(roots.export("retrieval", split) / name)


def test_the_oml_table_is_valid_for_one_split_and_for_two(exported: Roots) -> None:
    train, validation = (read(exported, split, "oml.csv") for split in ("train", "validation"))
    columns = "label,path,split,is_query,is_gallery,category,x_1,x_2,y_1,y_2"
    assert list(train) == list(validation) == columns.split(",")
    validation["label"] += train["label"].max() + 1
    for table in (train, validation, pd.concat([train, validation])):
        hold_to_oml(table, exported.sku_root)
    lines = splits.lines(exported, "validation")
    assert validation["path"].tolist() == [line["image_path"] for line in lines]
    assert validation["category"].tolist() == [line["category_name"] for line in lines]
    assert validation["is_query"].tolist() == [line["domain"] == "query" for line in lines]
    for path, *box in validation[["path", "x_1", "y_1", "x_2", "y_2"]].itertuples(index=False):
        with Image.open(exported.sku_root / path) as crop:
            assert tuple(box) == (0, 0, *crop.size)


def test_the_retrieval_table_numbers_skus_and_has_the_box_that_was_cut(exported: Roots) -> None:
    table, records = read(exported, SPLIT, "retrieval.csv"), splits.records(exported)
    ids = sorted({record["sku_id"] for record in records})
    assert table["label"].tolist() == [ids.index(record["sku_id"]) for record in records]
    same = ["sku_id", "sku_uid", "split", "category_id", *LABELS, "orig_image_path"]
    assert table[same].to_dict("records") == [{n: one[n] for n in same} for one in records]
    assert table["path"].tolist() == [record["image_path"] for record in records]
    assert table["category"].tolist() == [record["category_name"] for record in records]
    assert table[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == [one["bbox"] for one in records]
    assert (table["is_query"] != table["is_gallery"]).all()
    assert table["is_query"].tolist() == [record["domain"] == "query" for record in records]


def test_the_reid_list_numbers_skus_by_their_ids_in_each_split(exported: Roots) -> None:
    for split in splits.SPLITS:
        path = exported.export("reid", split) / f"df2_reid_{split}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        lines = splits.lines(exported, split)
        ids = sorted({line["sku_id"] for line in lines})
        assert rows == [
            {
                "split": split,
                "sku_id": line["sku_id"],
                "label": ids.index(line["sku_id"]),
                "domain": line["domain"],
                "crop_path": line["image_path"],
            }
            for line in lines
        ]
        order = ["split", "sku_id", "label", "domain", "crop_path"]
        assert all(list(row) == order for row in rows)
        assert (path.stat().st_size == 0) == (split == "test")


def test_an_empty_table_has_its_columns(exported: Roots) -> None:
    for name in ("oml.csv", "retrieval.csv"):
        assert list(read(exported, "test", name)) == list(read(exported, SPLIT, name))
    for name in ("pairs", "triplets"):
        empty, full = (
            pd.read_parquet(exported.export("pairs", split) / f"{name}.parquet")
            for split in ("test", SPLIT)
        )
        assert len(empty) == 0
        assert (empty.dtypes == full.dtypes).all()


def test_pairs_are_every_catalog_crop_with_every_query_crop_of_its_sku(exported: Roots) -> None:
    pairs = pd.read_parquet(exported.export("pairs", SPLIT) / "pairs.parquet")
    lines = pd.DataFrame(splits.lines(exported))
    paths = ["catalog_image_path", "query_image_path"]
    assert (pairs["sku_uid"] == f"{SPLIT}/" + pairs["sku_id"]).all()
    garment = ["sku_id", "pair_id", "style", "category_id", "category_name"]
    wanted = {
        (*of_sku, *pair)
        for of_sku, crops in lines.groupby(garment)
        for pair in product(
            crops["image_path"][crops["domain"] == "catalog"],
            crops["image_path"][crops["domain"] == "query"],
        )
    }
    rows = list(pairs[garment + paths].itertuples(index=False, name=None))
    assert len(rows) == len(wanted) == 2 * 3 * splits.PAIRS
    assert set(rows) == wanted


def triplets(roots: Roots) -> pd.DataFrame:
    table: pd.DataFrame = pd.read_parquet(roots.export("pairs", SPLIT) / "triplets.parquet")
    return table


def test_triplets_have_a_positive_of_the_sku_and_a_negative_that_is_hard(exported: Roots) -> None:
    table = triplets(exported)
    lines = pd.DataFrame(splits.lines(exported)).set_index("image_path")
    anchor, positive, negative = (
        lines.loc[table[f"{role}_image_path"]].reset_index(drop=True)
        for role in ("anchor", "positive", "negative")
    )
    assert set(anchor["domain"]) == {"query"}
    assert set(positive["domain"]) | set(negative["domain"]) == {"catalog"}
    assert (anchor["sku_id"] == positive["sku_id"]).all()
    assert (anchor["sku_id"] == table["sku_id"]).all()
    assert (negative["sku_id"] == table["negative_sku_id"]).all()
    for role in ("", "negative_"):
        assert (table[f"{role}sku_uid"] == f"{SPLIT}/" + table[f"{role}sku_id"]).all()
    assert (negative["sku_id"] != anchor["sku_id"]).all()
    assert (negative["category_id"] == anchor["category_id"]).all()
    same_pair = negative["pair_id"] == anchor["pair_id"]
    assert (same_pair == (table["kind"] == "other_style")).all()
    assert (negative["style"] != anchor["style"])[same_pair].all()
    queries = lines[lines["domain"] == "query"]
    tops = queries[queries["category_id"] == 1]
    assert set(table["anchor_image_path"][table["kind"] == "other_style"]) == set(tops.index)
    pairs = lines.groupby("category_id")["pair_id"].nunique()
    shared = queries[queries["category_id"].map(pairs) > 1]
    assert set(table["anchor_image_path"][table["kind"] == "other_pair"]) == set(shared.index)
    assert not table.duplicated(["anchor_image_path", "kind"]).any()


def test_an_additional_sku_only_changes_the_draws_that_select_it(site: Roots) -> None:
    export(site, SPLIT, "pairs")
    before = triplets(site).set_index(["anchor_image_path", "kind"])
    data = DataSet(site.df2_root)
    for number, source in enumerate(("shop", "user")):
        data.image(SPLIT, 990_000 + number)
        data.annotation(SPLIT, 990_000 + number, source, 999, {1: item(1, 1, (5, 5, 60, 80))})
    clean.build(site, SPLIT)
    export(site, SPLIT, "pairs")
    after = triplets(site).set_index(["anchor_image_path", "kind"])
    assert set(after.index) > set(before.index)
    moved = after.loc[before.index]["negative_sku_id"] != before["negative_sku_id"]
    assert set(after.loc[before.index]["negative_sku_id"][moved]) <= {"000999_01_01"}
    assert moved.mean() < 0.2


def test_quotes_and_commas_survive_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"".join(encode_delimited([("a", "b"), ('say "no", or', "=1+1")])))
    assert pd.read_csv(path).to_numpy().tolist() == [['say "no", or', "=1+1"]]


def test_a_split_without_crops_has_the_columns_of_further_prompts(site: Roots) -> None:
    templates = parse_templates("prompts: {text_short: '{category_name}'}", "prompts.yaml")
    publish_image_text(site, "test", Texts(templates))
    export(site, "test", "open_clip")
    header = (site.export("open_clip", "test") / "test.tsv").read_text()
    assert header == "filepath\ttitle\tsku_uid\ttext_short\n"


def test_no_further_prompt_can_take_the_place_of_a_column_of_an_export(exported: Roots) -> None:
    columns = set(pd.read_csv(exported.export("open_clip", SPLIT) / f"{SPLIT}.tsv", sep="\t"))
    for path in (
        exported.export("croissant", SPLIT) / "crops.parquet",
        exported.export("table", SPLIT) / f"{SPLIT}.parquet",
        exported.export("huggingface", SPLIT) / "parquet" / "train-000000.parquet",
    ):
        columns |= set(pq.read_schema(path).names)
    metadata = exported.export("huggingface", SPLIT) / "imagefolder" / "metadata.jsonl"
    columns |= json.loads(metadata.read_text().splitlines()[0]).keys()
    own = columns - splits.lines(exported)[0].keys()
    assert own == set(RESERVED_KEYS)
    for name in own:
        with pytest.raises(TemplatesError, match=f"exports already have a column {name}"):
            parse_templates(f"prompts: {{{name}: a}}", "prompts.yaml")


def test_a_label_that_an_annotation_lacks_is_null(tmp_path: Path) -> None:
    roots = splits.roots_in(tmp_path)
    data = DataSet(roots.df2_root)
    for image, source in ((1, "shop"), (2, "user")):
        data.image(SPLIT, image, (60, 70))
        data.annotation(
            SPLIT, image, source, 1, {1: without(item(1, 1, (0, 0, 40, 60)), "zoom_in")}
        )
    clean.build(roots, SPLIT)
    splits.export_all(roots)
    shards, pages = (roots.export(name, SPLIT) for name in ("webdataset", "huggingface"))
    coco = json.loads((roots.export("coco", SPLIT) / f"instances_{SPLIT}.json").read_text())
    lines = (pages / "imagefolder" / "metadata.jsonl").read_text().splitlines()
    rows = [
        *(json.loads(sample["json"]) for sample in samples_in(shards)),
        *pq.read_table(next(pages.glob("parquet/*"))).to_pylist(),
        *map(json.loads, lines),
        *coco["annotations"],
    ]
    assert [row["zoom_in"] for row in rows] == [None] * 8
    assert read(roots, SPLIT, "retrieval.csv")["zoom_in"].isna().all()


def test_an_encoder_adds_the_nearest_negatives_and_the_check_follows_its_vectors(
    site: Roots,
) -> None:
    name = encoders.setting(encoders.mean)
    folder = Path(site.export("pairs", SPLIT))
    export(site, SPLIT, "pairs")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(MissingTableError, match=f"embed --split {SPLIT} --encoder {name}$"):
        export(site, SPLIT, "pairs", encoder=name)
    embed_split(site, SPLIT, resolve_encoder(name), SerialEngine(), silent)
    export(site, SPLIT, "pairs", encoder=name)
    table = triplets(site)
    nearest = table[table["kind"] == "nearest"]
    read = read_embeddings(site, SPLIT, name)
    sku_of = dict(zip(read.crop_paths, read.sku_uids, strict=True))
    directions = read.vectors / np.linalg.norm(read.vectors, axis=1, keepdims=True)
    vector_of = dict(zip(read.crop_paths, directions, strict=True))
    assert {*nearest["anchor_image_path"]} == {path for path in sku_of if "/query/" in path}
    for anchor, negative, uid in nearest[
        ["anchor_image_path", "negative_image_path", "negative_sku_uid"]
    ].itertuples(index=False):
        others = [p for p in sku_of if "/catalog/" in p and sku_of[p] != sku_of[anchor]]
        best = max(float(vector_of[other] @ vector_of[anchor]) for other in others)
        assert negative in others
        assert uid == sku_of[negative]
        assert float(vector_of[negative] @ vector_of[anchor]) == pytest.approx(best, abs=1e-5)
    rest = table[table["kind"] != "nearest"].reset_index(drop=True)
    assert splits.check(site, "pairs").passed
    assert name in (folder / "README.md").read_text()

    shutil.rmtree(site.all_embeddings)
    finding = splits.check(site, "pairs")
    assert not finding.passed
    assert f"df2-assets embed --split {SPLIT} --encoder {name}" in finding.summary

    export(site, SPLIT, "pairs")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert rest.equals(triplets(site).reset_index(drop=True))

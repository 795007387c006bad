"""After a change of the data set in its bucket, a build does no more than the change asks for."""

import json
from pathlib import Path

import pytest

from df2_assets.store.location import locate
from df2_assets_tests.objects.conftest import BUCKET, Source
from df2_assets_tests.objects.outputs import crops, digests, in_bucket, in_folder
from df2_assets_tests.support.builder import jpeg
from df2_assets_tests.support.object_store import ObjectStore
from df2_assets_tests.support.run import build

SPLIT = "train"


def test_only_what_changed_is_made_anew(
    store: ObjectStore, source: Source, tmp_path: Path, prefix: str
) -> None:
    store.upload(source.folder / SPLIT, BUCKET, f"{prefix}/df2/{SPLIT}")
    df2_root, sku_root = (locate(f"s3://{BUCKET}/{prefix}/{name}") for name in ("df2", "sku"))
    assert build(df2_root, sku_root).problems == []
    before = store.tags(BUCKET, f"{prefix}/sku")
    document = json.loads(store.get(BUCKET, f"{prefix}/sku/{SPLIT}_sku_metadata.json"))
    of_pairs = {sku["pair_id"]: sku for sku in document["skus"].values()}  # they share no image
    first, second, third = list(of_pairs.values())[:3]
    moved, removed, replaced = first["catalog"][0], second["query"][0], third["catalog"][0]

    name = f"{prefix}/df2/{SPLIT}/annos/{moved['image_id']}.json"
    annotation = json.loads(store.get(BUCKET, name))
    annotation[f"item{moved['item_idx']}"]["bounding_box"][0] += 3
    store.put(BUCKET, name, json.dumps(annotation).encode())
    store.delete(BUCKET, f"{prefix}/df2/{SPLIT}/annos/{removed['image_id']}.json")
    name = f"{prefix}/df2/{SPLIT}/image/{replaced['image_id']}.jpg"
    store.put(BUCKET, name, jpeg((700, 900), seed="another"))
    orphan = f"{SPLIT}/catalog/000000_01_01/000001_item1.jpg"
    store.put(BUCKET, f"{prefix}/sku/{orphan}", b"of a SKU that is no more")

    built = build(df2_root, sku_root, max_refused=1.0)
    assert built.problems == []
    after = store.tags(BUCKET, f"{prefix}/sku")
    of_images = {moved["image_id"], replaced["image_id"]}
    touched = {path for path in crops(after) if after[path] != before.get(path)}
    assert {moved["crop_path"], replaced["crop_path"]} <= touched
    assert {path.rpartition("/")[2][:6] for path in touched} <= of_images
    assert orphan not in after
    assert removed["crop_path"] not in after
    assert int(built.runs[0].numbers["raw_annotation_index"]["annotations_read"]) == 2

    fresh = locate(f"s3://{BUCKET}/{prefix}/fresh")
    assert build(df2_root, fresh, max_refused=1.0).problems == []
    expected = digests(in_bucket(store, f"{prefix}/fresh"))
    assert digests(in_bucket(store, f"{prefix}/sku")) == expected


def test_an_object_that_is_not_the_projects_is_named_and_left_alone(
    store: ObjectStore, source: Source, local: Path, prefix: str
) -> None:
    sku_root = locate(f"s3://{BUCKET}/{prefix}")
    assert build(source.url, sku_root).problems == []
    strangers = {"train/catalog/notes.txt", "train/query/000001_01_01/deep/inside.jpg"}
    for name in strangers:
        store.put(BUCKET, f"{prefix}/{name}", b"mine")
    (problem,) = build(source.url, sku_root).problems
    assert "files_match" in problem
    assert "2: not a file of this project" in problem
    for name in strangers:
        assert store.get(BUCKET, f"{prefix}/{name}") == b"mine"
        store.delete(BUCKET, f"{prefix}/{name}")
    assert build(source.url, sku_root).problems == []
    assert digests(in_bucket(store, prefix)) == digests(in_folder(local))


def test_an_image_that_changes_during_a_build_is_not_taken_for_the_one_that_was_listed(
    store: ObjectStore, source: Source, prefix: str
) -> None:
    store.upload(source.folder / SPLIT, BUCKET, f"{prefix}/df2/{SPLIT}")
    df2_root, sku_root = (locate(f"s3://{BUCKET}/{prefix}/{name}") for name in ("df2", "sku"))
    assert build(df2_root, sku_root).problems == []
    document = json.loads(store.get(BUCKET, f"{prefix}/sku/{SPLIT}_sku_metadata.json"))
    crop = next(iter(document["skus"].values()))["catalog"][0]
    image = f"{prefix}/df2/{crop['orig_image_path']}"
    whole = store.get(BUCKET, image)
    store.put(BUCKET, image, jpeg((700, 900), seed="listed"))
    reads = 0

    def swapped(operation: str, path: str) -> None:
        nonlocal reads
        if operation == "get" and path.endswith(crop["orig_image_path"]):
            reads += 1
            if reads == 2:  # the header was read for the index; now its pixels are wanted
                store.put(BUCKET, image, whole)

    with store.failing(swapped):
        build(df2_root, sku_root, max_refused=1.0)
    assert reads >= 2
    refused = in_bucket(store, f"{prefix}/sku")["_df2_assets/tables/refusals/train.parquet"]
    assert b"changed since its annotation was read" in _text(refused)


def _text(table: bytes) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return str(pq.read_table(pa.BufferReader(table)).to_pylist()).encode()


@pytest.mark.parametrize("name", ["image", "annos"])
def test_a_split_of_which_nothing_is_there_is_said_so(
    store: ObjectStore, source: Source, prefix: str, name: str
) -> None:
    other = {"image": "annos", "annos": "image"}[name]
    store.put(BUCKET, f"{prefix}/df2/{SPLIT}/{other}/000001.jpg", b"")
    (problem,) = build(
        locate(f"s3://{BUCKET}/{prefix}/df2"), locate(f"s3://{BUCKET}/{prefix}/sku")
    ).problems
    assert f"Nothing lies under s3://{BUCKET}/{prefix}/df2/{SPLIT}/{name}" in problem
    assert "Found train under" in problem

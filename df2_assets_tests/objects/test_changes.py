"""After a change of the data set in its bucket, a build only does what the change requires."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from df2_assets.settings import make_roots
from df2_assets.verification.generated_views import GeneratedView
from df2_assets.verification.verify import verify
from df2_assets_tests.objects.conftest import Source
from df2_assets_tests.objects.outputs import crops, digests
from df2_assets_tests.support.builder import jpeg
from df2_assets_tests.support.object_store import Place
from df2_assets_tests.support.run import BuildResult, build

SPLIT = "train"


def rebuild(place: Place) -> BuildResult:
    return build((place / "df2").root, (place / "sku").root, max_refused=1.0)


def test_only_what_changed_is_made_again(changing: Place) -> None:
    df2, sku = changing / "df2", changing / "sku"
    before = sku.tags()
    document = json.loads(sku.get(f"{SPLIT}_sku_metadata.json"))
    of_pairs = {sku["pair_id"]: sku for sku in document["skus"].values()}  # they share no image
    first, second, third = list(of_pairs.values())[:3]
    moved, removed, replaced = first["catalog"][0], second["query"][0], third["catalog"][0]

    name = f"{SPLIT}/annos/{moved['image_id']}.json"
    annotation = json.loads(df2.get(name))
    annotation[f"item{moved['item_idx']}"]["bounding_box"][0] += 3
    df2.put(name, json.dumps(annotation).encode())
    df2.delete(f"{SPLIT}/annos/{removed['image_id']}.json")
    df2.put(f"{SPLIT}/image/{replaced['image_id']}.jpg", jpeg((700, 900), seed="another"))
    orphan = f"{SPLIT}/catalog/000000_01_01/000001_item1.jpg"
    sku.put(orphan, b"of a SKU that is no more")

    built = rebuild(changing)
    assert built.problems == []
    after = sku.tags()
    of_images = {moved["image_id"], replaced["image_id"]}
    touched = {path for path in crops(after) if after[path] != before.get(path)}
    assert {moved["crop_path"], replaced["crop_path"]} <= touched
    assert {path.rpartition("/")[2][:6] for path in touched} <= of_images
    assert orphan not in after
    assert removed["crop_path"] not in after
    assert int(built.runs[0].numbers["raw_annotation_index"]["annotations_read"]) == 2

    fresh = changing / "fresh"
    assert build(df2.root, fresh.root, max_refused=1.0).problems == []
    assert digests(sku.contents()) == digests(fresh.contents())


def test_an_object_that_is_not_the_projects_is_named_and_left_alone(
    source: Source, expected: dict[str, str], place: Place
) -> None:
    assert build(source.url, place.root).problems == []
    foreign = {"train/catalog/notes.txt", "train/query/000001_01_01/deep/inside.jpg"}
    for name in foreign:
        place.put(name, b"mine")
    (problem,) = build(source.url, place.root).problems
    assert "files_match" in problem
    assert "2: not a file of this project" in problem
    for name in foreign:
        assert place.get(name) == b"mine"
        place.delete(name)
    assert build(source.url, place.root).problems == []
    assert digests(place.contents()) == expected


def test_generated_views_are_left_alone_and_listed(
    source: Source, expected: dict[str, str], place: Place
) -> None:
    assert build(source.url, place.root).problems == []
    written = {"train/catalog_dit/000001_01_01/0.png", "train_image_text.dit.jsonl"}
    for name in written:
        place.put(name, b"theirs")
    assert build(source.url, place.root).problems == []
    verified = verify(make_roots(str(source.url), place.url), SPLIT)
    assert verified.problems == []
    assert verified.generated_views == [
        GeneratedView("train/catalog_dit", 1, 1),
        GeneratedView("train_image_text.dit.jsonl", 0, 1),
    ]
    for name in written:
        assert place.get(name) == b"theirs"
        place.delete(name)
    assert digests(place.contents()) == expected


def test_an_image_that_changes_during_a_build_is_not_taken_for_the_one_that_was_listed(
    changing: Place,
) -> None:
    df2, sku = changing / "df2", changing / "sku"
    document = json.loads(sku.get(f"{SPLIT}_sku_metadata.json"))
    image = next(iter(document["skus"].values()))["catalog"][0]["orig_image_path"]
    whole = df2.get(image)
    df2.put(image, jpeg((700, 900), seed="listed"))
    reads = 0

    def swapped(operation: str, path: str) -> None:
        nonlocal reads
        if operation == "get" and path.endswith(image):
            reads += 1
            if reads == 2:  # the header was read for the index; now its pixels are needed
                df2.put(image, whole)

    with changing.store.failing(swapped):
        rebuild(changing)
    assert reads >= 2
    refused = sku.get("_df2_assets/tables/refusals/train.parquet")
    details = pq.read_table(pa.BufferReader(refused))["detail"].to_pylist()
    assert any("changed since its annotation was read" in detail for detail in details)


@pytest.mark.parametrize(("name", "other"), [("image", "annos"), ("annos", "image")])
def test_a_split_without_any_object_is_reported(place: Place, name: str, other: str) -> None:
    place.put(f"df2/{SPLIT}/{other}/000001.jpg", b"")
    (problem,) = rebuild(place).problems
    assert f"{place.url}/df2/{SPLIT}/{name} does not exist. Found" in problem

"""A build over an earlier one only makes what has changed, and ends in the same bytes."""

import os
import shutil
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from df2_assets_tests.support.builder import DataSet, jpeg, png, truncated
from df2_assets_tests.support.compare import assert_same_output, metadata
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.run import build, read_table
from df2_assets_tests.support.site import (
    CROPS,
    DECODED,
    OTHER_TOP,
    PAIRS,
    SHOP_TOP,
    SHOP_TROUSERS,
    SIZE,
    SPLIT,
    TOP,
    TROUSERS,
    USER_TOP,
    USER_TROUSERS,
    Site,
    only,
    touch,
    unreadable,
)
from df2_assets_tests.support.snapshots import contract, crop_stamps, stamps

ADDED_TOP = "query/000001_01_01/000014_item1.jpg"
SKIRT = TROUSERS | {"category_id": 9, "category_name": "skirt"}


def test_a_second_build_writes_nothing_and_opens_no_source_file(original: Site) -> None:
    before, bytes_before = stamps(original.sku), contract(original.sku)

    with unreadable(original.data):
        run = original.build()

    assert not run.changed
    assert run.numbers["raw_annotation_index"]["annotations_read"] == 0
    assert run.numbers["crops"]["images_decoded"] == 0
    assert run.numbers["crops"]["unchanged"] == CROPS
    assert stamps(original.sku) == before
    assert contract(original.sku) == bytes_before


class Edit(NamedTuple):
    """A change to pair 1, the image that may be opened, and the effect on the crops."""

    what: str
    apply: Callable[[Site], object]
    read: int | None
    annotations: int = 1
    made: AbstractSet[str] = frozenset()
    gone: AbstractSet[str] = frozenset()


def replace_by_another_of_as_many_bytes(site: Site) -> None:
    old = site.image(11).read_bytes()
    others = (jpeg(SIZE, seed=f"another {number}") for number in range(100))
    shorter = next(other for other in others if len(other) < len(old))
    site.data.raw_image(SPLIT, 11, shorter.ljust(len(old), b"\0"))


def relabel(**fields: Any) -> Callable[[Site], None]:
    """Change fields of the only item of image 13."""
    return lambda site: site.describe(13, {2: TOP | fields})


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def date(path: Path, ns: int) -> None:
    """Set the time of a file, in nanoseconds since 1970."""
    os.utime(path, ns=(ns, ns))


EDITS = [
    Edit(
        "another box",
        lambda site: site.describe(11, {1: TOP | {"bounding_box": [5, 5, 71, 100]}, 2: TROUSERS}),
        read=11,
        made={SHOP_TOP},
    ),
    Edit("the same box in other numbers", relabel(bounding_box=[5.0, 5, 70, 100.0]), read=13),
    Edit("other labels", relabel(occlusion=3, viewpoint=3), read=13),
    Edit("style 0", relabel(style=0), read=13, gone={OTHER_TOP}),
    Edit(
        "another category, which leaves a SKU without query crops",
        lambda site: site.describe(12, {1: TOP, 3: SKIRT}),
        read=12,
        gone={SHOP_TROUSERS, USER_TROUSERS},
    ),
    Edit(
        "another source",
        lambda site: site.describe(13, {2: TOP}, source="shop"),
        read=13,
        made={"catalog/000001_01_01/000013_item2.jpg"},
        gone={OTHER_TOP},
    ),
    Edit(
        "another pair",
        lambda site: site.describe(13, {2: TOP}, pair_id=2),
        read=13,
        made={"query/000002_01_01/000013_item2.jpg"},
        gone={OTHER_TOP},
    ),
    Edit("an added image", Site.add_image, read=14, made={ADDED_TOP}),
    Edit("no annotation", lambda site: site.annotation(13).unlink(), None, 0, gone={OTHER_TOP}),
    Edit("no image", lambda site: site.image(13).unlink(), read=13, gone={OTHER_TOP}),
    Edit(
        "another image in as many bytes",
        replace_by_another_of_as_many_bytes,
        read=11,
        made={SHOP_TOP, SHOP_TROUSERS},
    ),
    Edit(
        "a smaller image, to which boxes are clamped",
        lambda site: site.data.image(SPLIT, 12, (100, 90)),
        read=12,
        made={USER_TOP, USER_TROUSERS},
    ),
    Edit(
        "an image that is none",
        lambda site: site.data.raw_image(SPLIT, 13, png(SIZE)),
        read=13,
        gone={OTHER_TOP},
    ),
    Edit(
        "an annotation that is none",
        lambda site: site.data.raw_annotation(SPLIT, 13, b"{"),
        read=13,
        gone={OTHER_TOP},
    ),
    Edit("a touched image", lambda site: touch(site.image(12)), 12, made={USER_TOP, USER_TROUSERS}),
    Edit(
        "an image of 2286",
        lambda site: date(site.image(12), 10**19),
        12,
        made={USER_TOP, USER_TROUSERS},
    ),
    Edit(
        "an image of 1906",
        lambda site: date(site.image(12), -2 * 10**18),
        12,
        made={USER_TOP, USER_TROUSERS},
    ),
    Edit("an annotation of 2286", lambda site: date(site.annotation(12), 10**19), 12),
    Edit("a touched crop", lambda site: touch(site.crop(USER_TOP)), None, 0),
    Edit("a crop of 2286", lambda site: date(site.crop(USER_TOP), 10**19), None, 0),
    Edit("no crop", lambda site: site.crop(USER_TOP).unlink(), 12, 0, made={USER_TOP}),
    Edit("a flipped bit", lambda site: flip_a_bit(site.crop(USER_TOP)), 12, 0, made={USER_TOP}),
    Edit("a cut crop", lambda site: cut_short(site.crop(USER_TOP)), 12, 0, made={USER_TOP}),
]


@pytest.mark.parametrize("edit", EDITS, ids=[edit.what for edit in EDITS])
def test_only_changes_are_built_and_the_output_is_that_of_an_independent_reading(
    site: Site, edit: Edit
) -> None:
    edit.apply(site)
    expected = site.read_independently()
    before = crop_stamps(site.sku)

    with unreadable(site.data, but=[] if edit.read is None else [edit.read]):
        run = site.build()

    after = crop_stamps(site.sku)
    assert {path for path in after if before.get(path) != after[path]} == edit.made
    assert before.keys() - after.keys() == edit.gone
    assert run.numbers["crops"]["images_decoded"] == bool(edit.made)
    assert run.numbers["raw_annotation_index"]["annotations_read"] == edit.annotations
    assert_same_output(site.sku, expected)


def test_items_are_counted_as_they_were_last_read(site: Site) -> None:
    site.describe(11, {1: TOP})
    site.data.raw_annotation(SPLIT, 13, b"{")
    site.build()
    items = read_table(site.sku, "files", SPLIT).set_index("image_id")["items"]
    assert items["000011"] == 1
    assert items["000012"] == 2
    assert pd.isna(items["000013"])


def test_obsolete_files_of_the_project_are_removed(site: Site, original: Site) -> None:
    expected = crop_stamps(site.sku)
    for folder in ("catalog/000009_01_01", "query/000008_01_01", "query/000007_01_01"):
        site.crop(folder).mkdir()
    for unwanted in ("query/000008_01_01/000012_item1.jpg", USER_TOP.replace("item1", "item7")):
        shutil.copy(site.crop(USER_TOP), site.crop(unwanted))
    for folder in ("query/000001_01_01", "query/000007_01_01"):
        site.crop(f"{folder}/.000012_item1.jpg.tmp").write_bytes(b"half a crop")

    with unreadable(site.data):
        site.build()

    assert crop_stamps(site.sku) == expected
    assert_same_output(site.sku, original.sku)
    assert site.complete


def test_without_a_manifest_every_crop_is_remade(site: Site, original: Site) -> None:
    """The same is true for a folder written by other scripts, whose crops may be anything."""
    shutil.copy(site.crop(SHOP_TOP), site.crop(USER_TOP))
    shutil.rmtree(site.sku / "_df2_assets")
    before = crop_stamps(site.sku)

    run = site.build()

    assert run.numbers["crops"]["images_decoded"] == DECODED
    after = crop_stamps(site.sku)
    assert [path for path in after if before[path] == after[path]] == []
    assert_same_output(site.sku, original.sku)


@pytest.mark.parametrize("names", [["sku"], ["df2"], ["df2", "sku"]], ids=" and ".join)
def test_a_moved_data_set_is_not_built_again(site: Site, tmp_path: Path, names: list[str]) -> None:
    before = crop_stamps(site.sku)
    roots = {"df2": site.data.root, "sku": site.sku}
    for name in names:
        roots[name] = roots[name].rename(tmp_path / f"moved_{name}")
    moved = Site(DataSet(roots["df2"]), roots["sku"])

    with unreadable(moved.data):
        run = moved.build()

    assert run.numbers["crops"]["images_decoded"] == 0
    assert crop_stamps(moved.sku) == before
    document = (moved.sku / f"{SPLIT}_sku_metadata.json").read_text()
    assert f'"df2_root": "{roots["df2"]}"' in document
    assert f'"out_root": "{roots["sku"]}"' in document


FOREIGN = {
    "catalog/notes.txt": "catalog/notes.txt",
    "catalog/my crops/000011_item1.jpg": "catalog/my crops",
    "query/000001_01_01/000012_item1 (copy).jpg": "query/000001_01_01/000012_item1 (copy).jpg",
    "query/000001_01_01/12_item1.jpg": "query/000001_01_01/12_item1.jpg",
    "query/000001_01_01/.hidden": "query/000001_01_01/.hidden",
    "query/000005_01_01/list.csv": "query/000005_01_01/list.csv",
}
"""Foreign files, and how they are listed: a whole folder as one."""


def test_foreign_files_are_kept_and_listed_and_block_later_steps(
    site: Site, original: Site
) -> None:
    for path in FOREIGN:
        site.crop(path).parent.mkdir(exist_ok=True)
        site.crop(path).write_bytes(b"mine")
    before = crop_stamps(site.sku)

    result = build(site.data.root, site.sku)

    assert not result.success
    (run,) = result.runs
    (complaint,) = run.failed
    assert complaint.startswith("crops: files_match")
    assert not {"sku_metadata", "image_text"} & run.numbers.keys()
    assert crop_stamps(site.sku) == before
    listed = site.sku / "_df2_assets/checks/crops.files_match/train.parquet"
    assert set(pd.read_parquet(listed)["crop_path"]) == {f"train/{at}" for at in FOREIGN.values()}

    for path, listed_as in FOREIGN.items():
        site.crop(path).rename(site.sku / path.replace("/", "-"))
        if listed_as != path:
            site.crop(listed_as).rmdir()
    site.build()
    assert not listed.exists()
    assert_same_output(site.sku, original.sku)


def test_a_truncated_image_removes_its_skus_until_it_is_repaired(
    site: Site, original: Site
) -> None:
    """Image 11 is the only catalog image of both SKUs of pair 1."""
    whole = site.image(11).read_bytes()
    site.image(11).write_bytes(truncated(whole))

    run = site.build()
    assert run.numbers["crops"]["images_decoded"] == 1
    refused = read_table(site.sku, "refusals", SPLIT)
    assert refused["item_idx"].tolist() == [1, 2]
    assert set(refused["image_id"]) == {"000011"}
    assert set(refused["stage"]) == {"crops"}
    assert metadata(site.sku, SPLIT)["skus"].keys() == {
        f"00000{pair}_{kind}" for pair in PAIRS[1:] for kind in ("01_01", "02_08")
    }
    assert_same_output(site.sku, site.read_independently())

    before = stamps(site.sku)
    with unreadable(site.data):
        again = site.build()
    assert not again.changed
    assert again.numbers["crops"]["images_decoded"] == 0
    assert stamps(site.sku) == before

    site.image(11).write_bytes(whole)
    site.build()
    assert_same_output(site.sku, original.sku)


def test_the_number_of_workers_changes_no_byte(tmp_path: Path) -> None:
    data = random_dataset(tmp_path / "df2", 7, (SPLIT,), images=40)
    built = []
    for workers in (1, 2, 4):
        only(build(data.root, tmp_path / str(workers), workers=workers))
        built.append(contract(tmp_path / str(workers)))
    assert len(built[0]) > 20
    assert built[1] == built[0]
    assert built[2] == built[0]

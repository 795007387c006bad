"""The metadata file as it lies on disk, edited behind the platform's back."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from df2_assets.checks.sku_metadata import contract
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.clean import fails, named

SKU = "000001_01_08"
CATALOG = f"train/catalog/{SKU}/000001_item8.jpg"
QUERY = f"train/query/{SKU}/000003_item8.jpg"


def edit(roots: Roots, change: Callable[[dict[str, Any]], object]) -> None:
    path = roots.sku_metadata("train")
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, indent=2))


def reverse(skus: dict[str, Any]) -> None:
    for sku_id in sorted(skus, reverse=True):
        skus[sku_id] = skus.pop(sku_id)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda d: d.update(split="test"), "split is test"),
        (lambda d: d.update(num_skus=12), "num_skus is 12, but there are 13"),
        (lambda d: d.update(df2_root="data"), "df2_root is data, which is not absolute"),
        (lambda d: reverse(d["skus"]), "SKUs are not sorted by id"),
    ],
)
def test_a_document_that_breaks_the_contract_is_named(
    disk: Roots, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    edit(disk, change)
    finding = contract(disk, "train")
    assert fails(finding, "error")
    assert named(finding.offenders, "split", "what") == [("train", what)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda s: s.update(pair_id=2), "the id of its pair, style and category is 000002_01_08"),
        (lambda s: s.update(category_name="skirt"), "category_name of 8 is skirt"),
        (lambda s: s["query"].reverse(), "query crops are not sorted by image and item, each once"),
        (lambda s: s["query"].clear(), "length >= 1 - at `$.query`"),
        (lambda s: s.pop("style"), "missing required field `style`"),
        (lambda s: s.update(colour="red"), "unknown field `colour`"),
        (lambda s: s.update(style=0), "Expected `int` >= 1 - at `$.style`"),
        (lambda s: s["catalog"][1].update(occlusion=4), "Expected `int` <= 3 - at `$.catalog[1]"),
        (lambda s: s["catalog"][0].update(bbox=[1, 2, 3]), "length 4 - at `$.catalog[0].bbox`"),
        (lambda s: s["catalog"][0].update(bbox=[-1, 2, 3, 4]), "`int` >= 0"),
        (lambda s: s["catalog"][0].update(item_idx="8"), "Expected `int`, got `str`"),
        (lambda s: s["catalog"][0].update(image_id="1"), "matching regex"),
    ],
)
def test_a_sku_that_breaks_the_contract_is_named(
    disk: Roots, change: Callable[[dict[str, Any]], object], what: str
) -> None:
    edit(disk, lambda document: change(document["skus"][SKU]))
    finding = contract(disk, "train")
    assert fails(finding, "error")
    ((split, sku_id, said),) = named(finding.offenders, "split", "sku_id", "what")
    assert (split, sku_id) == ("train", SKU)
    assert what in str(said)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"bbox": [9, 9, 9, 20]}, "the box has no area"),
        ({"orig_image_path": "train/000001.jpg"}, "orig_image_path is not train/image/000001.jpg"),
        ({"crop_path": QUERY}, f"crop_path is not {CATALOG}"),
    ],
)
def test_a_crop_that_breaks_the_contract_is_named(
    disk: Roots, values: dict[str, Any], what: str
) -> None:
    edit(disk, lambda document: document["skus"][SKU]["catalog"][0].update(values))
    finding = contract(disk, "train")
    assert fails(finding, "error")
    assert named(finding.offenders, "sku_id", "crop_path", "what") == [
        (SKU, values.get("crop_path", CATALOG), what)
    ]


def test_paths_that_lead_nowhere_are_named(disk: Roots) -> None:
    (disk.sku_root / CATALOG).unlink()
    (disk.df2_root / "train/image/000003.jpg").unlink()
    finding = contract(disk, "train")
    assert fails(finding, "error")
    found = named(finding.offenders, "crop_path", "what")
    assert (CATALOG, "the crop is not there") in found
    assert {path for path, what in found if what == "the original image is not there"} == {
        f"train/query/000001_01_{n:02d}/000003_item{n}.jpg" for n in range(1, 14)
    }
    assert len(found) == 14


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"split": "train"}', b"\xff"])
def test_a_file_that_is_not_there_or_not_whole_fails(disk: Roots, content: bytes | None) -> None:
    path = disk.sku_metadata("train")
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    finding = contract(disk, "train")
    assert fails(finding, "error")
    assert str(path) in finding.summary
    assert "sku_metadata" in finding.summary

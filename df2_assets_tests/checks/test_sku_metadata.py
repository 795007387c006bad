"""The check of the metadata on disk, after somebody has edited it."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.clean import fails, find, named

SKU = "000001_01_08"
CATALOG = f"train/catalog/{SKU}/000001_item8.jpg"
QUERY = f"train/query/{SKU}/000003_item8.jpg"


Change = Callable[[dict[str, Any]], object]


def reverse(skus: dict[str, Any]) -> None:
    for sku_id in sorted(skus, reverse=True):
        skus[sku_id] = skus.pop(sku_id)


def of_document(**values: Any) -> Change:
    return lambda document: document.update(values)


def of_sku(**values: Any) -> Change:
    return lambda document: document["skus"][SKU].update(values)


def of_crop(**values: Any) -> Change:
    return lambda document: document["skus"][SKU]["catalog"][0].update(values)


IMAGE = "train/image/000001.jpg"


@pytest.mark.parametrize(
    ("change", "sku_id", "crop_path", "what"),
    [
        (of_document(split="test"), "", "", "split is test"),
        (of_document(num_skus=12), "", "", "num_skus is 12, but there are 13"),
        (of_document(df2_root="data"), "", "", "df2_root is data, which is not absolute"),
        (lambda d: reverse(d["skus"]), "", "", "SKUs are not sorted by id"),
        (of_sku(pair_id=2), SKU, "", "the id of its pair, style and category is 000002_01_08"),
        (of_sku(category_name="skirt"), SKU, "", "category_name of 8 is skirt"),
        (lambda d: d["skus"][SKU]["query"].reverse(), SKU, "", "query crops are not sorted by"),
        (of_sku(query=[]), SKU, "", "it has no query crops, and SKUs with one domain are left out"),
        (of_sku(catalog=[], query=[]), SKU, "", "it has no crops"),
        (lambda d: d["skus"][SKU].pop("style"), SKU, "", "missing required field `style`"),
        (of_sku(colour="red"), SKU, "", "unknown field `colour`"),
        (of_sku(style=0), SKU, "", "Expected `int` >= 1 - at `$.style`"),
        (of_crop(occlusion=4), SKU, "", "Expected `int` <= 3 - at `$.catalog[0]"),
        (of_crop(bbox=[1, 2, 3]), SKU, "", "length 4 - at `$.catalog[0].bbox`"),
        (of_crop(bbox=[-1, 2, 3, 4]), SKU, "", "`int` >= 0"),
        (of_crop(item_idx="8"), SKU, "", "Expected `int`, got `str`"),
        (of_crop(image_id="1"), SKU, "", "matching regex"),
        (of_crop(bbox=[9, 9, 9, 20]), SKU, CATALOG, "the box has no area"),
        (
            of_crop(orig_image_path="train/000001.jpg"),
            SKU,
            CATALOG,
            f"orig_image_path is not {IMAGE}",
        ),
        (of_crop(crop_path=QUERY), SKU, QUERY, f"crop_path is not {CATALOG}"),
    ],
)
def test_what_breaks_the_contract_is_named(
    disk: Roots, change: Change, sku_id: str, crop_path: str, what: str
) -> None:
    path = disk.sku_metadata("train")
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, indent=2))
    finding = find("contract", disk)
    assert fails(finding, "error")
    ((*where, said),) = named(finding.offenders, "split", "sku_id", "crop_path", "what")
    assert where == ["train", sku_id, crop_path]
    assert what in str(said)


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"query": []}, []),
        ({"catalog": []}, []),
        ({"catalog": [], "query": []}, ["it has no crops"]),
    ],
)
def test_a_sku_with_one_domain_follows_the_contract_where_those_are_kept(
    disk: Roots, values: dict[str, Any], problems: list[str]
) -> None:
    recorded = msgspec.structs.replace(state.load(disk, "train"), only_pairs=False)
    state.save(disk, "train", recorded)
    path = disk.sku_metadata("train")
    document = json.loads(path.read_text())
    document["skus"][SKU].update(values)
    path.write_text(json.dumps(document, indent=2))
    finding = find("contract", disk)
    assert [what for (what,) in named(finding.offenders, "what")] == problems
    assert finding.passed == (not problems)


def test_paths_that_lead_nowhere_are_named(disk: Roots) -> None:
    (disk.sku_root / CATALOG).unlink()
    (disk.df2_root / "train/image/000003.jpg").unlink()
    finding = find("contract", disk)
    assert fails(finding, "error")
    found = named(finding.offenders, "crop_path", "what")
    assert (CATALOG, "the crop is missing") in found
    assert {path for path, what in found if what == "the original image is missing"} == {
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
    finding = find("contract", disk)
    assert fails(finding, "error")
    assert str(path) in finding.summary
    assert "sku_metadata" in finding.summary

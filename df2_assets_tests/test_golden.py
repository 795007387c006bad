"""A tiny fixed data set, compared as a whole with an expected result written by hand.

The independent reading is compared with the same result, so that other tests can rely on it.
"""

import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from df2_assets_tests import golden
from df2_assets_tests.support import oracle, run
from df2_assets_tests.support.compare import rows, tree


class Roots(NamedTuple):
    df2: Path
    sku: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Build the golden data set with the platform."""
    roots = _golden_input(tmp_path_factory)
    result = run.build(roots.df2, roots.sku, golden.SPLITS)
    assert result.success, result.problems
    return roots


@pytest.fixture(scope="module")
def read_independently(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Build the golden data set with the independent reading."""
    roots = _golden_input(tmp_path_factory)
    assert oracle.build(roots.df2, roots.sku, golden.SPLITS) == []
    return roots


@pytest.fixture(params=["built", "read_independently"])
def roots(request: pytest.FixtureRequest) -> Roots:
    """Return both outputs in turn."""
    found: Roots = request.getfixturevalue(request.param)
    return found


def _golden_input(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    base = tmp_path_factory.mktemp("golden").resolve()
    golden.write(base / "DeepFashion2_original")
    return Roots(base / "DeepFashion2_original", base / "DeepFashion2_SKU")


def _expected_rows(split: str) -> list[dict[str, Any]]:
    return rows(golden.EXPECTED, split)


@pytest.mark.parametrize("split", golden.SPLITS)
def test_the_metadata_is_the_expected_text(roots: Roots, split: str) -> None:
    name = f"{split}_sku_metadata.json"
    expected = (golden.EXPECTED / name).read_text(encoding="utf-8")
    expected = expected.replace("<DF2_ROOT>", str(roots.df2)).replace("<SKU_ROOT>", str(roots.sku))
    written = (roots.sku / name).read_text(encoding="utf-8")
    # The contract does not say whether the file ends in a newline.
    assert written.rstrip("\n") == expected.rstrip("\n")


@pytest.mark.parametrize("split", golden.SPLITS)
def test_the_rows_are_the_expected_ones_with_their_keys_in_order(roots: Roots, split: str) -> None:
    written = [list(row.items()) for row in rows(roots.sku, split)]
    assert written == [list(row.items()) for row in _expected_rows(split)]


@pytest.mark.parametrize("split", golden.SPLITS)
def test_there_is_one_crop_for_each_row_and_nothing_else(roots: Roots, split: str) -> None:
    crops = {row["image_path"] for row in _expected_rows(split)}
    folders = {str(Path(path).parent) for path in crops}
    assert tree(roots.sku, split).keys() == crops | folders


def test_each_crop_is_the_box_of_its_image_as_pillow_writes_it(roots: Roots) -> None:
    expected = _expected_rows("train")
    for row in expected:
        out = io.BytesIO()
        with Image.open(roots.df2 / row["orig_image_path"]) as image:
            image.convert("RGB").crop(row["bbox"]).save(out, format="JPEG", quality=95)
        assert (roots.sku / row["image_path"]).read_bytes() == out.getvalue(), row["image_path"]
    assert len(expected) == 10


def test_nothing_is_refused(built: Roots) -> None:
    assert [len(run.read_table(built.sku, "refusals", split)) for split in golden.SPLITS] == [0] * 3


def test_the_expected_files_have_each_occlusion_and_viewpoint_in_both_domains() -> None:
    expected = _expected_rows("train")
    for field in ("occlusion", "viewpoint"):
        seen = {(row["domain"], row[field]) for row in expected}
        assert seen == {(domain, value) for domain in ("catalog", "query") for value in (1, 2, 3)}


def test_the_expected_rows_repeat_the_expected_metadata() -> None:
    document = json.loads((golden.EXPECTED / "train_sku_metadata.json").read_text("utf-8"))
    listed = [
        (sku_id, domain, crop["crop_path"], crop["bbox"], crop["occlusion"], crop["viewpoint"])
        for sku_id, sku in document["skus"].items()
        for domain in ("catalog", "query")
        for crop in sku[domain]
    ]
    names = ("sku_id", "domain", "image_path", "bbox", "occlusion", "viewpoint")
    assert listed == [tuple(row[name] for name in names) for row in _expected_rows("train")]

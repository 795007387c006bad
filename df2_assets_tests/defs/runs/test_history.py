"""Files of different builds: the split is incomplete, and assets reject stale input."""

import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from df2_assets.defs.runs.history import last_materialization
from df2_assets_tests.defs.platform import Platform, evaluations, made
from df2_assets_tests.support.compare import assert_same_output
from df2_assets_tests.support.engines import build_while
from df2_assets_tests.support.site import SPLIT, TOP, TROUSERS, Site
from df2_assets_tests.support.snapshots import crop_stamps, stamps

CHAIN = ("raw_annotation_index", "sku_groups", "crops", "sku_metadata", "image_text")


def test_a_split_is_incomplete_from_before_its_first_change(site: Site) -> None:
    seen: list[tuple[bool, bool]] = []
    before = crop_stamps(site.sku)

    def look() -> None:
        seen.append((site.complete, crop_stamps(site.sku) == before))

    site.describe(12, {1: TOP | {"bounding_box": [0, 0, 90, 90]}, 3: TROUSERS})
    assert build_while(site.settings, SPLIT, look).success

    assert (False, True) in seen
    assert (True, False) not in seen
    assert site.complete


@pytest.mark.parametrize(
    ("change", "complete"),
    [
        (lambda site: site.annotation(13).unlink(), [True, True, False, False, True]),
        (
            lambda site: site.describe(12, {1: TOP | {"occlusion": 3}, 3: TROUSERS}),
            [True, True, True, False, True],
        ),
    ],
    ids=["crops change", "labels change"],
)
def test_a_split_is_incomplete_until_its_prompts_are_written(
    site: Site, change: Callable[[Site], None], complete: list[bool]
) -> None:
    site.build()
    change(site)
    reply = []
    for asset in CHAIN:
        assert site.materialize(asset) is None
        reply.append(site.complete)
    assert reply == complete
    assert_same_output(site.sku, site.read_independently())


@pytest.mark.parametrize(
    ("fresh", "asset", "remedy"),
    [
        (("raw_annotation_index",), "crops", "sku_groups"),
        (("raw_annotation_index", "sku_groups"), "sku_metadata", "crops"),
        (("raw_annotation_index", "sku_groups"), "refusals", "crops"),
        (("raw_annotation_index", "sku_groups"), "image_text", "crops"),
        (("raw_annotation_index", "sku_groups", "crops"), "image_text", "sku_metadata"),
    ],
)
def test_an_asset_rejects_stale_input_and_names_the_asset_to_rerun(
    site: Site, fresh: tuple[str, ...], asset: str, remedy: str
) -> None:
    site.describe(13, {2: TOP}, pair_id=2)
    assert site.materialize(*fresh) is None
    before = stamps(site.sku)

    message = site.materialize(asset) or ""

    assert f"rerun {remedy}" in message
    assert len(message.splitlines()) <= 2
    assert stamps(site.sku) == before


@pytest.mark.parametrize("edited", [False, True], ids=["labels changed", "metadata edited"])
def test_prompts_reject_metadata_of_other_crops(site: Site, edited: bool) -> None:
    """If only labels change, the crops and their manifest stay the same."""
    if edited:
        path = site.roots.sku_metadata(SPLIT)
        path.write_text(path.read_text().replace('"occlusion": 1', '"occlusion": 2', 1))
    else:
        site.describe(12, {1: TOP | {"occlusion": 3}, 3: TROUSERS})
        assert site.materialize("raw_annotation_index", "sku_groups", "crops") is None
    assert "rerun sku_metadata" in (site.materialize("image_text") or "")


@pytest.mark.parametrize(
    ("asset", "inputs"),
    [
        ("sku_groups", ["raw_annotation_index"]),
        ("crops", ["sku_groups"]),
        ("refusals", ["raw_annotation_index", "sku_groups", "crops"]),
        ("sku_metadata", ["sku_groups", "crops"]),
    ],
)
def test_an_asset_without_its_input_says_what_to_materialize(
    site: Site, asset: str, inputs: list[str]
) -> None:
    shutil.rmtree(site.sku / "_df2_assets")
    message = site.materialize(asset) or ""
    assert any(f"materialize {name} first" in message for name in inputs)


def test_a_run_of_another_data_set_than_the_last_says_so_first(
    built: Platform, tmp_path: Path
) -> None:
    other = Platform(tmp_path / "other", built.instance)
    for platform, before in ((other, built), (built, other)):
        result = platform.run("build_dataset")
        assert result.success
        metadata = made(result)["sku_metadata"].metadata
        text = (
            "This is not the data set of the last materialization: "
            f"DF2_ROOT is {platform.data.root} and was {before.data.root}; "
            f"SKU_ROOT is {platform.settings.sku_root} and was {before.settings.sku_root}."
        )
        assert (next(iter(metadata)), metadata["data_set_change"].value) == (
            "data_set_change",
            text,
        )
    again = built.run("build_dataset")
    assert all("data_set_change" not in of.metadata for of in made(again).values())

    looked = other.run("check_only")
    assert all(next(iter(of.metadata)) == "data_set_change" for of in evaluations(looked).values())


def test_refusals_name_their_build_even_after_a_later_one_failed(
    built: Platform,
) -> None:
    built.spoil()
    failed = built.run("build_dataset")
    assert not failed.success
    latest = last_materialization(built.instance, dg.AssetKey("refusals"), "train")
    assert latest is not None
    assert latest.asset_materialization is not None
    text = str(latest.asset_materialization.metadata["build"].value)
    assert f"Refused in the build of train by run {latest.run_id[:8]}." in text
    assert failed.run_id != latest.run_id

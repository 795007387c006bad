"""The metadata of materializations that the UI plots and compares, and the size of the events."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from df2_assets.definitions import build_defs
from df2_assets.settings import Settings
from df2_assets_tests.defs.platform import SPLIT, Platform, made
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.site import QUIET

NUMBERS = {
    "raw_annotation_index": {"images", "annotations", "refused", "percent_read"},
    "sku_groups": {"skus", "crops"},
    "crops": {"crops", "failed", "bytes", "images_decoded", "percent_made"},
    "refusals": {"refused"},
    "sku_metadata": {"skus", "crops", "bytes"},
    "image_text": {"skus", "crops", "bytes"},
}
KEY = ("key", "sku_id", "image_id", "item_idx")
RATES = {
    "raw_annotation_index": ("percent_read", {"annotations_per_second"}),
    "crops": ("percent_made", {"images_per_second"}),
}
"""The numbers for the share of the work that was done, and its speed if there was any."""

FATES = {"added", "removed", "remade", "unchanged"}


def numbers(materialization: dg.AssetMaterialization) -> dict[str, int | float]:
    return {
        name: value.value
        for name, value in materialization.metadata.items()
        if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue)
        and value.value is not None
    }


def first_changes(materialization: dg.AssetMaterialization) -> list[tuple[Any, Any]]:
    table = materialization.metadata.get("first_changes")
    if not isinstance(table, dg.TableMetadataValue):
        return []
    return [
        (
            " ".join(str(record.data[name]) for name in KEY if name in record.data),
            record.data["what"],
        )
        for record in table.records
    ]


def test_numbers_have_the_same_names_in_every_build_and_tell_a_cold_one_from_a_warm_one(
    platform: Platform,
) -> None:
    cold, warm = (made(platform.run("build_dataset")) for _ in range(2))
    for asset, names in NUMBERS.items():
        assert {cold[asset].partition, warm[asset].partition} == {SPLIT}
        _, rates = RATES.get(asset, ("", set()))
        assert names | FATES | {"seconds"} <= numbers(warm[asset]).keys(), asset
        assert numbers(cold[asset]).keys() == numbers(warm[asset]).keys() | rates, asset
    for asset, (percent, _) in RATES.items():
        assert numbers(cold[asset])[percent] == 100.0
        assert numbers(warm[asset])[percent] == 0.0


def rank(name: str, value: dg.MetadataValue[Any]) -> str:
    """Return the kind of an entry of metadata, as people see it."""
    if name.startswith("dagster/"):
        return "Dagster's"
    if isinstance(value, dg.MarkdownMetadataValue) and str(value.value).startswith("!["):
        return "picture"
    kinds = {
        dg.TextMetadataValue: "sentence",
        dg.UrlMetadataValue: "picture",
        dg.IntMetadataValue: "number",
        dg.FloatMetadataValue: "number",
        dg.PathMetadataValue: "path",
    }
    return kinds.get(type(value), "table")


def test_metadata_is_sorted_from_sentences_to_paths_and_its_numbers_are_explained(
    built: Platform,
) -> None:
    reports = built.run("refresh_reports")
    assert reports.success
    built.reframe()
    results = [built.run("build_dataset"), reports, built.materialize(SPLIT, ["coco", "labels"])]
    found = {name: one for result in results for name, one in made(result).items()}
    assert found.keys() == {*NUMBERS, "crop_quality", "gallery", "coco", "labels"}
    order = ["sentence", "picture", "number", "table", "path", "Dagster's"]
    specs = built.defs.resolve_asset_graph()
    for asset, one in found.items():
        ranks = [order.index(rank(name, value)) for name, value in one.metadata.items()]
        assert ranks == sorted(ranks), asset
        assert next(iter(one.metadata)) == "summary"
        assert re.fullmatch(r"\S.*[.]", str(one.metadata["summary"].value)), asset
        shown = {n: v for n, v in numbers(one).items() if not n.startswith("dagster/")}
        meanings = specs.get(dg.AssetKey(asset)).metadata["numbers"]
        assert isinstance(meanings, dg.TableMetadataValue)
        assert shown.keys() <= {str(r.data["number"]) for r in meanings.records}, asset
        assert all(r.data["meaning"] for r in meanings.records)
        assert all(value == round(value, 4) for value in shown.values())
        rows = one.metadata["dagster/partition_row_count"].value if asset != "gallery" else 1
        assert isinstance(rows, int)
        paths = {n: v for n, v in one.metadata.items() if isinstance(v, dg.PathMetadataValue)}
        absolute = {name for name, path in paths.items() if str(path.value).startswith("/")}
        assert absolute == {"df2_root", "sku_root"}, asset


def test_a_preview_has_no_times_in_nanoseconds_and_no_digests(built: Platform) -> None:
    results = [built.run("build_dataset"), built.run("refresh_reports")]
    tables = [
        value
        for result in results
        for one in made(result).values()
        for value in one.metadata.values()
        if isinstance(value, dg.TableMetadataValue)
    ]
    assert tables
    for table in tables:
        cells = [str(cell) for record in table.records for cell in record.data.values()]
        assert not [cell for cell in cells if re.search(r"[0-9]{16}|[0-9a-f]{32}", cell)]


def test_each_materialization_says_what_changed_since_the_last(platform: Platform) -> None:
    first = made(platform.run("build_dataset"))
    for asset in NUMBERS.keys() - {"refusals"}:
        reply = numbers(first[asset])
        assert reply["added"] > 0, asset
        assert reply["removed"] == reply["remade"] == reply["unchanged"] == 0, asset
        assert {what for _, what in first_changes(first[asset])} == {"added"}

    platform.relabel()
    second = made(platform.run("build_dataset"))
    changed = {
        "raw_annotation_index": "000001 1",
        "sku_groups": "000001_01_01 000001 1",
        "sku_metadata": "000001_01_01",
        "image_text": "000001_01_01 000001 1",
    }
    for asset in NUMBERS:
        reply = numbers(second[asset])
        assert reply["added"] == reply["removed"] == 0, asset
        if asset in changed:
            assert reply["remade"] == 1, asset
            ((key, what),) = first_changes(second[asset])
            assert str(key).startswith(changed[asset])
            assert what == "remade"
        else:
            assert reply["remade"] == 0, asset
            assert first_changes(second[asset]) == []


def stale(platform: Platform) -> dict[str, str]:
    """Return the assets that the UI shows as stale, and why, by an API without a public name."""
    graph = platform.defs.resolve_asset_graph()
    loading = LoadingContextForTest(platform.instance)
    resolver = CachingStaleStatusResolver(platform.instance, graph, loading)
    keys = {key.path[-1]: key for key in graph.get_all_asset_keys()}
    return {
        name: str(resolver.get_stale_causes(key, SPLIT))
        for name, key in keys.items()
        if resolver.get_status(key, SPLIT) == StaleStatus.STALE
    }


def test_a_build_leaves_nothing_stale(built: Platform) -> None:
    assert stale(built) == {}
    built.observe()
    assert stale(built) == {}
    built.touch()
    built.observe()
    assert stale(built).keys() == {"raw_annotation_index"}
    built.build()
    assert stale(built) == {}
    built.relabel()
    assert built.materialize(SPLIT, ["raw_annotation_index"]).success
    assert stale(built).keys() == {"sku_groups", "refusals"}


@pytest.mark.slow
def test_prompts_of_other_templates_are_stale_until_they_are_rebuilt(built: Platform) -> None:
    for wording in ("a {category_name}", "the {category_name}"):
        built.give_prompts(f'prompts: {{text_short: "{wording}"}}')
        built.observe()
        assert stale(built).keys() == {"image_text"}
        built.build()
        assert stale(built) == {}
        built.observe()
        assert stale(built) == {}


def test_assets_downstream_of_no_change_keep_their_data_version(platform: Platform) -> None:
    before = made(platform.run("build_dataset"))
    platform.touch()
    after = made(platform.run("build_dataset"))
    versions = [
        {asset: (one.tags or {})["dagster/data_version"] for asset, one in found.items()}
        for found in (before, after)
    ]
    assert versions[0] == versions[1]


def build_and_weigh(settings: Settings, home: Path) -> tuple[int, int]:
    """Build all splits on a new instance; return the number of events and their bytes.

    An event that is stored in several places counts in each of them.
    """
    home.mkdir()
    (home / "dagster.yaml").write_text(f"storage:\n  sqlite:\n    base_dir: {home}\n")
    defs = build_defs(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for split in settings.splits:
            defs.resolve_job_def("build_dataset").execute_in_process(
                run_config=QUIET, instance=instance, partition_key=split
            )
    events: list[str] = []
    size = 0
    for path in (home / "history" / "runs").glob("*.db"):
        with closing(sqlite3.connect(path)) as store:
            texts = [text for (text,) in store.execute("SELECT event FROM event_logs")]
        size += sum(map(len, texts))
        events += texts if path.name != "index.db" else []
    return len(events), size


@pytest.mark.slow
def test_a_build_leaves_less_than_a_megabyte_of_events(sample_root: Path, tmp_path: Path) -> None:
    settings = Settings(df2_root=sample_root, sku_root=str(tmp_path / "sku"), workers=2)
    assert build_and_weigh(settings, tmp_path / "home")[1] < 1_000_000


@pytest.mark.slow
def test_more_data_leaves_no_more_events(tmp_path: Path) -> None:
    stores = []
    for images in (40, 400):
        base = tmp_path / str(images)
        data = random_dataset(base / "df2", 1, (SPLIT,), images=images)
        settings = Settings(
            df2_root=data.root, sku_root=str(base / "sku"), splits=(SPLIT,), workers=2
        )
        stores.append(build_and_weigh(settings, base / "home"))
    (few, small), (many, large) = stores
    assert many == few
    assert large < 1.1 * small

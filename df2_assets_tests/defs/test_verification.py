"""The job `verify_dataset`, which records its findings as evaluations of the assets' checks."""

import os
from collections.abc import Callable

import dagster as dg
import pytest

from df2_assets.store.lock import writer
from df2_assets_tests.defs.platform import OTHER, SPLIT, Platform, failure
from df2_assets_tests.support.snapshots import contract, crop_stamps

CROP = "train/catalog/000001_01_01/000001_item1.jpg"

FILES = ("crops", "files_match")
CONTRACT = ("sku_metadata", "contract")
MATCHES = ("image_text", "matches_metadata")


def verify(platform: Platform, *, deep: bool = False) -> dg.ExecuteInProcessResult:
    config = {"ops": {"verify_split": {"config": {"deep": deep}}}}
    return platform.run("verify_dataset", config=config)


def latest(
    platform: Platform, check: tuple[str, str], split: str = SPLIT
) -> dg.AssetCheckEvaluation:
    """Return the latest evaluation of a check for a split, of any run."""
    key = dg.AssetCheckKey(dg.AssetKey(check[0]), check[1])
    history = platform.instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
    event = next(record.event for record in history if record.partition == split)
    assert event is not None
    assert event.dagster_event is not None
    return event.dagster_event.asset_check_evaluation_data


def failing(platform: Platform, split: str = SPLIT) -> set[tuple[str, str]]:
    return {c for c in (FILES, CONTRACT, MATCHES) if not latest(platform, c, split).passed}


def test_an_unchanged_data_set_passes_and_nothing_is_built(built: Platform) -> None:
    sku_root = built.settings.roots.sku_root
    before = contract(sku_root), crop_stamps(sku_root)
    result = verify(built, deep=True)
    assert result.success
    assert failing(built) == set()
    assert result.get_asset_materialization_events() == []
    assert (contract(sku_root), crop_stamps(sku_root)) == before


def test_a_deleted_crop_turns_its_check_red_in_its_split_until_the_next_build(
    built: Platform,
) -> None:
    built.build(OTHER)
    sku_root = built.settings.roots.sku_root
    clean_build = contract(sku_root)
    (sku_root / CROP).unlink()
    result = verify(built)
    assert f"1 problem in train, the first: the file is missing ({CROP})." in failure(result)
    evaluation = latest(built, FILES)
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert evaluation.blocking
    shown = evaluation.metadata["first 20 offenders"]
    assert isinstance(shown, dg.TableMetadataValue)
    of_crop = [(record.data["sku_id"], record.data["image_id"]) for record in shown.records]
    assert of_crop == [(CROP.split("/")[2], CROP.split("/")[3][:6])]
    assert failing(built, OTHER) == set()
    for check in (FILES, CONTRACT, MATCHES):
        of_split = dg.AssetRecordsFilter(asset_key=dg.AssetKey(check[0]), asset_partitions=[SPLIT])
        (made,) = built.instance.fetch_materializations(of_split, limit=1).records
        target = latest(built, check).target_materialization_data
        assert target is not None
        assert target.storage_id == made.storage_id
    built.build()
    assert failing(built) == set()
    assert contract(sku_root) == clean_build
    assert verify(built, deep=True).success


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        (CROP, lambda data: data[:-30] + bytes([data[-30] ^ 1]) + data[-29:], FILES),
        (
            "train_sku_metadata.json",
            lambda data: data.replace(b'"num_skus": 13', b'"num_skus": 14'),
            CONTRACT,
        ),
        (
            "train_image_text.jsonl",
            lambda data: data.replace(b"not being worn", b"being worn", 1),
            MATCHES,
        ),
    ],
    ids=["crop", "metadata", "prompts"],
)
def test_an_edited_file_turns_the_check_of_its_asset_red_and_a_build_turns_it_green(
    built: Platform, name: str, change: Callable[[bytes], bytes], check: tuple[str, str]
) -> None:
    """An edited crop with the same size and time is only found by a deep run."""
    path = built.settings.roots.sku_root / name
    before, data = path.stat(), path.read_bytes()
    path.write_bytes(change(data))
    assert path.read_bytes() != data
    if check == FILES:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert verify(built).success
    assert not verify(built, deep=check == FILES).success
    assert failing(built) == {check}
    built.build()
    assert failing(built) == set()
    assert path.read_bytes() == data


@pytest.mark.parametrize("job", ["verify_dataset", "check_only"])
def test_a_job_that_only_reads_does_not_wait_for_a_build_but_names_it(
    built: Platform, job: str
) -> None:
    with writer(built.settings.roots, SPLIT, "0123456789"):
        assert f"is being built by process {os.getpid()}" in failure(built.run(job))
        assert built.run("check_freshness").success
    assert built.run(job).success

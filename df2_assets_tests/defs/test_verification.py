"""The job `verify_dataset`: what happens behind the platform's back turns a check red."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.settings import Settings, read_settings
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.snapshots import contract, crop_stamps

SPLIT, OTHER = "train", "validation"
CATALOG = "train/catalog/000001_01_01/000001_item1.jpg"
QUERY = "train/query/000001_01_01/000003_item1.jpg"
ORPHAN = "train/query/000001_01_01/000099_item1.jpg"

FILES = ("crops", "files_match")
CONTRACT = ("sku_metadata", "contract")
MATCHES = ("image_text", "matches_metadata")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Platform(NamedTuple):
    """A data set that was built in two splits, on an instance that recorded it."""

    instance: dg.DagsterInstance
    defs: dg.Definitions
    roots: Roots

    def build(self, split: str = SPLIT) -> Outcome:
        return run_split(self.defs, self.instance, split)

    def verify(self, split: str = SPLIT, *, deep: bool = False) -> dg.ExecuteInProcessResult:
        config = {"ops": {"verify_split": {"config": {"deep": deep}}}}
        return self.defs.resolve_job_def("verify_dataset").execute_in_process(
            run_config=QUIET | config,
            instance=self.instance,
            partition_key=split,
            raise_on_error=False,
        )

    def latest(self, check: tuple[str, str], split: str = SPLIT) -> dg.AssetCheckEvaluation:
        """The latest evaluation of a check for a split, by whatever run."""
        key = dg.AssetCheckKey(dg.AssetKey(check[0]), check[1])
        history = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
        event = next(record.event for record in history if record.partition == split)
        assert event is not None
        assert event.dagster_event is not None
        return event.dagster_event.asset_check_evaluation_data

    def failing(self, split: str = SPLIT) -> set[tuple[str, str]]:
        return {c for c in (FILES, CONTRACT, MATCHES) if not self.latest(c, split).passed}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """A data set without any fault, to be built in place."""
    base = tmp_path_factory.mktemp("verification")
    for split in (SPLIT, OTHER):
        clean.write(DataSet(base / "df2"), split, looks=2)
    return Roots(base / "df2", base / "sku", str(base / "sku"))


@pytest.fixture
def platform(original: Roots, tmp_path: Path) -> Iterator[Platform]:
    roots = Roots(original.df2_root, tmp_path / "sku", str(tmp_path / "sku"))
    settings = Settings(df2_root=roots.df2_root, sku_root=roots.out_root, workers=2)
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(instance, build_defs(settings), roots)
        for split in (SPLIT, OTHER):
            assert platform.build(split).success
        yield platform


def offenders(evaluation: dg.AssetCheckEvaluation) -> list[tuple[Any, Any]]:
    """Path and fault of the first offenders, as the UI shows them."""
    shown = evaluation.metadata["first 20 offenders"]
    assert isinstance(shown, dg.TableMetadataValue)
    return [(record.data["crop_path"], record.data["what"]) for record in shown.records]


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    error = event.step_failure_data.error
    assert error is not None
    return error.message


def test_a_data_set_as_it_was_built_passes_and_is_not_touched(platform: Platform) -> None:
    before = contract(platform.roots.sku_root), crop_stamps(platform.roots.sku_root)
    result = platform.verify(deep=True)
    assert result.success
    assert platform.failing() == set()
    for check in (FILES, CONTRACT, MATCHES):
        evaluation = platform.latest(check)
        assert evaluation.target_materialization_data is not None
    assert (contract(platform.roots.sku_root), crop_stamps(platform.roots.sku_root)) == before


def test_it_makes_nothing(platform: Platform) -> None:
    result = platform.verify()
    assert [event for event in result.all_events if event.is_step_materialization] == []


def test_crops_changed_behind_its_back_turn_their_check_red_and_a_build_turns_it_green(
    platform: Platform,
) -> None:
    clean_build = contract(platform.roots.sku_root)
    root = platform.roots.sku_root
    (root / CATALOG).unlink()
    os.truncate(root / QUERY, 100)
    shutil.copy(root / QUERY, root / ORPHAN)
    result = platform.verify()
    assert not result.success
    assert f"3 faults in train, the first: the file is not there ({CATALOG})." in failure(result)
    evaluation = platform.latest(FILES)
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert evaluation.blocking
    assert offenders(evaluation) == [
        (CATALOG, "the file is not there"),
        (QUERY, "size or time is not the recorded one"),
        (ORPHAN, "no row of the manifest wants it"),
    ]
    assert platform.failing(OTHER) == set()
    made = platform.build()
    assert (made.success, made.failed) == (True, [])
    assert (made.numbers["crops"]["remade"], made.numbers["crops"]["unchanged"]) == (2, 50)
    assert platform.failing() == set()
    assert contract(root) == clean_build
    assert platform.verify(deep=True).success


def test_an_evaluation_is_of_the_latest_materialization_of_its_split(platform: Platform) -> None:
    (platform.roots.sku_root / CATALOG).unlink()
    platform.verify()
    for check in (FILES, CONTRACT, MATCHES):
        evaluation = platform.latest(check)
        of_split = dg.AssetRecordsFilter(asset_key=dg.AssetKey(check[0]), asset_partitions=[SPLIT])
        (latest,) = platform.instance.fetch_materializations(of_split, limit=1).records
        assert evaluation.target_materialization_data is not None
        assert evaluation.target_materialization_data.storage_id == latest.storage_id
        assert evaluation.partition == SPLIT


@pytest.mark.parametrize(
    ("name", "old", "new", "check"),
    [
        ("train_sku_metadata.json", '"num_skus": 13', '"num_skus": 14', CONTRACT),
        ("train_image_text.jsonl", "not being worn", "being worn", MATCHES),
    ],
)
def test_an_edited_file_turns_the_check_of_its_asset_red_and_a_build_turns_it_green(
    platform: Platform, name: str, old: str, new: str, check: tuple[str, str]
) -> None:
    clean_build = contract(platform.roots.sku_root)
    path = platform.roots.sku_root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert not platform.verify().success
    assert platform.failing() == {check}
    assert platform.build().success
    assert platform.failing() == set()
    assert contract(platform.roots.sku_root) == clean_build


def test_only_a_deep_run_finds_a_flipped_bit_and_the_next_build_makes_that_crop_anew(
    platform: Platform,
) -> None:
    root = platform.roots.sku_root
    clean_build, before = contract(root), (root / CATALOG).stat()
    data = bytearray((root / CATALOG).read_bytes())
    data[-30] ^= 1
    (root / CATALOG).write_bytes(data)
    os.utime(root / CATALOG, ns=(before.st_atime_ns, before.st_mtime_ns))
    stamps = crop_stamps(root)
    assert platform.verify().success
    assert not platform.verify(deep=True).success
    assert [path for path, _ in offenders(platform.latest(FILES))] == [CATALOG]
    made = platform.build()
    assert (made.success, made.numbers["crops"]["remade"]) == (True, 1)
    after = crop_stamps(root)
    assert {f"train/{path}" for path in stamps if stamps[path] != after[path]} == {CATALOG}
    assert contract(root) == clean_build
    assert platform.failing() == set()


def test_a_split_that_was_never_built_fails_and_says_so(platform: Platform) -> None:
    result = platform.verify("test")
    assert not result.success
    assert "1 fault in test, the first: it has not been built." in failure(result)


def test_it_waits_for_no_build_but_names_the_one_that_runs(platform: Platform) -> None:
    with writer(platform.roots, SPLIT, "0123456789"):
        result = platform.verify()
    assert not result.success
    assert any(
        f"is being built by process {os.getpid()}" in str(event.event_specific_data)
        for event in result.all_events
    )
    assert platform.verify().success


def test_the_weekly_verification_looks_deeply_at_each_split() -> None:
    defs = build_defs(read_settings({"SPLITS": "train test"}))
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, 1, 5, tzinfo=UTC),
        repository_def=defs.get_repository_def(),
    )
    requests = defs.resolve_schedule_def("weekly_verification").evaluate_tick(context).run_requests
    assert {request.partition_key for request in requests or []} == {"train", "test"}
    for request in requests or []:
        assert request.run_config["ops"]["verify_split"]["config"] == {"deep": True}

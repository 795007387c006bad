"""The job `clean_history`: it deletes old runs, but nothing that the UI shows."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from df2_assets.cli.runs import run_split
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.runs.retention import old_runs
from df2_assets_tests.defs.platform import SPLIT, Platform
from df2_assets_tests.support.site import QUIET
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import station

LATER = timedelta(hours=1)


def old(platform: Platform, before: timedelta = LATER) -> tuple[set[str], set[str]]:
    """Return the ids of superseded and of shown runs that ended before then."""
    repository, at = platform.defs.get_repository_def(), datetime.now(UTC) + before
    jobs, assets = set(repository.job_names), repository.asset_graph.get_all_asset_keys()
    superseded, shown = old_runs(platform.instance, repository, at, jobs, assets)
    return {run.run_id for run in superseded}, {run.run_id for run in shown}


def pages(platform: Platform) -> dict[str, object]:
    """Return what the UI shows: the latest events of each asset and check, by split."""
    instance, graph = platform.instance, platform.defs.resolve_asset_graph()
    found: dict[str, object] = {}
    for asset in graph.get_all_asset_keys():
        for split in SPLITS:
            of = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[split])
            made = instance.fetch_materializations(of, limit=1).records
            seen = instance.fetch_observations(of, limit=1).records
            found[f"{asset} {split}"] = [record.event_log_entry for record in [*made, *seen]]
        found[f"{asset} states"] = instance.get_status_by_partition(
            asset, SPLITS, dg.StaticPartitionsDefinition(SPLITS)
        )
    for check in graph.asset_check_keys:
        latest = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
        found[f"{check}"] = latest
    return found


def test_only_own_runs_that_ended_long_ago_are_old(platform: Platform) -> None:
    @dg.op
    def theirs() -> None: ...

    @dg.job
    def their_job() -> None:
        theirs()

    their_job.execute_in_process(run_config=QUIET, instance=platform.instance)
    first = platform.run("build_dataset").run_id
    job = platform.defs.resolve_job_def("build_dataset")
    platform.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    second = platform.run("build_dataset").run_id
    assert old(platform) == ({first}, {second})
    assert old(platform, -LATER) == (set(), set())


@pytest.mark.slow
def test_deleting_superseded_runs_changes_nothing_in_the_ui(platform: Platform) -> None:
    """Even if the latest run of a split failed, and an older one is its last success."""
    for job in ("build_dataset", "observe_sources", "verify_dataset"):
        for _ in range(2):
            platform.run(job, None if job.startswith("observe") else SPLIT)
    platform.spoil()
    platform.run("build_dataset")
    before, runs = pages(platform), {run.run_id for run in platform.instance.get_runs()}
    assert any("FAILED" in str(states) for states in before.values())
    superseded, shown = old(platform)
    assert superseded | shown == runs
    assert len(superseded) >= 2
    for run_id in superseded:
        platform.instance.delete_run(run_id)
    assert {run.run_id for run in platform.instance.get_runs()} == shown
    assert pages(platform) == before
    assert old(platform) == (set(), shown)


def test_the_only_record_of_a_failed_attempt_stays(platform: Platform) -> None:
    """The attempt was of an asset without checks, by a job that has run again since."""
    platform.run("build_dataset")
    failed = [platform.materialize(split, ["refusals"]).run_id for split in ("validation", "test")]
    runs = [platform.instance.get_run_by_id(run_id) for run_id in failed]
    assert [run.status for run in runs if run] == [dg.DagsterRunStatus.FAILURE] * 2
    assert old(platform)[1] >= {*failed}


@pytest.mark.slow
def test_the_job_deletes_nothing_by_default(platform: Platform, tmp_path: Path) -> None:
    place = station(tmp_path, platform.data.root)
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        for _ in range(2):
            assert run_split(platform.defs, instance, SPLIT).success
        before = contract(platform.settings.roots.sku_root)

        def clean(**config: object) -> tuple[str, int]:
            """Run the job; return its log and the number of builds that are left."""
            output = {"ops": {"delete_old_runs": {"config": {"keep_days": 0} | config}}}
            (tmp_path / "config.yaml").write_text(json.dumps(output))
            command = ("-m", "df2_assets.definitions", "-j", "clean_history", "-c", "config.yaml")
            done = place.dagster("job", "execute", *command)
            assert done.returncode == 0, done.stderr
            of_builds = dg.RunsFilter(job_name="build_dataset")
            return done.stderr, instance.get_runs_count(of_builds)

        output, left = clean()
        assert "Would delete 1 run " in output
        assert "1 run of the same age will stay" in output
        assert left == 2
        output, left = clean(dry_run=False)
        assert "Deleted 2 runs " in output  # the dry run of before as well
        assert left == 1
    assert contract(platform.settings.roots.sku_root) == before

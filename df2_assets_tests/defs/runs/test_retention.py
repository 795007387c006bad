"""The job `clean_history`: old runs go, and nothing that the UI shows goes with them."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest

from df2_assets.cli.runs import run_split
from df2_assets.definitions import build_defs
from df2_assets.defs.runs.retention import old_runs
from df2_assets_tests.support.site import QUIET, SPLIT, Site, write_and_build
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import station

SPLITS = ("train", "validation", "test")
LATER = timedelta(hours=1)


class History(NamedTuple):
    """A data set, and an instance that remembers what was done to it."""

    site: Site
    instance: dg.DagsterInstance

    @property
    def defs(self) -> dg.Definitions:
        return build_defs(self.site.settings)

    def run(self, job: str = "build_dataset", split: str | None = SPLIT) -> str:
        """Run a job, well or not; the run's id."""
        result = self.defs.resolve_job_def(job).execute_in_process(
            run_config=QUIET, instance=self.instance, partition_key=split, raise_on_error=False
        )
        return result.run_id

    def materialize(self, asset: str, split: str) -> str:
        """Materialize an asset alone, well or not; the run's id."""
        result = self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            run_config=QUIET,
            instance=self.instance,
            partition_key=split,
            asset_selection=[dg.AssetKey(asset)],
            raise_on_error=False,
        )
        return result.run_id

    def old(self, before: timedelta = LATER) -> tuple[set[str], set[str]]:
        """The ids of superseded runs and of shown ones among all that ended before then."""
        at = datetime.now(UTC) + before
        superseded, shown = old_runs(self.instance, self.defs.get_repository_def(), at)
        return {run.run_id for run in superseded}, {run.run_id for run in shown}

    def delete_superseded(self) -> None:
        for run_id in self.old()[0]:
            self.instance.delete_run(run_id)

    def shown(self) -> dict[str, object]:
        """What pages of the UI rest on: the latest of each asset and check, split by split."""
        graph, events = self.defs.resolve_asset_graph(), self.instance.event_log_storage
        found: dict[str, object] = {}
        for asset in graph.get_all_asset_keys():
            for split in SPLITS:
                of = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[split])
                made = self.instance.fetch_materializations(of, limit=1).records
                seen = self.instance.fetch_observations(of, limit=1).records
                found[f"{asset} {split}"] = [record.event_log_entry for record in [*made, *seen]]
            found[f"{asset} states"] = self.instance.get_status_by_partition(
                asset, SPLITS, dg.StaticPartitionsDefinition(SPLITS)
            )
        for check in graph.asset_check_keys:
            found[f"{check}"] = events.get_asset_check_execution_history(check, limit=1)
        return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return write_and_build(tmp_path_factory.mktemp("retention"))


@pytest.fixture
def history(built: Site, tmp_path: Path) -> Iterator[History]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield History(built.copy(tmp_path), instance)


def test_only_runs_that_ended_long_ago_are_old(history: History) -> None:
    first, second = history.run(), history.run()
    assert history.old() == ({first}, {second})
    assert history.old(-LATER) == (set(), set())


def test_a_run_that_has_not_ended_is_never_old(history: History) -> None:
    history.run()
    job = history.defs.resolve_job_def("build_dataset")
    waiting = history.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    history.run()
    superseded, shown = history.old()
    assert waiting.run_id not in superseded | shown
    assert len(superseded) == 1


def test_deleting_what_is_superseded_changes_nothing_that_the_ui_shows(history: History) -> None:
    """Also where the latest run of a split has failed, and an older one is its last success."""
    for job in ("build_dataset", "observe_sources", "verify_dataset"):
        for _ in range(2):
            history.run(job, None if job.startswith("observe") else SPLIT)
    for image in (11, 12, 13):
        history.site.annotation(image).write_bytes(b"{")
    history.run()
    before, runs = history.shown(), {run.run_id for run in history.instance.get_runs()}
    assert any("FAILED" in str(states) for states in before.values())
    superseded, shown = history.old()
    assert superseded | shown == runs
    assert len(superseded) >= 2
    history.delete_superseded()
    assert {run.run_id for run in history.instance.get_runs()} == shown
    assert history.shown() == before
    assert history.old() == (set(), shown)


def test_a_failed_attempt_that_nothing_else_tells_of_stays(history: History) -> None:
    """Of an asset without checks, by a job that has run again since."""
    history.run()
    failed = [history.materialize("refusals", split) for split in ("validation", "test")]
    runs = [history.instance.get_run_by_id(run_id) for run_id in failed]
    assert [run.status for run in runs if run] == [dg.DagsterRunStatus.FAILURE] * 2
    assert history.old()[1] >= {*failed}


def test_runs_of_others_on_the_same_instance_are_left_alone(history: History) -> None:
    @dg.op
    def theirs() -> None: ...

    @dg.job
    def their_job() -> None:
        theirs()

    done = their_job.execute_in_process(run_config=QUIET, instance=history.instance)
    history.run()
    assert done.run_id not in set.union(*history.old())


def test_the_job_deletes_nothing_until_it_is_told_to(built: Site, tmp_path: Path) -> None:
    place = station(tmp_path, built.data.root)
    shutil.copytree(built.sku, place.sku)
    before = contract(place.sku)
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        defs = build_defs(built.settings)
        for _ in range(2):
            assert run_split(defs, instance, SPLIT).success

        def clean(**config: object) -> tuple[str, int]:
            """What a run of the job says, and how many builds are left."""
            said = {"ops": {"delete_old_runs": {"config": {"keep_days": 0} | config}}}
            (tmp_path / "config.yaml").write_text(json.dumps(said))
            command = ("-m", "df2_assets.definitions", "-j", "clean_history", "-c", "config.yaml")
            done = place.dagster("job", "execute", *command)
            assert done.returncode == 0, done.stderr
            of_builds = dg.RunsFilter(job_name="build_dataset")
            return done.stderr, instance.get_runs_count(of_builds)

        said, left = clean()
        assert "Would delete 1 run " in said
        assert "1 run as old as that will stay" in said
        assert left == 2
        said, left = clean(dry_run=False)
        assert "Deleted 2 runs " in said  # the dry run of before as well
        assert left == 1
    assert contract(place.sku) == before

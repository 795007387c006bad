"""The queue: the split, data set and priority of a run before it starts."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.run_coordinator import SubmitRunContext

from df2_assets.definitions import build_defs
from df2_assets.defs.runs.coordinator import SPLIT_TAG
from df2_assets.defs.runs.history import is_run_of
from df2_assets.settings import Settings
from df2_assets_tests.support.processes import PROJECT
from df2_assets_tests.support.webserver import DEVELOPMENT

DEFS = dg.Definitions.merge(
    build_defs(Settings(), exports=()), build_defs(Settings(), key_prefix="street", exports=())
)
REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("garments"), "__repository__")
SELECTIONS = {"": dg.AssetKey("crops"), "street": dg.AssetKey(["street", "crops"])}


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    settings = yaml.safe_load(DEVELOPMENT.read_text())
    with dg.instance_for_test(overrides={"run_coordinator": settings["run_coordinator"]}) as made:
        yield made


def queued(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dict[str, str]:
    """Queue a run; return its tags."""
    instance.run_coordinator.submit_run(SubmitRunContext(run, workspace=None))  # type: ignore[arg-type]
    stored = instance.get_run_by_id(run.run_id)
    assert stored is not None
    assert stored.status == dg.DagsterRunStatus.QUEUED
    return dict(stored.tags)


def run(
    instance: dg.DagsterInstance, job: str, split: str, asset: dg.AssetKey | None = None
) -> dg.DagsterRun:
    """Return a run of a job or an asset, as the UI creates it."""
    if asset is not None:
        definition = DEFS.resolve_implicit_global_asset_job_def()
    else:
        definition = DEFS.resolve_job_def(job)
    return instance.create_run_for_job(
        definition,
        tags={**definition.run_tags, "dagster/partition": split},
        asset_selection=frozenset({asset}) if asset else None,
        remote_job_origin=RemoteJobOrigin(REPOSITORY, definition.name),
    )


def test_runs_of_one_split_exclude_each_other_and_those_of_two_data_sets_do_not(
    instance: dg.DagsterInstance,
) -> None:
    places: dict[str, set[str]] = {}
    for prefix, asset in SELECTIONS.items():
        names = (f"{prefix}_{job}".strip("_") for job in ("build_dataset", "verify_dataset"))
        runs = [run(instance, name, "train") for name in names]
        runs.append(run(instance, "", "train", asset))
        places[prefix] = {queued(instance, one)[SPLIT_TAG] for one in runs}
    assert places == {"": {"train"}, "street": {"street/train"}}


@pytest.mark.parametrize("file", [DEVELOPMENT, PROJECT / "deploy" / "dagster.yaml"])
def test_the_settings_of_dagster_limit_that_tag(file: Path) -> None:
    settings = yaml.safe_load(file.read_text())
    limits = settings["concurrency"]["runs"]["tag_concurrency_limits"]
    assert {limit["key"]: limit["limit"] for limit in limits}[SPLIT_TAG] == 1


@pytest.mark.slow
def test_the_smallest_split_comes_first_unless_a_run_has_a_priority(
    instance: dg.DagsterInstance,
) -> None:
    order = [
        int(queued(instance, run(instance, "build_dataset", split))["dagster/priority"])
        for split in ("test", "validation", "train")
    ]
    assert order == sorted(order, reverse=True)
    given = run(instance, "build_dataset", "train")
    instance.add_run_tags(given.run_id, {"dagster/priority": "9"})
    stored = instance.get_run_by_id(given.run_id)
    assert stored is not None
    assert queued(instance, stored)["dagster/priority"] == "9"


def test_a_run_belongs_to_one_data_set(instance: dg.DagsterInstance) -> None:
    graph = DEFS.resolve_asset_graph().get_all_asset_keys()
    jobs = {job.name for job in DEFS.get_repository_def().get_all_jobs()}
    own = {
        prefix: (
            {name for name in jobs if name.startswith("street_") == bool(prefix)},
            {key for key in graph if key.path[:-1] == ([prefix] if prefix else [])},
        )
        for prefix in SELECTIONS
    }
    for prefix, asset in SELECTIONS.items():
        for one in (
            run(instance, f"{prefix}_build_dataset".strip("_"), "train"),
            run(instance, "", "train", asset),
        ):
            assert {p for p in own if is_run_of(one, *own[p])} == {prefix}
    everything = instance.create_run_for_job(
        DEFS.resolve_implicit_global_asset_job_def(), asset_selection=frozenset(graph)
    )
    assert not any(is_run_of(everything, *of) for of in own.values())

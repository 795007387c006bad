"""Ray: a cluster by address, what it must not do, and what is refused before it starts."""

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from df2_assets.cli.runs import run_split
from df2_assets.definitions import build_defs
from df2_assets.defs.resources import EngineChoice
from df2_assets.engines import ray as ray_engines
from df2_assets.engines.base import R, S
from df2_assets.engines.make import require_usable
from df2_assets.engines.ray import RayEngine
from df2_assets.errors import SettingsError
from df2_assets.settings import Settings
from df2_assets_tests.engines import work
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import write_pairs
from df2_assets_tests.support.engines import build_with, two_nodes
from df2_assets_tests.support.run import build
from df2_assets_tests.support.site import only
from df2_assets_tests.support.snapshots import contract


@pytest.fixture
def cluster() -> Iterator[Any]:
    with two_nodes() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def df2_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("ray") / "df2", 96).root


@pytest.fixture(scope="module")
def expected(df2_root: Path) -> dict[str, bytes | None]:
    """What processes of this machine build."""
    sku_root = df2_root.with_name("local")
    only(build(df2_root, sku_root))
    return contract(sku_root)


@pytest.mark.ray
def test_a_worker_with_other_software_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engines, "_software", lambda: "df2-assets 9.9 and Pillow 1.0")
    with (
        closing(RayEngine(workers=1)) as engine,
        pytest.raises(SettingsError, match=r"has df2-assets .*, not df2-assets 9\.9 and Pillow"),
        closing(engine.map(work.square, [1])) as results,
    ):
        list(results)


@pytest.mark.ray
def test_maps_that_are_closed_just_when_shards_end_do_not_end_the_program(tmp_path: Path) -> None:
    program = """
from contextlib import closing
from df2_assets.engines.ray import RayEngine
from df2_assets_tests.engines import work
with closing(RayEngine(workers=2)) as engine:
    for _ in range(100):
        with closing(engine.map(work.square, range(100))) as results:
            next(results)
"""
    env = processes.environment(tmp_path, PYTHONPATH=processes.PROJECT)
    done = processes.run((sys.executable, "-c", program), env, tmp_path)
    assert done.returncode == 0, done


@pytest.mark.ray
def test_a_build_outlives_a_node_of_its_cluster(
    cluster: Any,
    df2_root: Path,
    expected: dict[str, bytes | None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (node,) = cluster.worker_nodes
    (raylet,) = (one.process.pid for one in node.all_processes["raylet"])

    class Losing(RayEngine):
        """Loses the second node when that is at work, with shards left to be handed out."""

        def map(self, function: Callable[[S], R], shards: Iterable[S]) -> Any:
            return super().map(function, self._lost_on_the_way(shards))

        def _lost_on_the_way(self, shards: Iterable[S]) -> Iterator[S]:
            for number, shard in enumerate(shards):
                if number == 4 and cluster.worker_nodes:
                    processes.wait_until(lambda: processes.workers(raylet))
                    cluster.remove_node(node, allow_graceful=False)
                yield shard

    settings = Settings(df2_root=df2_root, sku_root=str(tmp_path / "ray"))
    with closing(Losing(cluster.address, workers=2)) as engine:
        with closing(engine.map(time.sleep, [2, 2])) as results:
            list(results)  # so that a worker of each node is there
        outcome = build_with(engine, settings, "train")
    assert outcome.success, outcome.problems
    assert not cluster.worker_nodes
    assert "Its shard runs again later, alone: " in caplog.text
    assert contract(tmp_path / "ray") == expected


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dagster-ray's own
def test_a_run_uses_the_connection_of_a_resource_of_dagster_ray_as_it_comes(
    df2_root: Path, expected: dict[str, bytes | None], tmp_path: Path
) -> None:
    pytest.importorskip("dagster_ray", reason="needs the ray extra")
    from dagster_ray import LocalRay

    class OnLocalRay(EngineChoice):
        cluster: LocalRay

    local_ray = LocalRay(ray_init_options={"num_cpus": 2})
    override = {"engine": OnLocalRay(kind="ray", workers=2, cluster=local_ray)}
    settings = Settings(df2_root=df2_root, sku_root=str(tmp_path / "ray"))
    with dg.DagsterInstance.ephemeral() as instance:
        defs = build_defs(settings, resource_overrides=override)
        outcome = run_split(defs, instance, "train")
    assert outcome.success, outcome.problems
    assert contract(tmp_path / "ray") == expected


@pytest.mark.ray
def test_a_killed_program_leaves_no_task_on_its_cluster(cluster: Any, tmp_path: Path) -> None:
    program = f"""
from df2_assets.engines.ray import RayEngine
from df2_assets_tests.engines import work
list(RayEngine("{cluster.address}").map(work.tell_pid_and_stay, ["{tmp_path}/pid"]))
"""
    env = processes.environment(tmp_path, PYTHONPATH=processes.PROJECT)
    with processes.start((sys.executable, "-c", program), env, tmp_path) as started:
        note = tmp_path / "pid"
        processes.wait_until(lambda: note.exists() and bool(note.read_text()), started)
        pid = int(note.read_text())
        started.signal(signal.SIGKILL)
        started.end()
    processes.assert_gone([pid])
    assert cluster.remaining_processes_alive()


@pytest.mark.ray
@pytest.mark.parametrize("address", ["cluster", "cluster:x", "http://127.0.0.1:1", "127.0.0.1:1"])
def test_a_cluster_that_does_not_answer_is_refused_before_a_run_starts(
    address: str, df2_root: Path, tmp_path: Path
) -> None:
    settings = {"DF2_ROOT": df2_root, "SKU_ROOT": tmp_path / "sku", "DF2_ENGINE": "ray"}
    env = processes.environment(tmp_path / "home", **settings, RAY_ADDRESS=address)
    done = processes.run((*processes.DF2_ASSETS, "build", "--split", "train"), env, tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "RAY_ADDRESS" in done.stderr
    assert address in done.stderr
    assert not (tmp_path / "home").exists()
    assert not (tmp_path / "sku").exists()


@pytest.mark.ray
def test_run_config_chooses_the_engine_and_a_run_that_cannot_have_it_says_so(
    df2_root: Path, tmp_path: Path
) -> None:
    defs = build_defs(Settings(df2_root=df2_root, sku_root=str(tmp_path / "sku")))
    config = {"kind": "ray", "workers": 1, "address": "127.0.0.1:1"}
    with dg.DagsterInstance.ephemeral() as instance:
        done = defs.resolve_job_def("build_dataset").execute_in_process(
            run_config={"resources": {"engine": {"config": config}}},
            instance=instance,
            partition_key="train",
            raise_on_error=False,
        )
    assert not done.success
    said = [str(event.event_specific_data) for event in done.all_events if event.is_failure]
    assert any("No Ray answers at RAY_ADDRESS (127.0.0.1:1)" in text for text in said)


def test_without_the_extra_ray_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray_engines, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'df2-assets\[ray\]'"):
        require_usable("ray")

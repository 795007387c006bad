"""Engines that observe or disturb a build, in place of the platform's own."""

import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest

from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.defs.resources import EngineChoice
from df2_assets.engines.base import Engine, Lost, R, S
from df2_assets.engines.serial import SerialEngine
from df2_assets.settings import Settings
from df2_assets_tests.support.processes import PROJECT


class Observing(SerialEngine):
    """An engine that calls `look` before each shard."""

    def __init__(self, look: Callable[[], object]) -> None:
        self.look = look

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, Any], None, None]:
        for shard in shards:
            self.look()
            yield shard, function(shard)


class Deadly(SerialEngine):
    """An engine that loses each shard with a certain image, as if the decoder crashed on it."""

    def __init__(self, image_id: str, kind: type[tuple[Any, ...]]) -> None:
        self.image_id = image_id
        self.kind = kind

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, Any], None, None]:
        for shard in shards:
            if isinstance(shard, self.kind) and any(self.image_id in str(i) for i in shard[-1]):
                yield shard, Lost("a worker was killed (SIGSEGV)")
            else:
                yield shard, function(shard)


@contextmanager
def two_nodes() -> Iterator[Any]:
    """Start a Ray cluster of two nodes with one core each, all on 127.0.0.1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(PROJECT))
        cluster_utils = pytest.importorskip("ray.cluster_utils", reason="needs the ray extra")
        node = {"num_cpus": 1, "include_dashboard": False}
        with tempfile.TemporaryDirectory(prefix="df2-ray-test-") as folder:
            cluster = cluster_utils.Cluster(
                initialize_head=True, head_node_args={**node, "temp_dir": folder}
            )
            try:
                cluster.add_node(num_cpus=1)
                yield cluster
            finally:
                cluster.shutdown()


def raylets(cluster: Any) -> list[int]:
    """Return the processes that start the workers of a cluster, one per node."""
    nodes = [cluster.head_node, *cluster.worker_nodes]
    return [one.process.pid for node in nodes for one in node.all_processes["raylet"]]


def build_with(engine: Engine, settings: Settings, split: str) -> Outcome:
    """Build a split on another engine than that of the settings."""

    class Choice(EngineChoice):
        def start(self) -> Engine:
            return engine

    override = {"engine": Choice(kind="local", workers=1)}
    with dg.DagsterInstance.ephemeral() as instance:
        return run_split(build_defs(settings, resource_overrides=override), instance, split)


def build_while(settings: Settings, split: str, look: Callable[[], object]) -> Outcome:
    """Build a split, and call `look` repeatedly while it is built."""
    return build_with(Observing(look), settings, split)

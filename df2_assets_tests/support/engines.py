"""Engines that do more than they should, put in place of the platform's own."""

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import dagster as dg

from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.engines.base import Engine, Lost, R, S
from df2_assets.engines.local import LocalEngine
from df2_assets.pipeline.cutting import Shard
from df2_assets.resources import EngineChoice
from df2_assets.settings import Settings


class Observing(LocalEngine):
    """Calls `look` before each shard."""

    def __init__(self, look: Callable[[], object]) -> None:
        super().__init__(1)
        self.look = look

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, Any], None, None]:
        return super().map(function, self._looked_at(shards))

    def _looked_at(self, shards: Iterable[S]) -> Iterator[S]:
        for shard in shards:
            self.look()
            yield shard


class Deadly(LocalEngine):
    """Loses each shard of crops that has a certain image, as when the decoder crashes on it."""

    def __init__(self, image_id: str) -> None:
        super().__init__(2)
        self.name = f"/{image_id}.jpg"

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, Any], None, None]:
        for shard in shards:
            if isinstance(shard, Shard) and any(i.path.endswith(self.name) for i in shard.images):
                yield shard, Lost("a worker was killed (SIGSEGV)")
            else:
                yield from super().map(function, [shard])


def build_with(engine: Engine, settings: Settings, split: str) -> Outcome:
    """Build a split on an engine that is not the settings' own."""

    class Choice(EngineChoice):
        def start(self) -> Engine:
            return engine

    override = {"engine": Choice(kind="local", workers=1)}
    with dg.DagsterInstance.ephemeral() as instance:
        return run_split(build_defs(settings, resource_overrides=override), instance, split)


def build_while(settings: Settings, split: str, look: Callable[[], object]) -> Outcome:
    """Build a split, and call `look` again and again while it is built."""
    return build_with(Observing(look), settings, split)

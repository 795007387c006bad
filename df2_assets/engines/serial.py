"""The engine that runs one shard after the other in this process."""

from collections.abc import Callable, Generator, Iterable

from df2_assets.engines.base import Engine, Lost, R, S


class SerialEngine:
    """An engine for debugging, for tests, and for machines that allow no worker processes.

    A shard that crashes its process ends the whole build.
    """

    workers = 1

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        """See `Engine.map`."""
        for shard in shards:
            yield shard, function(shard)

    def for_models(self) -> Engine:
        """See `Engine.for_models`."""
        return self

    def close(self) -> None:
        """See `Engine.close`. There are no workers to end."""

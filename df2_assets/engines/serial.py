"""One shard after the other in this process: no other process, no shared memory."""

from collections.abc import Callable, Generator, Iterable

from df2_assets.engines.base import Lost, R, S


class SerialEngine:
    """For debugging, for tests, and for machines that allow no worker processes.

    Nothing stands between a shard and this process: a shard that ends its process ends the build.
    """

    workers = 1

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        """See `Engine.map`."""
        for shard in shards:
            yield shard, function(shard)

    def close(self) -> None:
        """See `Engine.close`: there is nothing to end."""

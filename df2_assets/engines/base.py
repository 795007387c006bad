"""The interface of all engines: map a function over shards, and lose none silently."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from df2_assets.errors import escape_untrusted

S = TypeVar("S")
R = TypeVar("R")

_LABEL: Final = 200


@dataclass(frozen=True)
class Lost:
    """A shard whose worker died each time it ran, also alone; `cause` says how."""

    cause: str


class Engine(Protocol):
    """Runs shards, as a rule in other processes, which do not import Dagster."""

    @property
    def workers(self) -> int:
        """The number of shards that run at the same time."""

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        """Yield each shard with its result, in the order in which they finish.

        Only a few shards are taken in advance. An exception of `function` ends the map and is
        raised here. The caller closes the iterator (`contextlib.closing`), which ends the workers
        if the map is not finished.
        """

    def for_models(self) -> "Engine":
        """Return an engine for functions that keep a large model in memory.

        On this machine, it runs threads of this process. On Ray, each shard has a GPU for itself
        where the cluster has any. It ends with this engine.
        """

    def close(self) -> None:
        """End the workers. A later map starts new ones."""


def describe_shard(shard: object) -> str:
    """Return a description of a shard for the log: the number of items, the first and the last."""
    items = shard[-1] if isinstance(shard, tuple) and shard and isinstance(shard[-1], list) else []
    if not items:
        return escape_untrusted(str(shard), _LABEL)
    ends = [escape_untrusted(str(item), _LABEL) for item in (items[0], items[-1])]
    return ends[0] if len(items) == 1 else f"{len(items)} from {ends[0]} to {ends[1]}"

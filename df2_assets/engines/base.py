"""What every engine does: map a function over shards, in any order, losing none silently."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from df2_assets.errors import escape_untrusted

S = TypeVar("S")
R = TypeVar("R")

_LABEL: Final = 200


@dataclass(frozen=True)
class Lost:
    """A shard that ended its worker each time it ran, also alone; `cause` says how."""

    cause: str


class Engine(Protocol):
    """Runs shards in other processes that do not import Dagster."""

    @property
    def workers(self) -> int:
        """How many shards run at once."""

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        """Yield each shard with its result as it finishes, a few shards in flight.

        An exception of `function` ends the map and is raised here. A caller closes the iterator
        (`contextlib.closing`): that ends the workers where the map is not finished.
        """

    def close(self) -> None:
        """End the workers; a later map starts others."""


def label(shard: object) -> str:
    """What a shard is made of, for the log: how many items, the first and the last of them."""
    items = shard[-1] if isinstance(shard, tuple) and shard and isinstance(shard[-1], list) else []
    if not items:
        return escape_untrusted(str(shard), _LABEL)
    ends = [escape_untrusted(str(item), _LABEL) for item in (items[0], items[-1])]
    return ends[0] if len(items) == 1 else f"{len(items)} from {ends[0]} to {ends[1]}"

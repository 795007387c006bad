"""What every engine does: map a function over shards, in any order, losing none silently."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

S = TypeVar("S")
R = TypeVar("R")


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

"""Many requests under way together, with what they give in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from df2_assets.store.objects.client import AT_ONCE

S = TypeVar("S")
T = TypeVar("T")


def each(function: Callable[[S], T], given: Iterable[S]) -> Iterator[T]:
    """`function` of each, in order, a few ahead of what is asked for."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ahead: deque[Future[T]] = deque()
        try:
            for one in given:
                ahead.append(pool.submit(function, one))
                if len(ahead) >= 2 * AT_ONCE:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()

"""How far a step is: a bar on a terminal, a log line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tqdm import tqdm

Advance = Callable[[int], object]

_LOG_SECONDS = 10.0


Progress = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Opens a step: what it does, how many units, their name. The block is given `Advance`."""


@contextmanager
def bar(what: str, total: int, unit: str) -> Iterator[Advance]:
    """A tqdm bar on standard error."""
    with tqdm(total=total, desc=what, unit=f" {unit}", leave=False, dynamic_ncols=True) as shown:
        yield shown.update


@contextmanager
def silent(what: str, total: int, unit: str) -> Iterator[Advance]:
    """Nothing is shown."""
    yield lambda units: None


def lines(log: Callable[[str], object]) -> Progress:
    """Lines with the share done, the rate and the time left, at most one in ten seconds."""

    @contextmanager
    def step(what: str, total: int, unit: str) -> Iterator[Advance]:
        start = last = time.monotonic()
        done = 0

        def advance(units: int) -> None:
            nonlocal done, last
            done += units
            now = time.monotonic()
            if now - last >= _LOG_SECONDS:
                last = now
                rate = done / (now - start)
                left = (total - done) / rate
                log(f"{what}: {done} of {total} {unit}, {rate:.0f}/s, {left:.0f} s left")

        yield advance

    return step

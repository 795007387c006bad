"""The progress of a step: a bar on a terminal, or a line in the log now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tqdm import tqdm

Advance = Callable[[int], object]

_LOG_SECONDS = 10.0


Progress = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Opens a step with a title, the number of units, and their name; yields an `Advance`."""


@contextmanager
def bar(what: str, total: int, unit: str) -> Iterator[Advance]:
    """Show a tqdm bar on standard error."""
    with tqdm(total=total, desc=what, unit=f" {unit}", leave=False, dynamic_ncols=True) as shown:
        yield shown.update


@contextmanager
def silent(what: str, total: int, unit: str) -> Iterator[Advance]:
    """Show nothing."""
    yield lambda units: None


def lines(log: Callable[[str], object]) -> Progress:
    """Return a Progress that logs the units done, the rate and the time left every ten seconds."""

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

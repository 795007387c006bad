"""What ends a run, as Dagster shows it: first the cause and what to do, or what was kept."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from df2_assets.checks.finding import number_of
from df2_assets.defs.metadata import ALL_OFFENDERS, FIRST_OFFENDERS, IN_COMMON
from df2_assets.errors import Df2Error, explain_os_error
from df2_assets.store import journal
from df2_assets.store.layout import Roots


class Failure(dg.Failure, dg.DagsterError):
    """A failure that Dagster passes on as it is.

    Being a DagsterError, it is not wrapped in an error that only names the resource or step.
    """


class CheckFailure(Failure):
    """A failed check that holds back what follows."""


def with_offenders(check: dg.AssetCheckResult | dg.AssetCheckEvaluation) -> str:
    """Return the summary of a check, its first offender, and where all of them are."""
    metadata = check.metadata or {}
    parts = [str(check.description)]
    offenders = metadata.get(FIRST_OFFENDERS)
    if isinstance(offenders, dg.TableMetadataValue) and offenders.records:
        facts = [f"{name} {value}" for name, value in offenders.records[0].data.items() if value]
        if in_common := metadata.get(IN_COMMON):
            facts.append(str(getattr(in_common, "value", in_common)))
        parts.append(f"The first: {', '.join(facts)}.")
    if isinstance(path := metadata.get(ALL_OFFENDERS), dg.PathMetadataValue):
        parts.append(f"All of them, in SKU_ROOT: {path.value}")
    return " ".join(parts)


@contextmanager
def explained() -> Iterator[None]:
    """Turn a Df2Error or OSError into a Failure with its message, which is not retried.

    A person has to mend what it says.
    """
    try:
        yield
    except Df2Error as error:
        notes = getattr(error, "__notes__", ())
        raise Failure("\n".join([str(error), *notes]), allow_retries=False) from error
    except OSError as error:
        raise Failure(str(explain_os_error(error)), allow_retries=False) from error


@contextmanager
def kept_when_stopped(roots: Roots, split: str, asset: str) -> Iterator[None]:
    """Have an interrupt of a step say how many new crops of the split are finished and kept."""
    try:
        yield
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as interrupt:
        crops = sum(row.reason is None for row in journal.read(roots, split))
        raise type(interrupt)(
            f"{asset} of {split} was stopped: {number_of(crops, 'new crop')} of {split} "
            f"{'is' if crops == 1 else 'are'} finished and kept. The next build goes on from there."
        ) from None

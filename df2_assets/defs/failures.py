"""Failures as Dagster shows them: the cause comes first, then what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from df2_assets.checks.finding import number_of
from df2_assets.defs.metadata import ALL_OFFENDERS, FIRST_OFFENDERS, IN_COMMON, describe_offender
from df2_assets.errors import Df2Error, explain_os_error
from df2_assets.store import journal
from df2_assets.store.crop_sets import contract_crops, variant_crops
from df2_assets.store.layout import CROP_VARIANTS, Roots
from df2_assets.store.variants import list_names


class Failure(dg.Failure, dg.DagsterError):
    """A failure that Dagster shows as it is.

    Dagster does not wrap a DagsterError in an error that only names the resource or step.
    """


class CheckFailure(Failure):
    """A failed blocking check, which holds back everything downstream in the run."""


@dataclass(frozen=True)
class Offenders:
    """The offenders of a check: how many, the `first` ones as text, and the file that lists all.

    `file` is relative to SKU_ROOT.
    """

    count: int
    first: list[str]
    file: str


def find_offenders(
    check: dg.AssetCheckResult | dg.AssetCheckEvaluation, limit: int = 3
) -> Offenders | None:
    """Return the offenders that an evaluation has in its metadata; None if it has none."""
    metadata = check.metadata or {}
    table, path = metadata.get(FIRST_OFFENDERS), metadata.get(ALL_OFFENDERS)
    if not isinstance(table, dg.TableMetadataValue) or not isinstance(path, dg.PathMetadataValue):
        return None
    in_common = metadata.get(IN_COMMON)
    common = [str(getattr(in_common, "value", in_common))] if in_common else []
    first = [", ".join([describe_offender(row.data), *common]) for row in table.records[:limit]]
    count: Any = metadata["offenders"]
    return Offenders(int(getattr(count, "value", count)), first, path.value or "")


def describe_failure(check: dg.AssetCheckResult | dg.AssetCheckEvaluation) -> str:
    """Return the summary of a check, its first offender, and the file that lists all of them."""
    offenders = find_offenders(check)
    if offenders is None:
        return str(check.description)
    return (
        f"{check.description} First offender: {offenders.first[0]}. "
        f"All offenders, in SKU_ROOT: {offenders.file}"
    )


@contextmanager
def convert_errors() -> Iterator[None]:
    """Convert a Df2Error or OSError into a Failure with the same message.

    It is not retried: only a person can fix the cause.
    """
    try:
        yield
    except Df2Error as error:
        notes = getattr(error, "__notes__", ())
        raise Failure("\n".join([str(error), *notes]), allow_retries=False) from error
    except OSError as error:
        raise Failure(str(explain_os_error(error)), allow_retries=False) from error


@contextmanager
def report_kept_crops(roots: Roots, split: str, asset: str) -> Iterator[None]:
    """Add to an interrupt of a step how many new crops of the split are finished and kept.

    For the crop variants, these are the files of all variants.
    """
    try:
        yield
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as interrupt:
        sets, what, run = [contract_crops(split)], "new crop", "build"
        if asset == CROP_VARIANTS:
            names = list_names(roots, split)
            sets = [variant_crops(roots, split, name) for name in names]
            what, run = "new file", "run"
        kept = sum(row.reason is None for crops in sets for row in journal.read(roots, crops))
        raise type(interrupt)(
            f"{asset} of {split} was stopped: {number_of(kept, what)} of {split} "
            f"{'is' if kept == 1 else 'are'} finished and kept. "
            f"The next {run} continues from there."
        ) from None

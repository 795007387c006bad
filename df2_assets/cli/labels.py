"""`df2-assets labels`: masks and landmarks of the crops of built splits."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    built_splits,
    json_option,
    setting_options,
    settings_for,
    splits_option,
    workers_option,
)

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome

_COLUMNS = ("crops", "masks", "landmarks", "refused", "annotations_read")


@click.command()
@setting_options("df2_root", "sku_root")
@splits_option
@workers_option
@json_option
def labels(names: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Read masks and landmarks of the crops of the built splits.

    \b
    Example: df2-assets labels --split validation

    They are written to the table labels of each split, one row per crop. Only annotations that
    changed are read again. A mask or landmarks that cannot be used are listed with a reason; the
    crop stays. The exit code is 1 if a run or a check failed.
    """
    from df2_assets.cli.runs import report_runs, run_all

    settings = settings_for(names, workers, starts_engine=True)
    settings = replace(settings, splits=built_splits(settings, named=bool(names)))
    outcomes = run_all(settings, "build_labels")
    is_same = not any(outcome.changed for outcome in outcomes) and all(o.success for o in outcomes)
    summary = ["Everything is up to date."] if is_same else []
    tables = settings.roots.tables("labels")
    report_runs(outcomes, as_json, map(_row, outcomes), [*summary, f"Tables: {tables}"])


def _row(outcome: "Outcome") -> dict[str, object]:
    numbers = outcome.numbers.get("labels", {})
    return {
        "split": outcome.split,
        **{name.replace("_", " "): numbers.get(name, "-") for name in _COLUMNS},
        **outcome.check_counts,
    }

"""`df2-assets labels`: masks and landmarks of the crops of built splits."""

from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    setting_options,
    settings_for_built,
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
    from df2_assets.cli.runs import describe_no_change, report_runs, run_all

    settings = settings_for_built(names, workers, starts_engine=True)
    outcomes = run_all(settings, "build_labels")
    summary = [*describe_no_change(outcomes), f"Tables: {settings.roots.tables('labels')}"]
    report_runs(outcomes, as_json, map(_row, outcomes), summary)


def _row(outcome: "Outcome") -> dict[str, object]:
    numbers = outcome.numbers.get("labels", {})
    return {
        "split": outcome.split,
        **{name.replace("_", " "): numbers.get(name, "-") for name in _COLUMNS},
        **outcome.check_counts,
    }

"""`df2-assets build`: build the whole data set with one command."""

from typing import TYPE_CHECKING, Any

import click

from df2_assets.cli.options import (
    json_option,
    setting_options,
    settings_for,
    splits_option,
    workers_option,
)
from df2_assets.cli.plan import plan
from df2_assets.cli.refusals import FIRST_OF_EACH, records, refusal_lines
from df2_assets.settings import parse_splits

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome
    from df2_assets.store.layout import Roots


@click.command()
@setting_options("df2_root", "sku_root", "only_pairs", "prompts", "sku_token", "captions")
@splits_option
@workers_option
@click.option("--dry-run", is_flag=True, help="Show the plan, as `df2-assets plan`.")
@json_option
@click.pass_context
def build(
    context: click.Context,
    names: tuple[str, ...],
    workers: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring crops, metadata and prompts up to date, with every check.

    \b
    Example: df2-assets build --split train --workers 8

    The exit status is 1 if a run or a check with severity ERROR failed.
    """
    if dry_run:
        context.invoke(plan, names=names, workers=workers, as_json=as_json)
        return

    from df2_assets.store.layout import require_input

    settings = settings_for(names, workers, starts_engine=True)
    for split in settings.splits:
        require_input(settings.roots, split)

    from df2_assets.cli.instance import with_places
    from df2_assets.cli.runs import describe_no_change, report_runs, run_all

    outcomes = run_all(settings)
    refusals = {outcome.split: _first_refusals(settings.roots, outcome) for outcome in outcomes}
    summary = describe_no_change(outcomes)
    if rows := [row for of_split in refusals.values() for row in of_split]:
        split_options = "".join(f" --split {split}" for split in parse_splits(names))
        summary.append("The first refusal for each reason:")
        summary += (f"  {line}" for line in refusal_lines(rows, FIRST_OF_EACH))
        summary.append(f"All of them: df2-assets refusals{split_options}")
    summary.append(f"Files: {settings.roots.sku_root}")
    ui = with_places("df2-assets ui", settings.roots)
    summary.append(f"To see runs, checks and pictures: {ui}")
    more = {split: {"refused": of_split} for split, of_split in refusals.items()}
    report_runs(outcomes, as_json, map(_row, outcomes), summary, more)


def _first_refusals(roots: "Roots", outcome: "Outcome") -> list[dict[str, Any]]:
    """Return the first refusal of the split for each reason, if the run read annotations."""
    from df2_assets.explanation.refusals import first_of_each_reason, read_refusals

    if "raw_annotation_index" not in outcome.numbers:
        return []
    return records(first_of_each_reason(read_refusals(roots, outcome.split))[[*FIRST_OF_EACH]])


def _row(outcome: "Outcome") -> dict[str, object]:
    """Return the row of the summary table for a split."""
    metadata = outcome.numbers.get("sku_metadata", {})
    crops = outcome.numbers.get("crops")
    # A run that a failed check ended early has not written the table of all refusals.
    refused = outcome.numbers.get("refusals") or outcome.numbers.get("raw_annotation_index", {})
    return {
        "split": outcome.split,
        "SKUs": metadata.get("skus", "-"),
        "crops": metadata.get("crops", "-"),
        "made": crops["added"] + crops["remade"] if crops else "-",
        "refused": refused.get("refused", "-"),
        **outcome.check_counts,
    }

"""`df2-assets build`: the whole data set from one command."""

from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    setting_options,
    settings_for,
    splits_option,
    workers_option,
)
from df2_assets.cli.plan import plan

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome


@click.command()
@setting_options("df2_root", "sku_root", "prompts")
@splits_option
@workers_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, as `df2-assets plan` does.")
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

    Ends with 1 where a run failed, or a check with severity ERROR did.
    """
    if dry_run:
        context.invoke(plan, names=names, workers=workers, as_json=as_json)
        return

    from df2_assets.store.layout import require_input

    settings = settings_for(names, workers, starts_engine=True)
    for split in settings.splits:
        require_input(settings.roots, split)

    from df2_assets.cli.runs import report_runs, run_all

    outcomes = run_all(settings)
    changed = any(outcome.changed or not outcome.success for outcome in outcomes)
    summary = [] if changed else ["Everything is up to date."]
    summary.append(f"Files: {settings.roots.sku_root}")
    summary.append("To see runs, checks and pictures: make ui")
    report_runs(outcomes, as_json, map(_row, outcomes), summary)


def _row(outcome: "Outcome") -> dict[str, object]:
    metadata = outcome.numbers.get("sku_metadata", {})
    crops = outcome.numbers.get("crops")
    return {
        "split": outcome.split,
        "SKUs": metadata.get("skus", "-"),
        "crops": metadata.get("crops", "-"),
        "made": crops["added"] + crops["remade"] if crops else "-",
        "refused": outcome.numbers.get("refusals", {}).get("refused", "-"),
        **outcome.counts,
    }

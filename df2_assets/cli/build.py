"""`df2-assets build`: the whole data set from one command."""

from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import json_option, settings_for, splits_option, workers_option

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome


@click.command()
@splits_option
@workers_option
@json_option
def build(names: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Bring crops, metadata and prompts up to date, with every check.

    \b
    Example: df2-assets build --split train --workers 8

    Ends with 1 where a run failed, or a check with severity ERROR did.
    """
    from df2_assets.store.layout import require_input

    settings = settings_for(names, workers, starts_engine=True)
    for split in settings.splits:
        require_input(settings.roots, split)

    from df2_assets.cli.instance import with_places
    from df2_assets.cli.runs import report_runs, run_all

    outcomes = run_all(settings)
    changed = any(outcome.changed or not outcome.success for outcome in outcomes)
    summary = [] if changed else ["Everything is up to date."]
    summary.append(f"Files: {settings.roots.sku_root}")
    ui = with_places("df2-assets ui", settings.roots)
    summary.append(f"To see runs, checks and pictures: {ui}")
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

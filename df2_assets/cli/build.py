"""`df2-assets build`: the whole data set from one command."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    refuse_unusable_engine,
    say,
    say_json,
    say_problems,
    settings_for,
    splits_option,
    workers_option,
)

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

    settings = settings_for(names, workers)
    refuse_unusable_engine(settings)
    for split in settings.splits:
        require_input(settings.roots, split)

    from df2_assets.cli.runs import run_all

    outcomes = run_all(settings)
    if as_json:
        say_json({"splits": [asdict(outcome) for outcome in outcomes]})
    else:
        _report(outcomes, str(settings.roots.sku_root))
    if not all(outcome.well for outcome in outcomes):
        raise SystemExit(1)


def _report(outcomes: "list[Outcome]", sku_root: str) -> None:
    say(
        f"{'split':<11}{'SKUs':>7}{'crops':>9}{'made':>9}{'refused':>9}"
        f"{'passed':>9}{'warned':>8}{'failed':>8}  checks"
    )
    for outcome in outcomes:
        made = outcome.numbers.get("sku_metadata", {})
        crops = outcome.numbers.get("crops", {})
        refused = outcome.numbers.get("refusals", {}).get("refused", "-")
        new = crops["added"] + crops["remade"] if crops else "-"
        say(
            f"{outcome.split:<11}{made.get('skus', '-'):>7}{made.get('crops', '-'):>9}{new:>9}"
            f"{refused:>9}{len(outcome.passed):>9}{len(outcome.warned):>8}{len(outcome.failed):>8}"
        )
    for outcome in outcomes:
        for note in outcome.notes:
            say(f"note: {outcome.split}: {note}")
        for warning in outcome.warned:
            say(f"warning: {outcome.split}: {warning}")
        say_problems(outcome)
    if all(outcome.success and not outcome.changed for outcome in outcomes):
        say("Everything is up to date.")
    say(f"Files: {sku_root}")
    say("Runs, checks and pictures: make ui, or dagster dev with the same DAGSTER_HOME.")

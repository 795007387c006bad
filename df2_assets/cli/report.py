"""`df2-assets report`: the data set as pages to look at."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    built_splits,
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
@click.option("--open", "show", is_flag=True, help="Open the first gallery in a browser.")
@json_option
def report(names: tuple[str, ...], workers: int | None, show: bool, as_json: bool) -> None:
    """Look at every crop, and write a gallery of each split that was built.

    \b
    Example: df2-assets report --split validation --open

    Crops that were looked at before are not opened again, and thumbnails are drawn once. Ends with
    1 where a run failed.
    """
    settings = settings_for(names, workers)
    refuse_unusable_engine(settings)
    settings = dataclasses.replace(settings, splits=built_splits(settings, named=bool(names)))

    from df2_assets.cli.runs import run_all

    outcomes = run_all(settings, "refresh_reports")
    pages = {outcome.split: settings.roots.gallery(outcome.split) for outcome in outcomes}
    if as_json:
        listed = [dataclasses.asdict(one) | {"page": str(pages[one.split])} for one in outcomes]
        say_json({"splits": listed})
    else:
        _report(outcomes, pages)
    if not all(outcome.well for outcome in outcomes):
        raise SystemExit(1)
    if show:
        click.launch(pages[settings.splits[0]].as_uri())


def _report(outcomes: "list[Outcome]", pages: dict[str, Path]) -> None:
    say(f"{'split':<11}{'SKUs':>7}{'crops':>9}{'opened':>9}{'passed':>9}{'warned':>8}  checks")
    for outcome in outcomes:
        quality = outcome.numbers.get("crop_quality", {})
        skus = outcome.numbers.get("gallery", {}).get("paired_skus", "-")
        say(
            f"{outcome.split:<11}{skus:>7}{quality.get('crops', '-'):>9}"
            f"{quality.get('crops_opened', '-'):>9}{len(outcome.passed):>9}{len(outcome.warned):>8}"
        )
    for outcome in outcomes:
        for warning in outcome.warned:
            say(f"warning: {outcome.split}: {warning}")
        say_problems(outcome)
    for outcome in reversed(outcomes):
        if outcome.success:
            say(f"Gallery of {outcome.split}: {pages[outcome.split]}")

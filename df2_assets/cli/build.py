"""`df2-assets build`: the whole data set from one command."""

import dataclasses
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome


@click.command()
@click.option("--split", "names", multiple=True, help="Only this split; may be given repeatedly.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes; default one a core.")
def build(names: tuple[str, ...], workers: int | None) -> None:
    """Bring crops, metadata and prompts up to date, with every check.

    \b
    Example: DF2_ROOT=/data/DeepFashion2 SKU_ROOT=/data/skus df2-assets build --split train
    """
    from df2_assets.settings import parse_splits, read_settings
    from df2_assets.store.layout import refuse_dangerous, refuse_missing

    settings = read_settings()
    if names:
        settings = dataclasses.replace(settings, splits=parse_splits(list(names)))
    if workers:
        settings = dataclasses.replace(settings, workers=workers)
    refuse_dangerous(settings.roots)
    for split in settings.splits:
        refuse_missing(settings.roots, split)

    from df2_assets.cli.instance import open_instance
    from df2_assets.cli.runs import run_split
    from df2_assets.definitions import build_defs
    from df2_assets.resources import ProgressChoice

    progress = ProgressChoice(terminal=sys.stderr.isatty())
    defs = build_defs(settings, resource_overrides={"progress": progress})
    with open_instance() as instance:
        outcomes = [run_split(defs, instance, split) for split in settings.splits]
    _report(outcomes, str(settings.roots.sku_root))
    if not all(outcome.success and not outcome.failed for outcome in outcomes):
        raise SystemExit(1)


def _report(outcomes: "list[Outcome]", sku_root: str) -> None:
    click.echo(
        f"{'split':<11}{'SKUs':>7}{'crops':>9}{'made':>9}{'refused':>9}"
        f"{'passed':>9}{'warned':>8}{'failed':>8}  checks"
    )
    for outcome in outcomes:
        made = outcome.numbers.get("sku_metadata", {})
        crops = outcome.numbers.get("crops", {})
        refused = outcome.numbers.get("refusals", {}).get("refused", "-")
        new = crops["added"] + crops["remade"] if crops else "-"
        click.echo(
            f"{outcome.split:<11}{made.get('skus', '-'):>7}{made.get('crops', '-'):>9}{new:>9}"
            f"{refused:>9}{len(outcome.passed):>9}{len(outcome.warned):>8}{len(outcome.failed):>8}"
        )
    for outcome in outcomes:
        for warning in outcome.warned:
            click.echo(f"warning: {outcome.split}: {warning}")
        for problem in outcome.failed + outcome.problems:
            click.echo(f"error: {outcome.split}: {problem}", err=True)
    if all(outcome.success and not outcome.changed for outcome in outcomes):
        click.echo("Everything is up to date.")
    click.echo(f"Files: {sku_root}")
    click.echo("Runs, checks and pictures: make ui, or dagster dev with the same DAGSTER_HOME.")

"""`df2-assets export`: a built split in the forms that training code loads."""

import dataclasses
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    built_splits,
    json_option,
    say,
    say_json,
    settings_for,
    splits_option,
)

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome
    from df2_assets.settings import Settings

_ALL = "all"


def _chosen(
    context: click.Context, parameter: click.Parameter, names: tuple[str, ...]
) -> list[str]:
    from df2_assets.exports import EXPORTS

    choice = click.Choice([*EXPORTS, _ALL])
    chosen = {choice.convert(name, parameter, context) for name in names}
    return [name for name in EXPORTS if chosen & {name, _ALL}]


class _Command(click.Command):
    """A command whose help lists the exports; other commands do not load them for it."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from df2_assets.exports import EXPORTS

        with formatter.section("Exports"):
            formatter.write_dl([(export.name, export.title) for export in EXPORTS.values()])


@click.command(cls=_Command)
@click.argument("chosen", metavar="NAME...", nargs=-1, required=True, callback=_chosen)
@splits_option
@json_option
def export(chosen: list[str], names: tuple[str, ...], as_json: bool) -> None:
    """Write exports of each split that was built.

    NAME is an export in the list below, or all.

    \b
    Example: df2-assets export webdataset coco --split train

    Files that would be the same are not written again. Ends with 1 where a run or a check failed.
    """
    from df2_assets.cli.runs import run_all

    settings = settings_for(names)
    settings = dataclasses.replace(settings, splits=built_splits(settings, named=bool(names)))
    outcomes = run_all(settings, "build_exports", chosen)
    if as_json:
        say_json({"splits": [dataclasses.asdict(outcome) for outcome in outcomes]})
    else:
        _report(outcomes, settings)
    if not all(outcome.well for outcome in outcomes):
        raise SystemExit(1)


def _report(outcomes: "list[Outcome]", settings: "Settings") -> None:
    from df2_assets.cli.runs import say_problems

    say(f"{'split':<11}{'export':<13}{'rows':>9}{'files':>9}{'written':>9}{'MB':>10}  check")
    for outcome in outcomes:
        for name, made in outcome.numbers.items():
            well = any(check.startswith(f"{name}: ") for check in outcome.passed)
            verdict = "passed" if well else "FAILED"
            say(
                f"{outcome.split:<11}{name:<13}{made['rows']:>9,}{made['files']:>9,}"
                f"{made['written']:>9,}{made['bytes'] / 1e6:>10,.1f}  {verdict}"
            )
    for outcome in outcomes:
        say_problems(outcome)
    if all(outcome.success and not _written(outcome) for outcome in outcomes):
        say("Everything is up to date.")
    say(f"Files: {settings.roots.exports}")


def _written(outcome: "Outcome") -> int | float:
    return sum(made["written"] + made["removed"] for made in outcome.numbers.values())

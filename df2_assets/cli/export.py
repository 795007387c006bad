"""`df2-assets export`: a built split in the forms that training code loads."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import built_splits, json_option, settings_for, splits_option

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome

_ALL = "all"


def _chosen(
    context: click.Context, parameter: click.Parameter, names: tuple[str, ...]
) -> list[str]:
    from df2_assets.exports import EXPORTS

    choice = click.Choice([*EXPORTS, _ALL])
    chosen = {choice.convert(name, parameter, context) for name in names}
    return [name for name in EXPORTS if chosen & {name, _ALL}]


def _completed(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    from df2_assets.exports import NAMES

    return [name for name in (*NAMES, _ALL) if name.startswith(typed)]


class _Command(click.Command):
    """A command whose help lists the exports; other commands do not load them for it."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from df2_assets.exports import EXPORTS

        with formatter.section("Exports"):
            formatter.write_dl([(export.name, export.title) for export in EXPORTS.values()])


@click.command(cls=_Command)
@click.argument(
    "chosen",
    metavar="NAME...",
    nargs=-1,
    required=True,
    callback=_chosen,
    shell_complete=_completed,
)
@splits_option
@json_option
def export(chosen: list[str], names: tuple[str, ...], as_json: bool) -> None:
    """Write exports of each split that was built.

    NAME is an export in the list below, or all.

    \b
    Example: df2-assets export webdataset coco --split train

    Files that would be the same are not written again. Ends with 1 where a run or a check failed.
    """
    from df2_assets.cli.runs import report_runs, run_all

    settings = settings_for(names)
    settings = replace(settings, splits=built_splits(settings, named=bool(names)))
    outcomes = run_all(settings, "build_exports", chosen)
    rows = [row for outcome in outcomes for row in _rows(outcome)]
    changed = any(row["written"] or row["removed"] for row in rows)
    is_same = not changed and all(outcome.success for outcome in outcomes)
    summary = ["Everything is up to date."] if is_same else []
    report_runs(outcomes, as_json, rows, [*summary, f"Files: {settings.roots.exports}"])


def _rows(outcome: "Outcome") -> Iterator[dict[str, object]]:
    for name, numbers in outcome.numbers.items():
        has_passed = any(check.startswith(f"{name}: ") for check in outcome.passed)
        yield {
            "split": outcome.split,
            "export": name,
            **{column: numbers[column] for column in ("rows", "files", "written", "removed")},
            "MB": numbers["bytes"] / 1e6,
            "check": "passed" if has_passed else "FAILED",
        }

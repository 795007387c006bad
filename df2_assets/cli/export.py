"""`df2-assets export`: built splits in the formats that training code loads."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    setting_options,
    settings_for_built,
    splits_option,
)

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome

_ALL = "all"


def _choose_exports(
    context: click.Context, parameter: click.Parameter, names: tuple[str, ...]
) -> list[str]:
    from df2_assets.exports import EXPORTS

    choice = click.Choice([*EXPORTS, _ALL])
    selection = {choice.convert(name, parameter, context) for name in names}
    return [name for name in EXPORTS if selection & {name, _ALL}]


def _complete(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    from df2_assets.exports import NAMES

    return [name for name in (*NAMES, _ALL) if name.startswith(typed)]


class _Command(click.Command):
    """The command, whose help lists the exports. Only this help loads them."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from df2_assets.exports import EXPORTS

        with formatter.section("Exports"):
            formatter.write_dl([(export.name, export.title) for export in EXPORTS.values()])


@click.command(cls=_Command)
@click.argument(
    "exports",
    metavar="NAME...",
    nargs=-1,
    required=True,
    callback=_choose_exports,
    shell_complete=_complete,
)
@setting_options("df2_root", "sku_root")
@click.option(
    "--variant",
    metavar="NAME",
    default="",
    help="Export the files of this crop variant instead of the crops.",
)
@click.option(
    "--encoder",
    metavar="NAME",
    default="",
    help="Add negatives to pairs that are nearest by the vectors of this encoder.",
)
@splits_option
@json_option
def export(
    exports: list[str], variant: str, encoder: str, names: tuple[str, ...], as_json: bool
) -> None:
    """Write exports of the built splits.

    NAME is one of the exports listed below, or all.

    \b
    Example: df2-assets export webdataset coco --split train

    With --variant they are written beside those of the crops, to folders such as
    coco@square224. Run df2-assets variants first.

    Files that would not change are not written again. The exit code is 1 if a run or a check
    failed.
    """
    from df2_assets.cli.runs import report_runs, run_all

    settings = settings_for_built(names)
    resources = {"exports": {"config": {"variant": variant, "encoder": encoder}}}
    outcomes = run_all(settings, "build_exports", exports, resources)
    rows = [row for outcome in outcomes for row in _rows(outcome, variant)]
    changed = any(row["written"] or row["removed"] for row in rows)
    is_same = not changed and all(outcome.success for outcome in outcomes)
    summary = ["Everything is up to date."] if is_same else []
    report_runs(outcomes, as_json, rows, [*summary, f"Files: {settings.roots.exports}"])


def _rows(outcome: "Outcome", variant: str) -> Iterator[dict[str, object]]:
    from df2_assets.exports.record import export_name

    for name, numbers in outcome.numbers.items():
        check = "FAILED"
        for state, checks in (("passed", outcome.passed), ("warned", outcome.warned)):
            if any(line.startswith(f"{name}: ") for line in checks):
                check = state
        yield {
            "split": outcome.split,
            "export": export_name(name, variant),
            **{column: numbers[column] for column in ("rows", "files", "written", "removed")},
            "MB": numbers["bytes"] / 1e6,
            "check": check,
        }

"""`df2-assets refusals`: the files, items and crops that were refused, and why."""

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from df2_assets.cli.options import (
    aligned,
    built_splits,
    json_option,
    say,
    say_json,
    setting_options,
    settings_for,
    splits_option,
)
from df2_assets.dataset.reasons import Reason
from df2_assets.errors import MissingTableError

if TYPE_CHECKING:
    import pandas as pd

_PLACE: Final = ("image_id", "item_idx")
_COLUMNS: Final = ("split", *_PLACE, "reason", "detail", "stage", "file")
FIRST_OF_EACH: Final = ("split", *_PLACE, "reason", "rows", "detail")
"""The columns of the first row of each reason. `rows` is the number of rows with that reason."""


@click.command()
@setting_options("df2_root", "sku_root")
@splits_option
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice([reason.value for reason in Reason]),
    metavar="REASON",
    help="Only this reason; can be repeated.",
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values with a header.")
def refusals(names: tuple[str, ...], reasons: tuple[str, ...], as_json: bool, as_csv: bool) -> None:
    """List the files, items and crops that were refused, and why.

    \b
    Example: df2-assets refusals --split train --reason box_reversed
             df2-assets refusals --csv >refusals.csv

    It lists the refusals of the last build, by default in every split that is built. A row without
    item_idx stands for a whole file. `stage` is the asset that refused it, and `file` is relative
    to DF2_ROOT. docs/checks.md lists the reasons.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv cannot be used together.")
    settings = settings_for(names)
    splits = built_splits(settings, named=bool(names))

    from df2_assets.explanation.refusals import read_refusals
    from df2_assets.store.state import is_built

    rows: list[dict[str, Any]] = []
    for split in splits:
        if not is_built(settings.roots, split):
            raise MissingTableError(
                f"{split} is not built under SKU_ROOT ({settings.roots.sku_root}): set SKU_ROOT, "
                f"or run df2-assets build --split {split}"
            )
        refused = read_refusals(settings.roots, split)[[*_COLUMNS]]
        if reasons:
            refused = refused[refused["reason"].isin(reasons)]
        rows += records(refused)
    if as_json:
        say_json({"splits": list(splits), "refusals": rows})
    elif as_csv:
        _write_csv(rows)
    elif rows:
        for line in refusal_lines(rows, ("split", *_PLACE, "reason", "detail", "file")):
            say(line)
    else:
        of_reason = f" for {' or '.join(reasons)}" if reasons else ""
        say(f"Nothing was refused in {', '.join(splits)}{of_reason}.")


def records(refused: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return rows as JSON objects; a missing value is None."""
    plain = refused.astype(object)
    return plain.where(plain.notna(), None).to_dict("records")  # type: ignore[return-value]


def _write_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def refusal_lines(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> Iterator[str]:
    """Return columns of refusals as left-aligned lines under a header."""
    cells = [[*columns]]
    cells += (["" if row[c] is None else str(row[c]) for c in cells[0]] for row in rows)
    return aligned(cells, "<")

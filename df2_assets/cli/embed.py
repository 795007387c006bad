"""`df2-assets embed`: a vector for each crop of the built splits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    setting_options,
    settings_for_built,
    splits_option,
    workers_option,
)

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome


@click.command()
@setting_options("df2_root", "sku_root", "encoder")
@splits_option
@workers_option
@json_option
def embed(names: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Encode the crops of the built splits as vectors.

    \b
    Example: df2-assets embed --split validation --encoder open_clip:ViT-B-32/openai

    Crops that have a vector of this encoder are not encoded again. The exit code is 1 if a run or a
    check failed.
    """
    settings = settings_for_built(names, workers, starts_engine=True)

    from df2_assets.cli.runs import report_runs, run_all
    from df2_assets.embeddings.encoders import folder_name

    outcomes = run_all(settings, "embed")
    folder = settings.roots.all_embeddings / folder_name(settings.encoder)
    more = {split: {"encoder": settings.encoder} for split in settings.splits}
    rows = [row for outcome in outcomes for row in _rows(outcome, settings.encoder)]
    report_runs(outcomes, as_json, rows, [f"Files: {folder}"], more)


def _rows(outcome: "Outcome", encoder: str) -> Iterator[dict[str, object]]:
    for numbers in outcome.numbers.values():
        yield {
            "split": outcome.split,
            "encoder": encoder,
            **{column: numbers[column] for column in ("crops", "encoded", "dimension", "seconds")},
        }

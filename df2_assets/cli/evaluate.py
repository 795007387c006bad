"""`df2-assets evaluate`: how well an encoder finds the SKU of each query crop."""

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


@click.command()
@setting_options("df2_root", "sku_root", "encoder")
@splits_option
@json_option
def evaluate(names: tuple[str, ...], as_json: bool) -> None:
    """Measure the retrieval of the built splits with the vectors of an encoder.

    \b
    Example: df2-assets evaluate --split validation --encoder open_clip:ViT-B-32/openai

    Every query crop of a split is compared with its catalog crops. Recall, MRR and other metrics
    have 95% intervals, also by category and label: the table in the printed folder has them, and
    so has the gallery. The vectors are those of df2-assets embed. The exit code is 1 if a run
    failed.
    """
    settings = settings_for_built(names)

    from df2_assets.cli.runs import report_runs, run_all

    outcomes = run_all(settings, "evaluate")
    table = settings.roots.table
    more: dict[str, dict[str, object]] = {
        split: {"encoder": settings.encoder, "table": str(table("evaluation", split))}
        for split in settings.splits
    }
    rows = [row for outcome in outcomes for row in _rows(outcome, settings.encoder)]
    folder = settings.roots.tables("evaluation")
    report_runs(outcomes, as_json, rows, [f"Files: {folder}"], more)


def _rows(outcome: "Outcome", encoder: str) -> Iterator[dict[str, object]]:
    from df2_assets.retrieval.metrics import METRICS

    for numbers in outcome.numbers.values():
        figures = {metric: f"{numbers[metric]:.3f}" for metric in METRICS if metric in numbers}
        yield {
            "split": outcome.split,
            "encoder": encoder,
            "queries": numbers["queries"],
            **{metric: figures.get(metric, "-") for metric in METRICS},
        }

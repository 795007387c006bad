"""`df2-assets benchmark`: the consumer-to-shop retrieval benchmark of DeepFashion2."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    option_values,
    say,
    say_json,
    say_table,
    setting_options,
    settings_for,
    splits_option,
    workers_option,
)

if TYPE_CHECKING:
    from df2_assets.retrieval.protocol import Difference
    from df2_assets.settings import Settings


@click.command()
@setting_options("df2_root", "sku_root", "encoder")
@splits_option
@click.option(
    "--results",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Score a file in the result format of DeepFashion2 instead of an encoder.",
)
@workers_option
@json_option
@click.pass_context
def benchmark(
    context: click.Context,
    names: tuple[str, ...],
    results: Path | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Measure retrieval by the official protocol of DeepFashion2.

    \b
    Example: df2-assets benchmark --encoder open_clip:ViT-B-32/openai

    The queries are the consumer items of style above 0, and the gallery is every shop item. The
    split is validation, unless --split names another. An encoder ranks the crops of annotated
    boxes. Crops that the benchmark has beyond the build are cut first. With --results, the detected
    boxes in FILE are scored. If DF2_ROOT has json_for_validation, the items are compared with it.
    """
    from df2_assets.retrieval.protocol import SPLIT

    if results is None:
        settings = settings_for(names or (SPLIT,), workers, starts_engine=True)
        _measure(settings, as_json)
        return
    if "encoder" in option_values():
        raise click.UsageError("Specify either --encoder or --results.", context)
    if len(names) > 1:
        raise click.UsageError("--results is about one split: specify one --split.", context)
    _score(settings_for(names or (SPLIT,)), results, as_json)


def _measure(settings: "Settings", as_json: bool) -> None:
    """Run the job for an encoder, and print its accuracies."""
    from df2_assets.cli.runs import report_runs, run_all
    from df2_assets.retrieval.protocol import compare_ground_truth, read_protocol

    outcomes = run_all(settings, "benchmark")
    measured = [outcome for outcome in outcomes if "benchmark_scores" in outcome.numbers]
    differences = {
        outcome.split: compare_ground_truth(
            settings.roots, read_protocol(settings.roots, outcome.split)
        )
        for outcome in measured
    }
    more: dict[str, dict[str, object]] = {
        outcome.split: {
            "encoder": settings.encoder,
            **_accuracies(outcome.numbers["benchmark_scores"]),
            "ground_truth": [each.numbers() for each in differences[outcome.split]],
        }
        for outcome in measured
    }
    rows = [
        _row(outcome.split, {"encoder": settings.encoder}, outcome.numbers["benchmark_scores"])
        for outcome in measured
    ]
    lines = [line for split, found in differences.items() for line in _lines(split, found)]
    report_runs(outcomes, as_json, rows, lines, more)


def _score(settings: "Settings", path: Path, as_json: bool) -> None:
    """Print the official score of a file of results."""
    from df2_assets.retrieval.protocol import compare_ground_truth, read_protocol
    from df2_assets.retrieval.results import read_results, score_results

    (split,) = settings.splits
    protocol = read_protocol(settings.roots, split)
    numbers = score_results(protocol, read_results(path, protocol, settings.roots)).numbers
    differences = compare_ground_truth(settings.roots, protocol)
    if as_json:
        ground_truth = [difference.numbers() for difference in differences]
        document = {"split": split, "results": str(path), **numbers, "ground_truth": ground_truth}
        say_json({"splits": [document]})
        return
    say_table([_row(split, {}, numbers)])
    for line in _lines(split, differences):
        say(line)


def _row(
    split: str, more: Mapping[str, str], numbers: Mapping[str, int | float]
) -> dict[str, object]:
    """Return a row of the table. Accuracies have four decimals, publications have three."""
    shown = {
        name: f"{number:.4f}" if name.startswith("top-") else number
        for name, number in _accuracies(numbers).items()
    }
    return {"split": split, **more, **shown}


def _accuracies(numbers: Mapping[str, int | float]) -> dict[str, int | float]:
    """Return the numbers of a score, without other numbers of the asset."""
    counts = ("queries", "missed", "gallery")
    return {
        name: number
        for name, number in numbers.items()
        if name in counts or name.startswith("top-")
    }


def _lines(split: str, differences: "Sequence[Difference]") -> Iterator[str]:
    """Yield how the published ground truth differs from the annotations."""
    for difference in differences:
        yield from difference.lines()
    if not differences:
        yield f"note: {split}: DF2_ROOT has no published ground truth to compare the items with"

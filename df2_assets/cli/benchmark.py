"""`df2-assets benchmark`: the consumer-to-shop retrieval benchmark of DeepFashion2."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    say,
    say_json,
    say_table,
    setting_options,
    settings_for,
    splits_option,
)

if TYPE_CHECKING:
    from df2_assets.retrieval.protocol import Difference
    from df2_assets.settings import Settings


@click.command()
@setting_options("df2_root", "sku_root")
@splits_option
@click.option(
    "--results",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Score a file in the result format of DeepFashion2, instead of an encoder.",
)
@json_option
def benchmark(names: tuple[str, ...], results: Path | None, as_json: bool) -> None:
    """Measure retrieval by the official protocol of DeepFashion2.

    \b
    Example: df2-assets benchmark --results RESULTS.json

    The queries are the consumer items of style above 0, and the gallery is every shop item. The
    split is validation, unless --split names another. With --results, the boxes in FILE stand for
    the items. If DF2_ROOT has json_for_validation, the items are compared with it.
    """
    from df2_assets.retrieval.protocol import SPLIT

    settings = settings_for(names or (SPLIT,))
    if results is not None:
        _score(settings, results, as_json)


def _score(settings: "Settings", path: Path, as_json: bool) -> None:
    """Print the official score of a file of results."""
    from df2_assets.retrieval.protocol import compare_ground_truth, read_protocol
    from df2_assets.retrieval.results import read_results, score_results

    if len(settings.splits) > 1:
        raise click.UsageError("--results is about one split: specify one --split.")
    (split,) = settings.splits
    protocol = read_protocol(settings.roots, split)
    score = score_results(protocol, read_results(path, protocol, settings.roots))
    differences = compare_ground_truth(settings.roots, protocol)
    if as_json:
        document = {"split": split, "results": str(path), **score.numbers}
        listed = [difference.numbers() for difference in differences]
        say_json({"splits": [{**document, "ground_truth": listed}]})
        return
    say_table([_row(split, score.numbers)])
    _say_differences(split, differences)


def _row(split: str, numbers: Mapping[str, float]) -> dict[str, object]:
    """Return a row of the table. Accuracies have three decimals, as in publications."""
    shown = {
        name: f"{number:.3f}" if name.startswith("top-") else number
        for name, number in numbers.items()
    }
    return {"split": split, **shown}


def _say_differences(split: str, differences: "Sequence[Difference]") -> None:
    """Print how the published ground truth differs from the annotations."""
    for difference in differences:
        for line in difference.lines():
            say(line)
    if not differences:
        say(f"note: {split}: DF2_ROOT has no published ground truth to compare the items with")

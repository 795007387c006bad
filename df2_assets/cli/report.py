"""`df2-assets report`: a gallery of each split."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from df2_assets.cli.browser import open_page
from df2_assets.cli.options import (
    json_option,
    quiet,
    setting_options,
    settings_for_built,
    splits_option,
    workers_option,
)

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome


@click.command()
@setting_options("df2_root", "sku_root")
@splits_option
@workers_option
@click.option("--open", "show", is_flag=True, help="Open the first gallery in a browser.")
@json_option
def report(names: tuple[str, ...], workers: int | None, show: bool, as_json: bool) -> None:
    """Measure all crops and write a gallery of each split.

    \b
    Example: df2-assets report --split validation --open

    It covers every split that is built. First it measures the crops of every split, then it
    compares the splits and writes the pages. Crops that were measured before are not opened again,
    and thumbnails are drawn only once. The exit code is 1 if a run failed.
    """
    settings = settings_for_built(names, workers, starts_engine=True)

    from df2_assets.checks.finding import count_states, read_findings
    from df2_assets.cli.runs import report_runs, run_all

    measurements = run_all(settings, "measure_crops")
    outcomes = run_all(settings, "refresh_reports")
    for outcome, measurement in zip(outcomes, measurements, strict=True):
        for name, numbers in measurement.numbers.items():
            outcome.numbers[name] = outcome.numbers.get(name, {}) | numbers
    pages = {split: settings.roots.gallery(split) for split in settings.splits}
    checks = {split: count_states(read_findings(settings.roots, split)) for split in pages}
    written = [outcome.split for outcome in reversed(outcomes) if outcome.success]
    summary = [f"Gallery of {split}: {pages[split]}" for split in written]
    rows = [_row(outcome, checks[outcome.split]) for outcome in outcomes]
    more = {split: {"page": str(path), "checks": checks[split]} for split, path in pages.items()}
    report_runs(outcomes, as_json, rows, summary, more)
    page = pages[settings.splits[0]]
    if show and not open_page(page.as_uri()) and not quiet():
        click.echo(
            f"note: no browser can be opened here. Open this file yourself: {page}", err=True
        )


def _row(outcome: "Outcome", checks: Mapping[str, int]) -> dict[str, object]:
    """Return a row of the summary, with the counts of all recorded checks, as in the gallery."""
    quality = outcome.numbers.get("crop_quality", {})
    return {
        "split": outcome.split,
        "SKUs": outcome.numbers.get("gallery", {}).get("paired_skus", "-"),
        "crops": quality.get("crops", "-"),
        "opened": quality.get("crops_opened", "-"),
        "checks passed": checks["passed"],
        "warned": checks["warned"],
        "failed": checks["failed"],
    }

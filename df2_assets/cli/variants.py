"""`df2-assets variants`: the crop variants of built splits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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
    from df2_assets.store.layout import Roots


@click.command()
@setting_options("df2_root", "sku_root", "variants")
@splits_option
@workers_option
@json_option
def variants(names: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Make the crop variants of the built splits that a file declares.

    \b
    Example: df2-assets variants --variants examples/variants.yaml --split validation

    The variants are those of the file in --variants or DF2_VARIANTS, or else those that the data
    set was last declared with. Only what changed is made again, and every image is decoded once for
    all variants. Variants that are not declared any more are removed; `none` removes all of them.
    The crops of the contract are never changed. The exit code is 1 if a run or a check failed.
    """
    settings = settings_for_built(names, workers, starts_engine=True)

    from df2_assets.errors import VariantsError
    from df2_assets.pipeline.declared import read_declared_variants

    declared = read_declared_variants(settings)
    if declared.crop_variants is None:
        raise VariantsError(declared.note)

    from df2_assets.cli.runs import describe_no_change, report_runs, run_all

    roots = settings.roots
    outcomes = run_all(settings, "build_variants")
    more = {
        outcome.split: {"variants": [*_counts(roots, outcome.split)] if outcome.success else []}
        for outcome in outcomes
    }
    summary = [
        f"{split}: {of['name']}: {of['files']:,} files, {of['bytes'] / 1e6:,.1f} MB"
        + (f", {of['failed']:,} could not be made" if of["failed"] else "")
        for split, entries in more.items()
        for of in entries["variants"]
    ]
    summary += [*describe_no_change(outcomes), f"Files: {roots.variants}"]
    report_runs(outcomes, as_json, map(_row, outcomes), summary, more)


def _counts(roots: "Roots", split: str) -> Iterator[dict[str, Any]]:
    """Yield the numbers of each variant of a split, and the folder of its files."""
    from df2_assets.store.variants import count_files, list_variants, read_variant

    for name in list_variants(roots, split):
        files, failed, size = count_files(read_variant(roots, split, name))
        folder = str(roots.variant(name, split))
        yield {"name": name, "files": files, "failed": failed, "bytes": size, "folder": folder}


def _row(outcome: "Outcome") -> dict[str, object]:
    numbers = outcome.numbers.get("crop_variants")
    shown = numbers or {}
    return {
        "split": outcome.split,
        "variants": shown.get("variants", "-"),
        "files": shown.get("files", "-"),
        "made": numbers["added"] + numbers["remade"] if numbers else "-",
        "not made": shown.get("failed", "-"),
        "decoded": shown.get("images_decoded", "-"),
        **outcome.check_counts,
    }

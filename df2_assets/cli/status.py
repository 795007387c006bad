"""`df2-assets status`: whether each split is built, complete and up to date."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from df2_assets import __version__
from df2_assets.cli.options import (
    json_option,
    say,
    say_json,
    say_problem,
    say_table,
    setting_options,
    settings_for,
    splits_option,
)

if TYPE_CHECKING:
    from df2_assets.pipeline.status import SplitStatus


@click.command()
@setting_options("df2_root", "sku_root", "only_pairs", "prompts", "sku_token", "captions")
@splits_option
@json_option
def status(names: tuple[str, ...], as_json: bool) -> None:
    """Show whether each split is complete and up to date.

    \b
    Example: df2-assets status --split train

    It compares the records of the last build with the names, sizes and times of the files in the
    download. It opens no image and changes nothing. The exit code is 0 if every split is complete
    and current, else 1. A split without annotations need not be built, unless nothing else is built
    either.
    """
    settings = settings_for(names)

    from df2_assets.pipeline.declared import read_declared, read_only_pairs
    from df2_assets.pipeline.status import read_status

    roots, texts = settings.roots, read_declared(settings).texts
    only_pairs, _ = read_only_pairs(settings)
    splits = [read_status(roots, split, texts, only_pairs=only_pairs) for split in settings.splits]
    is_current = any(split.condition == "current" for split in splits) and all(
        split.condition in ("current", "no annotations") for split in splits
    )
    if as_json:
        places = {"df2_root": str(roots.df2_root), "sku_root": str(roots.sku_root)}
        listed = [asdict(split) for split in splits]
        say_json({"current": is_current, **places, "release": __version__, "splits": listed})
    else:
        _show(splits)
        is_built = any(split.skus is not None or split.complete for split in splits)
        say(f"Files: {roots.sku_root}{'' if is_built else ' (nothing is built there)'}")
    if not is_current:
        raise SystemExit(1)


def _show(splits: "list[SplitStatus]") -> None:
    say_table(
        {
            "split": split.split,
            "status": split.condition,
            "SKUs": "-" if split.skus is None else split.skus,
            "crops": "-" if split.crops is None else split.crops,
            "built": split.built_at or "-",
            "release": split.release or "-",
            "from": split.df2_root or "-",
        }
        for split in splits
    )
    for split in splits:
        if split.only_pairs is False:
            say(f"{split.split} has SKUs with one domain as well.")
        for reason in split.reasons:
            say_problem(f"{split.split} is {split.condition}: {reason}")
    outdated = [
        split.split for split in splits if split.condition in ("stale", "incomplete", "not built")
    ]
    if outdated:
        names = " ".join(f"--split {split}" for split in outdated)
        say_problem(f"To bring it up to date: df2-assets build {names}")

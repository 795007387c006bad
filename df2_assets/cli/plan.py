"""`df2-assets plan`: what a build would do, and what it would take."""

import sys
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    say,
    say_json,
    settings_for,
    splits_option,
    workers_option,
)

if TYPE_CHECKING:
    from df2_assets.pipeline.preview import SplitPlan


@click.command()
@splits_option
@workers_option
@json_option
def plan(names: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Say what a build would do, per split, and change nothing.

    \b
    Example: df2-assets plan --split validation

    Ends with 1 where the disk cannot hold the result.
    """
    settings = settings_for(names, workers)

    from df2_assets.cli.instance import last_rate, open_instance
    from df2_assets.engines.local import LocalEngine
    from df2_assets.engines.progress import bar, silent
    from df2_assets.pipeline.preview import plan_split
    from df2_assets.settings import read_variants

    variants = read_variants(settings.prompts)
    progress = bar if sys.stderr.isatty() else silent
    with open_instance() as instance:
        plans = [
            plan_split(
                settings.roots,
                split,
                LocalEngine(settings.workers),
                progress,
                last_rate(instance, split),
                variants,
            )
            for split in settings.splits
        ]
    together = sum(one.takes.bytes for one in plans)
    free = plans[0].takes.free if plans else None
    fits = free is None or together <= free
    if as_json:
        say_json({"splits": [one.as_dict() for one in plans], "bytes": together, "fits": fits})
    else:
        _show(plans, together, free, fits)
    if not fits:
        raise SystemExit(1)


def _show(plans: "list[SplitPlan]", together: int, free: int | None, fits: bool) -> None:
    say(
        f"{'split':<11}{'images':>9}{'to read':>9}{'to decode':>11}{'crops: make':>13}"
        f"{'keep':>9}{'remove':>8}{'refused':>9}{'MB':>10}{'about':>9}"
    )
    for one in plans:
        say(
            f"{one.split:<11}{one.images:>9,}{one.annotations_to_read:>9,}"
            f"{one.images_to_decode:>11,}{one.crops_to_make:>13,}{one.crops_to_keep:>9,}"
            f"{one.files_to_remove:>8,}{one.refused:>9,}{one.takes.bytes / 1e6:>10,.1f}"
            f"{_duration(one.takes.seconds):>9}"
        )
    for one in plans:
        for note in one.notes:
            say(f"note: {one.split}: {note}")
    if free is None:
        say(f"{together / 1e6:,.1f} MB to write.")
        return
    room = "It fits." if fits else "It does NOT fit: make room, or set SKU_ROOT to another disk."
    say(f"{together / 1e6:,.1f} MB to write, {free / 1e6:,.1f} MB free. {room}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

"""`df2-assets plan`: what a build would do, how long it would take, and how much it would write."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import (
    json_option,
    progress,
    say,
    say_json,
    say_table,
    setting_options,
    settings_for,
    splits_option,
    workers_option,
)

if TYPE_CHECKING:
    from df2_assets.engines.progress import Progress
    from df2_assets.pipeline.preview import SplitPlan
    from df2_assets.settings import Settings


@click.command()
@setting_options("df2_root", "sku_root", "only_pairs", "prompts", "sku_token", "captions")
@splits_option
@workers_option
@json_option
def plan(names: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Show what a build would do and how long it would take.

    \b
    Example: df2-assets plan --split validation

    It changes nothing. The time includes the start, reading, cutting, tables and all checks. It is
    estimated from an earlier build on this machine, or else by cutting a few images in memory.
    `build --dry-run` does the same. The exit code is 1 if the result does not fit on the disk.
    """
    plans = plan_splits(settings_for(names, workers, starts_engine=True), progress())
    together = sum(split_plan.takes.bytes for split_plan in plans)
    free = plans[0].takes.free if plans else None
    fits = free is None or together <= free
    start = max((split_plan.seconds.start for split_plan in plans), default=0.0)
    if as_json:
        seconds = start + sum(split_plan.seconds.total for split_plan in plans)
        splits = [split_plan.as_dict() for split_plan in plans]
        say_json({"splits": splits, "bytes": together, "fits": fits, "seconds": seconds})
    else:
        _show(plans, together, free, fits)
        _show_time(plans, start)
    if not fits:
        raise SystemExit(1)


def plan_splits(settings: "Settings", progress: "Progress") -> "list[SplitPlan]":
    """Return the plan of a build for each split of `settings`; write nothing.

    Raises what `plan_split` raises.
    """
    from df2_assets.engines.make import make_engine
    from df2_assets.pipeline.preview import plan_split

    with closing(make_engine(settings.engine, settings.workers, settings.ray_address)) as engine:
        return [plan_split(settings, split, engine, progress) for split in settings.splits]


def _show(plans: "list[SplitPlan]", together: int, free: int | None, fits: bool) -> None:
    say_table(
        {
            "split": split_plan.split,
            "images": split_plan.images,
            "to read": split_plan.annotations_to_read,
            "to decode": split_plan.images_to_decode,
            "crops to make": split_plan.crops_to_make,
            "to keep": split_plan.crops_to_keep,
            "to remove": split_plan.files_to_remove,
            "refused": split_plan.refused,
            "MB": split_plan.takes.bytes / 1e6,
            "time": _duration(split_plan.seconds.total),
        }
        for split_plan in plans
    )
    for split_plan in plans:
        for note in split_plan.notes:
            say(f"note: {split_plan.split}: {note}")
    if free is None:
        say(f"{together / 1e6:,.1f} MB to write.")
        return
    room = "It fits." if fits else "It does NOT fit: free space, or set SKU_ROOT to another disk."
    say(f"{together / 1e6:,.1f} MB to write, {free / 1e6:,.1f} MB free. {room}")


def _show_time(plans: "list[SplitPlan]", start: float) -> None:
    """Print the total time and its parts."""
    parts = {
        "to start": start + sum(split_plan.seconds.run for split_plan in plans),
        "to read": sum(split_plan.seconds.read for split_plan in plans),
        "to cut": sum(split_plan.seconds.cut for split_plan in plans),
        "for tables and checks": sum(split_plan.seconds.finish for split_plan in plans),
    }
    listed = ", ".join(f"{_duration(seconds)} {part}" for part, seconds in parts.items())
    say(f"About {_duration(sum(parts.values()))} in all: {listed}.")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

"""`df2-assets plan`: what a build would do, and what it would take."""

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
@setting_options("df2_root", "sku_root", "prompts")
@splits_option
@workers_option
@json_option
def plan(names: tuple[str, ...], workers: int | None, as_json: bool) -> None:
    """Say what a build would do and how long it would take, per split, and change nothing.

    \b
    Example: df2-assets plan --split validation

    The time includes the start, reading, cutting, tables and all checks. It is that of an earlier
    build on this machine, or else of a few images that are tried. `build --dry-run` is the same.
    Ends with 1 where the disk cannot hold the result.
    """
    plans = plan_splits(settings_for(names, workers, starts_engine=True), progress())
    together = sum(one.takes.bytes for one in plans)
    free = plans[0].takes.free if plans else None
    fits = free is None or together <= free
    start = max((one.seconds.start for one in plans), default=0.0)
    if as_json:
        seconds = start + sum(one.seconds.total for one in plans)
        splits = [one.as_dict() for one in plans]
        say_json({"splits": splits, "bytes": together, "fits": fits, "seconds": seconds})
    else:
        _show(plans, together, free, fits)
        _show_time(plans, start)
    if not fits:
        raise SystemExit(1)


def plan_splits(settings: "Settings", progress: "Progress") -> "list[SplitPlan]":
    """Return what a build would do in each split of `settings`; writes nothing.

    Raises what `plan_split` does.
    """
    from df2_assets.engines.make import make_engine
    from df2_assets.pipeline.preview import plan_split

    with closing(make_engine(settings.engine, settings.workers, settings.ray_address)) as engine:
        return [plan_split(settings, split, engine, progress) for split in settings.splits]


def _show(plans: "list[SplitPlan]", together: int, free: int | None, fits: bool) -> None:
    say_table(
        {
            "split": one.split,
            "images": one.images,
            "to read": one.annotations_to_read,
            "to decode": one.images_to_decode,
            "crops: make": one.crops_to_make,
            "keep": one.crops_to_keep,
            "remove": one.files_to_remove,
            "refused": one.refused,
            "MB": one.takes.bytes / 1e6,
            "about": _duration(one.seconds.total),
        }
        for one in plans
    )
    for one in plans:
        for note in one.notes:
            say(f"note: {one.split}: {note}")
    if free is None:
        say(f"{together / 1e6:,.1f} MB to write.")
        return
    room = "It fits." if fits else "It does NOT fit: make room, or set SKU_ROOT to another disk."
    say(f"{together / 1e6:,.1f} MB to write, {free / 1e6:,.1f} MB free. {room}")


def _show_time(plans: "list[SplitPlan]", start: float) -> None:
    """Say how long all of it takes, and which parts are included."""
    parts = {
        "to start": start + sum(one.seconds.run for one in plans),
        "to read": sum(one.seconds.read for one in plans),
        "to cut": sum(one.seconds.cut for one in plans),
        "for tables and checks": sum(one.seconds.finish for one in plans),
    }
    listed = ", ".join(f"{_duration(seconds)} {part}" for part, seconds in parts.items())
    say(f"About {_duration(sum(parts.values()))} in all: {listed}.")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

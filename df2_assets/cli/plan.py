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
    settings_for,
    splits_option,
    workers_option,
)
from df2_assets.errors import SettingsError

if TYPE_CHECKING:
    from df2_assets.engines.progress import Progress
    from df2_assets.pipeline.preview import SplitPlan
    from df2_assets.settings import Settings


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
    plans = plan_splits(settings_for(names, workers, starts_engine=True), progress())
    together = sum(one.takes.bytes for one in plans)
    free = plans[0].takes.free if plans else None
    fits = free is None or together <= free
    if as_json:
        say_json({"splits": [one.as_dict() for one in plans], "bytes": together, "fits": fits})
    else:
        _show(plans, together, free, fits)
    if not fits:
        raise SystemExit(1)


def plan_splits(settings: "Settings", progress: "Progress") -> "list[SplitPlan]":
    """Return what a build would do in each split of `settings`; writes nothing.

    Raises what `plan_split` does.
    """
    from df2_assets.cli.instance import last_rate, open_instance
    from df2_assets.engines.make import make
    from df2_assets.pipeline.preview import plan_split

    engine = make(settings.engine, settings.workers, settings.ray_address)
    rates: dict[str, float | None] = {}
    try:
        with open_instance(only_reads=True) as instance:
            rates = {split: last_rate(instance, split) for split in settings.splits}
    except SettingsError as problem:
        click.echo(f"note: no earlier run is known. {problem}", err=True)
    with closing(engine):
        return [
            plan_split(settings, split, engine, progress, rates.get(split))
            for split in settings.splits
        ]


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
            "about": _duration(one.takes.seconds),
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


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

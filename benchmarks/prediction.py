"""Wall time on more cores, predicted from what a command took on this machine.

README.md explains the model and what it leaves out.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.builds import SPLIT, Place, build, run_recipe
from benchmarks.figures import Result, Row, Tables, count_cores, format_spread

CORES: Final = (4, 16, 64)
"""Numbers of cores to predict, or to measure on a machine that has them."""

ADDED_WORKERS: Final = 16
"""Difference in workers of the two runs that show what the start of a worker takes."""

PEERS: Final = {"this project": "cold", "pool": "pool", "recipe": "recipe"}
"""What is compared, by its name in tables: the name of its cold run in a turn."""


def measure_starts(small: Place, few: Result, out: Path) -> Result:
    """Return what the start of a worker takes, by peer; `few` is a cold build of `small`."""
    more = count_cores() + ADDED_WORKERS
    many = build(small.to(out / "many-workers"), SPLIT, workers=more)
    pools = [run_recipe(small, out / f"pool-of-{n}", processes=n) for n in (count_cores(), more)]
    none = {"main": 0.0, "worker": 0.0}
    return {"cold": worker_start(few, many), "pool": worker_start(*pools), "recipe": none}


def worker_start(few: Result, many: Result) -> Result:
    """Return the processor seconds that one more worker takes: `main` process, `worker` itself.

    `many` is the same work as `few`, with `ADDED_WORKERS` more.
    """
    main, whole = (max(many[name] - few[name], 0.0) / ADDED_WORKERS for name in ("main", "cpu"))
    return {"main": main, "worker": max(whole - main, 0.0)}


def predict(run: Result, start: Result, workers: int, count: int) -> float:
    """Return the wall seconds on `count` cores of a command that was measured with `workers`."""
    starting = start["worker"] + count * start["main"] if run["stretches"] else 0.0
    counted = workers * start["worker"]  # in the first stretch, which contains the start
    working = 0.0
    for main, others in run["stretches"]:
        work, counted = max(others - counted, 0.0), max(counted - others, 0.0)
        working += max(main, (main + work) / count)
    return float(run["main_only"] + starting + working)


def is_measured(turn: Result, count: int) -> bool:
    """Return whether a turn has runs on `count` cores."""
    return count == turn["cores"] or str(count) in turn["on_cores"]


def wall_seconds(turn: Result, peer: str, count: int) -> float:
    """Return the seconds of a peer on `count` cores beyond its fixed start.

    They are measured if the turn has them, and otherwise predicted.
    """
    if is_measured(turn, count):
        seconds = turn["on_cores"].get(str(count), turn)[peer]["seconds"]
        return float(seconds - turn["fixed_start"][peer])
    return predicted_seconds(turn, peer, count)


def predicted_seconds(turn: Result, peer: str, count: int) -> float:
    """Return the predicted seconds of a peer on `count` cores beyond its fixed start."""
    seconds = predict(turn[peer], turn["start"][peer], turn["cores"], count)
    return float(seconds - turn["fixed_start"][peer])


def times_as_fast(turns: list[Result], peer: str, count: int) -> list[float]:
    """Return how many times as fast as `peer` this project is on `count` cores, by turn."""
    return [wall_seconds(turn, peer, count) / wall_seconds(turn, "cold", count) for turn in turns]


def tables(turns: list[Result], images: int, beyond: str) -> Tables:
    """Return the parts of each peer, and its wall time by cores."""
    return {
        f"Parts of a cold build ({images:,} images)": _part_rows(turns, images),
        f"Wall time by cores ({images:,} images, {beyond})": _by_cores(turns),
    }


_FORMS: Final = {
    "seconds in which only the main process works": "{:.2f}",
    "share of the wall time": "{:.0%}",
    "processor seconds of the main process": "{:.2f}",
    "of these, while workers work": "{:.2f}",
    "processor ms of the workers per image": "{:.2f}",
    "processor ms of a worker to start": "{:.0f}",
    "processor ms of the main process to start a worker": "{:.1f}",
}
"""The parts of a command and how they are shown."""


def _parts(run: Result, start: Result, images: int) -> tuple[float, ...]:
    """Return the values of `_FORMS`."""
    return (
        run["main_only"],
        run["main_only"] / run["seconds"],
        run["main"],
        sum(main for main, _ in run["stretches"]),
        1000 * (run["cpu"] - run["main"]) / images,
        1000 * start["worker"],
        1000 * start["main"],
    )


def _part_rows(turns: list[Result], images: int) -> list[Row]:
    columns = {
        name: zip(*(_parts(turn[peer], turn["start"][peer], images) for turn in turns), strict=True)
        for name, peer in PEERS.items()
    }
    return [
        {"part": part}
        | {name: format_spread(next(values), form) for name, values in columns.items()}
        for part, form in _FORMS.items()
    ]


def _by_cores(turns: list[Result]) -> list[Row]:
    own = turns[0]["cores"]
    rows = [_row(f"{own}, measured", turns, own, wall_seconds)]
    rows.append(_row(f"{own}, predicted", turns, own, predicted_seconds))
    for count in CORES:
        if count != own:
            how = "measured" if is_measured(turns[0], count) else "predicted"
            rows.append(_row(f"{count}, {how}", turns, count, wall_seconds))
    return rows


def _row(
    title: str, turns: list[Result], count: int, seconds_of: Callable[[Result, str, int], float]
) -> Row:
    seconds = {
        name: [seconds_of(turn, peer, count) for turn in turns] for name, peer in PEERS.items()
    }
    row = {"cores": title} | {
        name: format_spread(values, "{:.1f} s") for name, values in seconds.items()
    }
    for name in ("pool", "recipe"):
        pairs = zip(seconds[name], seconds["this project"], strict=True)
        row[f"times as fast as the {name}"] = format_spread([a / b for a, b in pairs], "{:.2f}")
    return row

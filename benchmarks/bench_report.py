"""The section of the README that `make bench` writes: the goals, the scaling, where time goes."""

from statistics import median

from benchmarks.builds import Result, check_seconds
from benchmarks.figures import (
    at_best,
    beyond,
    beyond_empty,
    cold_split,
    cost_by_images,
    number,
    of_size,
    stages,
)
from benchmarks.tables import Goal, goals, on, spread, table


def bench_report(results: Result) -> str:
    """The section of the README that `make bench` writes."""
    turns = len(results["turns"])
    return "\n\n".join(
        [
            f"On {on(results['machine'])} {results['images']:,} images from "
            f"{results['photos']:,} different pictures; medians of {turns} turns, with the "
            "least and the most.",
            goals(bench_goals(results)),
            "**By images** (seconds beyond the fixed start; memory beyond that of an empty split)",
            _scaling(results),
            "![seconds by images and by stage](results/scaling.png)",
            f"**By workers** ({_middle(results):,} images)",
            _workers(results),
            f"**By stage** (a cold build of {results['images']:,} images)",
            table(("stage", "seconds", "share"), _stage_rows(results)),
        ]
    )


def bench_goals(results: Result) -> list[Goal]:
    """The goals that `make bench` can tell about."""
    turns, images, cores = results["turns"], results["images"], results["machine"]["cores"]
    limit = median(turn["recipe"]["seconds"] / at_best(turn, cores) for turn in turns)
    changed = turns[0]["changed"]
    remade = number(turns[0], "changed", "crops", "remade")
    return [
        Goal(
            "fixed start of a build: one empty split",
            "≤ 3.5 s",
            [turn["nothing"]["seconds"] for turn in turns],
            "{:.2f} s",
            most=3.5,
        ),
        Goal(
            "fixed start: three empty splits",
            "≤ 6 s",
            [turn["nothing_of_three"]["seconds"] for turn in turns],
            "{:.2f} s",
            most=6,
        ),
        Goal(
            "cold build beyond the fixed start, against the codec's time / cores",
            "≤ 1.15",
            [beyond(turn) / at_best(turn, cores) for turn in turns],
            "{:.2f}",
            most=1.15,
        ),
        Goal(
            "cold build beyond the fixed start, against the recipe",
            "≥ 3 times as fast",
            [turn["recipe"]["seconds"] / beyond(turn) for turn in turns],
            "{:.2f} times",
            least=3,
            note=f"{limit:.2f} times is the limit that the codec sets",
        ),
        Goal(
            "unchanged rerun beyond the fixed start, against cold",
            "≤ 5%",
            [beyond(turn, "unchanged") / beyond(turn) for turn in turns],
            "{:.1%}",
            most=0.05,
        ),
        Goal(
            "its crops step, against cold",
            "≥ 50 times as fast",
            [
                number(turn, "cold", "crops", "seconds")
                / number(turn, "unchanged", "crops", "seconds")
                for turn in turns
            ],
            "{:.0f} times",
            least=50,
        ),
        Goal(
            "one annotation changed: images decoded",
            "1",
            [number(turn, "changed", "crops", "images_decoded") for turn in turns],
            "{:.0f}",
            least=1,
            most=1,
            note=f"{remade:.0f} crops made, {changed['crops_of_image']} are of that image",
        ),
        Goal(
            "one annotation changed: beyond an unchanged rerun",
            "≤ 1 s",
            [turn["changed"]["seconds"] - turn["unchanged"]["seconds"] for turn in turns],
            "{:.2f} s",
            most=1,
        ),
        Goal(
            "index step, none of it known",
            "≥ 10,000 images/s",
            [images / number(turn, "cold", "raw_annotation_index", "seconds") for turn in turns],
            "{:,.0f}",
            least=10_000,
        ),
        Goal(
            "checks, of the cold build",
            "≤ 5%",
            [check_seconds(cold_split(turn)) / turn["cold"]["seconds"] for turn in turns],
            "{:.1%}",
            most=0.05,
        ),
        Goal(
            "importing df2_assets.definitions, beyond dagster",
            "≤ 1 s",
            [turn["imports"] for turn in turns],
            "{:.2f} s",
            most=1,
        ),
        Goal(
            "peak memory beyond that of an empty split",
            "≤ 1 GiB",
            [beyond_empty(turn, turn["cold"]) for turn in turns],
            "{:.0f} MiB",
            most=1024,
        ),
    ]


def _scaling(results: Result) -> str:
    rows = []
    for size, seconds in cost_by_images(results).items():
        memory = [beyond_empty(turn, of_size(turn, size)) for turn in results["turns"]]
        rows.append(
            (
                f"{size:,}",
                spread(seconds, "{:.2f}"),
                f"{1000 * median(seconds) / size:.2f}",
                f"{size / median(seconds):,.0f}",
                spread(memory, "{:.0f} MiB"),
            )
        )
    return table(("images", "seconds", "ms an image", "images/s", "peak memory"), rows)


def _workers(results: Result) -> str:
    turns = results["turns"]
    rows = []
    for count in turns[0]["workers"]:
        seconds = [turn["workers"][count]["seconds"] - turn["nothing"]["seconds"] for turn in turns]
        rows.append((count, spread(seconds, "{:.2f}")))
    return table(("workers", "seconds beyond the fixed start"), rows)


def _middle(results: Result) -> int:
    return int(list(results["turns"][0]["smaller"])[-1])


def _stage_rows(results: Result) -> list[tuple[str, str, str]]:
    turns, cores = results["turns"], results["machine"]["cores"]
    by_turn = [stages(turn, cores) for turn in turns]
    whole = median(turn["cold"]["seconds"] for turn in turns)
    rows = []
    for stage in by_turn[0]:
        seconds = [of[stage] for of in by_turn]
        rows.append((stage, spread(seconds, "{:.2f}"), f"{median(seconds) / whole:.1%}"))
    return rows

"""Predictions follow from measured parts: what overlaps with cutting, and what does not."""

from typing import Any

import pytest

from benchmarks import prediction
from benchmarks.figures import Result
from benchmarks.prediction import predict, times_as_fast, wall_seconds, worker_start

NO_START = {"main": 0.0, "worker": 0.0}


def measured(main_only: float, *stretches: tuple[float, float]) -> Result:
    """A command on two cores: seconds of the main process only, (main, others) of each stretch."""
    work = sum(map(sum, stretches))
    return {
        "seconds": main_only + work / 2,
        "cpu": main_only + work,
        "main": main_only + sum(main for main, _ in stretches),
        "main_only": main_only,
        "stretches": [*stretches],
    }


@pytest.mark.parametrize(
    ("cores", "seconds"),
    [
        (2, 3 + 11),  # (2 + 20) / 2: the cores are busy
        (4, 3 + 5.5),
        (16, 3 + 2),  # the main process's own 2 s take longer than 22 s on 16 cores
        (64, 3 + 2),
    ],
)
def test_the_main_process_overlaps_with_its_workers_but_not_with_what_it_does_alone(
    cores: int, seconds: float
) -> None:
    assert predict(measured(3, (2, 20)), NO_START, 2, cores) == pytest.approx(seconds)


def test_stretches_do_not_overlap_with_each_other() -> None:
    assert predict(measured(1, (2, 4), (0, 16)), NO_START, 2, 4) == pytest.approx(1 + 2 + 4)


def test_each_worker_has_to_be_started_by_the_main_process() -> None:
    start = {"main": 0.01, "worker": 0.3}
    work = 20.0
    predicted = predict(measured(1, (0, 2 * 0.3 + work)), start, 2, 16)
    assert predicted == pytest.approx(1 + 16 * 0.01 + 0.3 + work / 16)


def test_no_core_makes_a_single_process_faster() -> None:
    assert predict(measured(50), NO_START, 2, 64) == 50


def test_the_start_of_a_worker_is_what_more_workers_take_for_the_same_work() -> None:
    added = prediction.ADDED_WORKERS
    few, many = {"main": 1.0, "cpu": 5.0}, {"main": 1.0 + 0.02 * added, "cpu": 5.0 + 0.32 * added}
    assert worker_start(few, many) == pytest.approx({"main": 0.02, "worker": 0.3})


@pytest.fixture
def turn() -> Result:
    """A turn on two cores, in which the project starts for 2 s and the pool for none."""
    runs = {"cold": measured(3, (2, 20)), "pool": measured(0.5, (1, 31)), "recipe": measured(33)}
    fixed = {"cold": 2.0, "pool": 0.0, "recipe": 0.0}
    start: dict[str, Any] = dict.fromkeys(runs, NO_START)
    return {**runs, "cores": 2, "fixed_start": fixed, "start": start, "on_cores": {}}


def test_seconds_are_measured_where_there_are_as_many_cores(turn: Result) -> None:
    assert wall_seconds(turn, "pool", 2) == turn["pool"]["seconds"]
    assert wall_seconds(turn, "cold", 4) == pytest.approx(3 + 5.5 - 2)
    on_4 = {name: {"seconds": seconds} for name, seconds in (("cold", 9), ("pool", 14))}
    with_4 = turn | {"on_cores": {"4": on_4}}
    assert wall_seconds(with_4, "cold", 4) == 9 - 2
    assert times_as_fast([with_4], "pool", 4) == [2.0]


def test_the_tables_say_what_is_predicted(turn: Result) -> None:
    parts, by_cores = prediction.tables([turn], 1000, "whole commands").values()
    assert parts[0] == {
        "part": "seconds in which only the main process works",
        "this project": "3.00",
        "pool": "0.50",
        "recipe": "33.00",
    }
    assert [row["cores"] for row in by_cores] == [
        "2, measured",
        "2, predicted",
        "4, predicted",
        "16, predicted",
        "64, predicted",
    ]
    on_16 = by_cores[3]
    assert (on_16["this project"], on_16["pool"], on_16["recipe"]) == ("3.0 s", "2.5 s", "33.0 s")
    assert (on_16["times as fast as the pool"], on_16["times as fast as the recipe"]) == (
        "0.83",
        "11.00",
    )

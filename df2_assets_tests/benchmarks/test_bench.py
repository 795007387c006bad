"""`make bench` at a toy size: everything runs, and what it finds is told in tables."""

import copy
import json
from pathlib import Path

import click
import pytest
from PIL import Image

from benchmarks import bench
from benchmarks.bench_report import bench_goals, bench_report
from benchmarks.builds import Result
from benchmarks.figures import stages
from benchmarks.measure import PROJECT
from benchmarks.plot import plot
from benchmarks.report import keep, load
from benchmarks.tables import Goal, goals
from benchmarks.work_folder import ask_for_room, work_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Result:
    plan = bench.Plan(images=80, smaller=(), workers=(), turns=1, photos=20)
    work = tmp_path_factory.mktemp("bench")
    return bench.take_turns(plan, bench.prepare(plan, work))


@pytest.fixture
def of_two_sizes(results: Result) -> Result:
    """The same results as if smaller builds and other numbers of workers had been measured too."""
    told: Result = copy.deepcopy(results)
    for turn in told["turns"]:
        turn["smaller"] = {"20": turn["cold"]}
        turn["workers"] = {"1": turn["cold"], "2": turn["cold"]}
    return told


def rows(markdown: str) -> list[list[str]]:
    """The cells of every line of every table; a table whose lines differ in length is none."""
    lines = [line.strip("|").split("|") for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines]


def test_one_turn_measures_every_command(results: Result) -> None:
    (turn,) = results["turns"]
    for name in ("nothing", "nothing_of_three", "cold", "unchanged", "changed", "recipe"):
        assert turn[name]["cpu"] > 0
        assert turn[name]["peak_bytes"] > 10 * 2**20
    assert list(turn["nothing_of_three"]["splits"]) == ["test", "validation", "train"]
    cut, unchanged = (
        turn[name]["splits"]["train"]["numbers"]["crops"] for name in ("cold", "unchanged")
    )
    assert turn["codec"]["crops"] == cut["crops"] == cut["added"] > 20
    assert turn["codec"]["images"] == cut["images_decoded"]
    assert (unchanged["crops"], unchanged["images_decoded"]) == (cut["crops"], 0)


def test_one_changed_annotation_remakes_the_crops_of_its_image(results: Result) -> None:
    (turn,) = results["turns"]
    made = turn["changed"]["splits"]["train"]["numbers"]["crops"]
    assert made["images_decoded"] == 1
    assert made["remade"] == turn["changed"]["crops_of_image"] > 0
    assert made["added"] == made["removed"] == 0


def test_the_stages_together_are_the_whole_build(results: Result) -> None:
    (turn,) = results["turns"]
    assert sum(stages(turn, 2).values()) == pytest.approx(turn["cold"]["seconds"])


def test_the_report_has_every_goal_and_well_formed_tables(of_two_sizes: Result) -> None:
    report = bench_report(of_two_sizes)
    found = rows(report)
    assert [row[0] for row in found if len(row) == 4][2:] == [
        goal.what for goal in bench_goals(of_two_sizes)
    ]
    assert {row[-1] for row in found if len(row) == 4} == {"met", "---:", "yes", "**no**"}
    assert [row[0] for row in found if len(row) == 5][2:] == ["20", "80"]
    assert {"index: annotations and image headers", "decode", "checks"} < {row[0] for row in found}


def test_the_report_says_nothing_of_whose_machine_it_is(of_two_sizes: Result) -> None:
    told = bench_report(of_two_sizes) + json.dumps(of_two_sizes)
    assert str(Path.home()) not in told
    assert str(PROJECT) not in told


def test_results_go_between_the_markers_and_into_a_file(results: Result, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n")
    for text in ("| first |", "| second |"):
        keep("bench", results, text, tmp_path)
    assert readme.read_text() == (
        "before\n<!-- bench: begin -->\n\n| second |\n\n<!-- bench: end -->\nafter\n"
    )
    assert load("bench", tmp_path) == json.loads(json.dumps(results))
    assert load("rehearsal", tmp_path) is None


def test_the_readme_has_a_place_for_each_report(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text((PROJECT / "benchmarks/README.md").read_text())
    for name in ("bench", "rehearsal"):
        keep(name, {}, f"figures of {name}", tmp_path)
    told = (tmp_path / "README.md").read_text()
    assert told.index("figures of bench") < told.index("figures of rehearsal")


def test_the_plot_is_a_small_picture(of_two_sizes: Result, tmp_path: Path) -> None:
    plot(of_two_sizes, tmp_path / "scaling.png")
    with Image.open(tmp_path / "scaling.png") as picture:
        assert picture.format == "PNG"
        assert picture.width < 1000
    assert (tmp_path / "scaling.png").stat().st_size < 100_000


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.9, "**no**"), (1.0, "yes"), (1.5, "yes"), (2.1, "**no**")]
)
def test_a_goal_is_met_within_its_bounds(value: float, verdict: str) -> None:
    goal = Goal("what", "1 to 2", [value, value, 9.0], "{:.1f} s", least=1.0, most=2.0)
    assert rows(goals([goal]))[2] == ["what", "1 to 2", f"{value} s ({value} s to 9.0 s)", verdict]


def test_a_disk_that_is_too_small_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="not enough"):
        ask_for_room(tmp_path / "work", 10**18, ask=False)
    assert not (tmp_path / "work").exists()


def test_a_folder_that_is_there_is_not_taken_over(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="there already"):
        ask_for_room(tmp_path, 1, ask=False)


def test_the_work_folder_is_gone_also_after_a_failure_unless_it_is_to_be_kept(
    tmp_path: Path,
) -> None:
    with pytest.raises(ZeroDivisionError), work_folder(tmp_path / "work"):
        1 / 0  # noqa: B018
    assert not (tmp_path / "work").exists()
    with work_folder(tmp_path / "kept", keep=True) as folder:
        (folder / "file").touch()
    assert (tmp_path / "kept/file").exists()

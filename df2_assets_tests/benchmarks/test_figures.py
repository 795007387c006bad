"""Figures are kept as raw numbers, and shown with their goals in tables of the README."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bench, bucket, engines, estimates, loaders, rehearsal, scale, variants
from benchmarks.figures import FOLDER, load, rate_goal, render_section, write

STORED: dict[str, Any] = {
    "bench": bench,
    "bucket": bucket,
    "engines": engines,
    "estimates": estimates,
    "loaders": loaders,
    "rehearsal": rehearsal,
    "scale": scale,
    "variants": variants,
}
MACHINE = dict.fromkeys(("cores", "memory_gib", "python", "pillow", "libjpeg_turbo", "dagster"), 1)


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.9, "**no**"), (1.0, "yes"), (1.5, "yes"), (2.1, "**no**")]
)
def test_a_goal_is_met_if_the_median_is_within_its_bounds(value: float, verdict: str) -> None:
    assert rate_goal("what", [value, 9.0, value], "{:.1f} s", least=1, most=2, note="why") == {
        "what": "what",
        "goal": "≥ 1.0 s and ≤ 2.0 s",
        "measured": f"{value} s ({value} s to 9.0 s); why",
        "met": verdict,
    }


def test_results_go_between_the_markers_and_into_a_file(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- new: begin -->\nold\n<!-- new: end -->\nafter\n")
    for seconds in (2, 1):
        results = {"machine": MACHINE, "seconds": seconds}
        rows = [{"build": "cold", "time": f"{seconds} s"}, {"build": "again", "time": "0 s"}]
        write("new", results, {"By build": rows, "Warnings": []}, tmp_path)
    on, rest = readme.read_text().split("\n\n**By build**\n\n")
    assert on.startswith("before\n<!-- new: begin -->\n\nOn 1 cores")
    table = "| build | time |\n| --- | ---: |\n| cold | 1 s |\n| again | 0 s |"
    assert rest == f"{table}\n\n<!-- new: end -->\nafter\n"
    assert load("new", tmp_path) == results
    assert load("other", tmp_path) is None


@pytest.mark.parametrize("name", STORED)
def test_the_readme_shows_the_stored_numbers_and_no_paths(name: str) -> None:
    results = load(name)
    assert results is not None
    shown = render_section(results, STORED[name].tables(results))
    assert shown in (FOLDER / "README.md").read_text()
    assert re.findall(r"/(?:home|root|tmp|work|mnt|Users)\b", shown + json.dumps(results)) == []

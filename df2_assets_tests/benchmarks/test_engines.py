"""`make bench-engines` at a toy size: both engines build, and what they took is told in tables."""

from pathlib import Path

import pytest

from benchmarks.builds import Place
from benchmarks.data import make_data_set, make_photos
from benchmarks.engines import engines_report, take_turns


@pytest.mark.ray
def test_both_engines_are_measured_on_the_same_input(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the ray extra")
    place = Place(tmp_path / "in", tmp_path / "out", tmp_path / "home")
    photos = make_photos(tmp_path / "photos", {"train": 20})
    make_data_set(place.df2_root, {"train": 80}, photos)
    results = take_turns(place, 80, 1)
    (turn,) = results["turns"]
    made = [turn[engine]["splits"]["train"]["numbers"]["crops"] for engine in ("local", "ray")]
    assert made[0]["crops"] == made[1]["crops"] > 0
    report = engines_report(results)
    assert "80 images, built cold; medians of 1 turns" in report
    assert [line.split()[1] for line in report.splitlines()[-2:]] == ["local", "ray"]

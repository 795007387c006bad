"""A bucket is a data set like any other, of small pictures."""

from pathlib import Path

import pytest

from benchmarks import bucket
from benchmarks.builds import read_number


@pytest.mark.slow
def test_a_bucket_is_built_with_every_check_and_again(tmp_path: Path) -> None:
    results = bucket.measure(tmp_path, images=60, pictures=20)
    cold, unchanged = results["cold"], results["unchanged"]
    crops = read_number(cold, "crops", "crops")
    assert read_number(cold, "raw_annotation_index", "annotations_read") == 60
    assert read_number(cold, "crops", "added") == crops > 0
    assert read_number(unchanged, "crops", "images_decoded") == 0
    ((title, rows),) = bucket.tables(results).items()
    assert title == f"60 images of 96 x 128 pixels, 20 of them different; {crops:.0f} crops"
    assert [row["build"] for row in rows] == ["cold", "unchanged"]

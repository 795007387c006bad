"""The bucket that is built whole is a data set like any other, of small pictures."""

from pathlib import Path

import pytest

from benchmarks.bucket import bucket_report, measure


@pytest.mark.slow
def test_a_bucket_is_built_with_every_check_and_again(tmp_path: Path) -> None:
    results = measure(tmp_path, images=60, pictures=20)
    cold, unchanged = (
        results[name]["splits"]["train"]["numbers"] for name in ("cold", "unchanged")
    )
    assert cold["raw_annotation_index"]["annotations_read"] == 60
    assert cold["crops"]["added"] == cold["crops"]["crops"] > 0
    assert unchanged["crops"]["images_decoded"] == 0
    report = bucket_report(results)
    assert "60 images of 96 x 128 pixels, 20 of them different" in report
    assert f"{cold['crops']['crops']} crops" in report

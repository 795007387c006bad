"""`make scale` at a toy size: buckets lose no crop of what is one table."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import scale

SIZE = 3000


def test_buckets_hold_what_one_table_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "IMAGES_PER_BUCKET", SIZE // 3)
    items = scale.index(tmp_path, SIZE)
    buckets = [pq.read_table(path) for path in sorted(tmp_path.glob("index-*.parquet"))]
    assert len(buckets) == 3
    assert sum(len(bucket) for bucket in buckets) == items > SIZE
    pairs = [set(bucket["pair_id"].to_pylist()) for bucket in buckets]
    assert sum(map(len, pairs)) == len(set.union(*pairs))

    crops = scale.group_whole(tmp_path, SIZE)
    assert items > crops > SIZE / 2
    assert scale.group_buckets(tmp_path, SIZE) == crops
    assert SIZE / 2 < scale.plan_buckets(tmp_path, SIZE) <= min(crops, SIZE)


@pytest.mark.slow
def test_every_step_is_measured_at_each_size(tmp_path: Path) -> None:
    results = scale.measure(tmp_path, [50, 100])
    for steps in results["sizes"].values():
        assert list(steps) == list(scale.STEPS)
        assert all(of["counted"] > 20 and of["peak_bytes"] > 0 for of in steps.values())
    (rows,) = scale.tables(results).values()
    assert [row["annotations"] for row in rows] == ["50"] * 4 + ["100"] * 4

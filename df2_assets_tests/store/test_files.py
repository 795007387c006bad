"""The status and the temporary name of a file."""

import os

import numpy as np

from df2_assets.store.store import status_of

NS = 10**9


def status(size: int, time: int) -> os.stat_result:
    return os.stat_result((0,) * 6 + (size, 0, 0, 0), {"st_mtime_ns": time})


def test_any_time_fits_a_column_and_different_times_stay_different() -> None:
    times = [-(2**40) * NS, -1, 0, 2**63 - 1, 2**63, 10_000_000_000 * NS, 10_000_000_000 * NS + 1]
    recorded = [status_of(status(5, time)) for time in times]
    assert np.array(recorded, "int64")[:, 0].tolist() == [5] * len(times)
    assert len(set(recorded)) == len(times)
    assert recorded[1:4] == [(5, -1), (5, 0), (5, 2**63 - 1)]

"""The section of the README that `make scale` writes."""

from typing import Final

from benchmarks.builds import Result
from benchmarks.figures import MIB
from benchmarks.tables import on, table

_SAID: Final = {
    "index": ("rows of the readers into tables, a bucket each", "items"),
    "group_whole": ("grouped, all buckets as one table", "crops"),
    "group_buckets": ("grouped, bucket by bucket", "crops"),
    "plan_buckets": ("a first build planned, bucket by bucket", "images to decode"),
}


def scale_report(results: Result) -> str:
    """Seconds, rate and memory of each step at each size."""
    rows = [
        (
            f"{int(size):,}",
            _SAID[step][0],
            f"{taken['counted']:,} {_SAID[step][1]}",
            f"{taken['seconds']:.1f} s",
            f"{taken['counted'] / taken['seconds']:,.0f}/s",
            f"{taken['peak_bytes'] / MIB:,.0f} MiB",
        )
        for size, steps in results["sizes"].items()
        for step, taken in steps.items()
    ]
    head = ("annotations", "step", "counted", "time", "rate", "peak memory")
    return f"On {on(results['machine'])}\n\n{table(head, rows)}"

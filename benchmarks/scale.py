"""`make scale`: index, grouping and plan of ten million generated annotations, without images.

The annotations go into buckets by pair id, as they would into partitions (split x bucket): no SKU
is in two of them, and each bucket has its own image ids. Every step runs in its own process, so
time and memory are those of the step. `make bench` and `make rehearsal` measure what needs files:
listing, reading and cutting.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path
from typing import Final

import click
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.builds import SPLIT
from benchmarks.figures import MIB, Result, Tables, describe_machine, write
from benchmarks.measure import run, work_folder
from benchmarks.pairs import ImageContent, images
from df2_assets.dataset.skus import group_index
from df2_assets.dataset.tables import FILES, RAW_ANNOTATION_INDEX
from df2_assets.dataset.taxonomy import CATEGORIES, LABELS
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.indexing import table_of
from df2_assets.pipeline.planning import plan_crops
from df2_assets.pipeline.reading import IndexRow, index_row
from df2_assets.settings import make_roots
from df2_assets.store import tables as store
from df2_assets.store.crop_sets import contract_crops

SIZES: Final = (100_000, 1_000_000, 10_000_000)
IMAGES_PER_BUCKET: Final = 625_000
"""Six digits name 999,999 images, and one metadata document can hold a million crops."""

_STEP: Final = """
import sys
from pathlib import Path
from benchmarks.scale import STEPS
_, step, folder, size = sys.argv
print(STEPS[step][0](Path(folder), int(size)))
"""

_IMAGES_PER_CHUNK: Final = 1_000_000
_WIDTH, _HEIGHT = 468, 624
_BYTES_PER_IMAGE: Final = 100


@click.command()
@click.option("--images", "largest", default=SIZES[-1], show_default=True, help="Largest size.")
def main(largest: int) -> None:
    """Run every step at each size, and write what it took."""
    sizes = [*(size for size in SIZES if size < largest), largest]
    with work_folder("scale", largest * _BYTES_PER_IMAGE) as work:
        results = measure(work, sizes)
    write("scale", results, tables(results))


def measure(work: Path, sizes: list[int]) -> Result:
    """Run every step at each size, each in its own process."""
    results: Result = {"machine": describe_machine(), "sizes": {str(size): {} for size in sizes}}
    for size in sizes:
        folder = work / str(size)
        folder.mkdir()
        for name in STEPS:
            measured = run([sys.executable, "-c", _STEP, name, str(folder), str(size)])
            counted = int(measured.output)
            click.echo(
                f"{size:,} images, {name}: {counted:,} in {measured.numbers['seconds']:.0f} s"
            )
            results["sizes"][str(size)][name] = measured.numbers | {"counted": counted}
    return results


def tables(results: Result) -> Tables:
    """Return one table: seconds, rate and memory of each step at each size."""
    return {
        "By step": [
            {
                "annotations": f"{int(size):,}",
                "step": STEPS[name][1],
                "counted": f"{of['counted']:,} {STEPS[name][2]}",
                "time": f"{of['seconds']:.1f} s",
                "rate": f"{of['counted'] / of['seconds']:,.0f}/s",
                "peak memory": f"{of['peak_bytes'] / MIB:,.0f} MiB",
            }
            for size, steps in results["sizes"].items()
            for name, of in steps.items()
        ]
    }


def index(folder: Path, size: int) -> int:
    """Write rows like those of the readers into one table per bucket; return their number."""
    buckets = -(-size // IMAGES_PER_BUCKET)
    numbers = [count(1) for _ in range(buckets)]
    stream, rng, total = images(SPLIT), random.Random(0), 0
    with ExitStack() as stack:
        writers = [
            stack.enter_context(pq.ParquetWriter(path, RAW_ANNOTATION_INDEX, compression="zstd"))
            for path in (folder / f"index-{bucket:03d}.parquet" for bucket in range(buckets))
        ]
        for start in range(0, size, _IMAGES_PER_CHUNK):
            rows: list[list[IndexRow]] = [[] for _ in writers]
            for image in islice(stream, min(_IMAGES_PER_CHUNK, size - start)):
                bucket = image.pair_id % buckets
                rows[bucket] += _rows(f"{next(numbers[bucket]):06d}", image, rng)
            for writer, of_bucket in zip(writers, rows, strict=True):
                writer.write_table(table_of(of_bucket))
                total += len(of_bucket)
    return total


def group_whole(folder: Path, size: int) -> int:
    """Group all buckets as one table; return the number of crops."""
    whole = pa.concat_tables(map(pq.read_table, _buckets(folder, "index")))
    return len(group_index(whole))


def group_buckets(folder: Path, size: int) -> int:
    """Group bucket by bucket and write the groups; return the number of crops."""
    crops = 0
    for path in _buckets(folder, "index"):
        groups = group_index(pq.read_table(path))
        pq.write_table(groups, path.with_name(path.name.replace("index", "groups")))
        crops += groups.num_rows
    return crops


def plan_buckets(folder: Path, size: int) -> int:
    """Plan a first build bucket by bucket; return the number of images to decode."""
    roots = make_roots(str(folder / "in"), str(folder / "out"))
    decoded = 0
    for path in _buckets(folder, "groups"):
        groups = pq.read_table(path)
        names = groups["image_id"].unique()
        stamps = {name: pa.repeat(1, len(names)) for name in FILES.names if "_" in name}
        files = pa.table({**stamps, "image_id": names})
        plan = plan_crops(
            roots, contract_crops(SPLIT), store.frame(groups), store.frame(files), SerialEngine()
        )
        decoded += len(plan.images)
    return decoded


def _buckets(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.glob(f"{kind}-*.parquet"))


def _rows(image_id: str, image: ImageContent, rng: random.Random) -> Iterator[IndexRow]:
    for number, item in enumerate(image.items, start=1):
        x, y = rng.randrange(200), rng.randrange(300)
        yield index_row(
            {
                "split": SPLIT,
                "image_id": image_id,
                "item_idx": number,
                "source": image.source,
                "pair_id": image.pair_id,
                "style": item.style,
                "category_id": item.category_id,
                "category_name": CATEGORIES[item.category_id],
                "x1": x,
                "y1": y,
                "x2": x + 200,
                "y2": y + 300,
                **dict.fromkeys(LABELS, 1),
                "width": _WIDTH,
                "height": _HEIGHT,
            }
        )


STEPS: Final = {
    "index": (index, "rows of the readers into one table per bucket", "items"),
    "group_whole": (group_whole, "grouped, all buckets as one table", "crops"),
    "group_buckets": (group_buckets, "grouped, bucket by bucket", "crops"),
    "plan_buckets": (plan_buckets, "a first build planned, bucket by bucket", "images to decode"),
}
"""The steps by name: function, description, and what it counts."""


if __name__ == "__main__":
    main()

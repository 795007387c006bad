"""`make scale`: ten million made-up annotations through index, grouping and plan, no image read.

The annotations go into buckets by pair id, as they would as partitions (split x bucket): no SKU
lies in two of them, and each has image ids of its own. Every step is a process of its own, whose
time and memory are taken. What only files can tell (listing, reading, cutting them) is measured by
`make bench` and `make rehearsal`.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Final

import click
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.builds import Result, took
from benchmarks.measure import PROJECT, python, run
from benchmarks.pairs import Shown, images
from benchmarks.report import keep, machine
from benchmarks.scale_report import scale_report
from benchmarks.work_folder import ask_for_room, work_folder
from df2_assets.dataset.tables import FILES, RAW_ANNOTATION_INDEX
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.pipeline.grouping import group_index
from df2_assets.pipeline.indexing import table_of
from df2_assets.pipeline.planning import plan_crops
from df2_assets.pipeline.reading import IndexRow
from df2_assets.settings import Settings
from df2_assets.store import tables

SIZES: Final = (100_000, 1_000_000, 10_000_000)
IMAGES_A_BUCKET: Final = 625_000
"""Six digits name 999,999 images, and one metadata document is good for a million crops."""

STEPS: Final = ("index", "group_whole", "group_buckets", "plan_buckets")
SPLIT: Final = "train"
_ROWS: Final = 100_000
_WIDTH, _HEIGHT = 468, 624
_BYTES_AN_IMAGE: Final = 100


@click.group()
def main() -> None:
    """See the module."""


@main.command()
@click.option("--images", "largest", default=SIZES[-1], show_default=True, help="At most so many.")
def measure(largest: int) -> None:
    """Run every step at each size, and write what it took."""
    sizes = [size for size in SIZES if size < largest] + [largest]
    work = PROJECT / "data" / "scale"
    ask_for_room(work, largest * _BYTES_AN_IMAGE, ask=False)
    results: Result = {"machine": machine(), "sizes": {}}
    with work_folder(work):
        for size in sizes:
            folder = work / str(size)
            folder.mkdir()
            results["sizes"][size] = {step: _take(step, folder, size) for step in STEPS}
    keep("scale", results, scale_report(results), PROJECT / "benchmarks")


def _take(step: str, folder: Path, size: int) -> Result:
    taken = run(python("benchmarks.scale", "step", step, folder, size))
    counted = int(taken.output)
    click.echo(f"{size:,} images, {step}: {counted:,} in {taken.seconds:.0f} s")
    return took(taken) | {"counted": counted}


@main.command()
@click.argument("name", type=click.Choice(STEPS))
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("size", type=int)
def step(name: str, folder: Path, size: int) -> None:
    """Run one step over what those before it have left in FOLDER; prints what it has counted."""
    work = {
        "index": index,
        "group_whole": group_whole,
        "group_buckets": group_buckets,
        "plan_buckets": plan_buckets,
    }
    click.echo(work[name](folder, size))


def index(folder: Path, size: int) -> int:
    """Rows as the readers give them into a table a bucket; how many rows."""
    count = -(-size // IMAGES_A_BUCKET)
    numbers, waiting, total = [0] * count, [list[IndexRow]() for _ in range(count)], 0
    rng = random.Random(0)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(pq.ParquetWriter(path, RAW_ANNOTATION_INDEX, compression="zstd"))
            for path in (folder / f"index-{bucket:03d}.parquet" for bucket in range(count))
        ]
        for shown in islice(images(SPLIT), size):
            bucket = shown.pair_id % count
            numbers[bucket] += 1
            rows = waiting[bucket]
            rows += _rows(f"{numbers[bucket]:06d}", shown, rng)
            if len(rows) >= _ROWS:
                total += _write(writers[bucket], rows)
        for writer, rows in zip(writers, waiting, strict=True):
            total += _write(writer, rows)
    return total


def group_whole(folder: Path, size: int) -> int:
    """All buckets as one table, grouped at once; how many crops."""
    whole = pa.concat_tables(map(pq.read_table, _buckets(folder, "index")))
    return len(group_index(whole))


def group_buckets(folder: Path, size: int) -> int:
    """Bucket by bucket, each written; how many crops."""
    crops = 0
    for path in _buckets(folder, "index"):
        groups = group_index(pq.read_table(path))
        pq.write_table(groups, path.with_name(path.name.replace("index", "groups")))
        crops += groups.num_rows
    return crops


def plan_buckets(folder: Path, size: int) -> int:
    """A first build planned, bucket by bucket; how many images would be decoded."""
    settings = Settings(df2_root=folder / "in", sku_root=str(folder / "out"))
    decoded = 0
    for path in _buckets(folder, "groups"):
        groups = pq.read_table(path)
        names = groups["image_id"].unique()
        stamps = {name: pa.repeat(1, len(names)) for name in FILES.names if "_" in name}
        files = pa.table({**stamps, "image_id": names})
        decoded += len(plan_crops(settings, SPLIT, *map(tables.frame, (groups, files))).images)
    return decoded


def _buckets(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.glob(f"{kind}-*.parquet"))


def _rows(image_id: str, shown: Shown, rng: random.Random) -> Iterator[IndexRow]:
    for number, item in enumerate(shown.items, start=1):
        x, y = rng.randrange(200), rng.randrange(300)
        yield IndexRow(
            SPLIT,
            image_id,
            number,
            shown.source,
            shown.pair_id,
            item.style,
            item.category_id,
            CATEGORIES[item.category_id],
            x,
            y,
            x + 200,
            y + 300,
            occlusion=1,
            viewpoint=2,
            scale=2,
            width=_WIDTH,
            height=_HEIGHT,
        )


def _write(writer: pq.ParquetWriter, rows: list[IndexRow]) -> int:
    written = len(rows)
    writer.write_table(table_of(rows))
    rows.clear()
    return written


if __name__ == "__main__":
    main()

"""The check of the benchmark's own crops: whether the files match the manifest and the items."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import pandas as pd

from df2_assets.checks.crop_variants import (
    NO_CROP,
    NO_MANIFEST,
    NO_ROW,
    OTHER_SIZE,
    ReadBack,
    compare_files,
    describe_outdated,
    digests_of,
)
from df2_assets.checks.crops import DAMAGED, FOREIGN, settle_times
from df2_assets.checks.finding import (
    Finding,
    Inspection,
    Problem,
    crop_rows,
    describe_first,
    number_of,
)
from df2_assets.dataset import boxes
from df2_assets.dataset.frames import rows
from df2_assets.dataset.record import EDGES
from df2_assets.dataset.tables import BENCHMARK_CROPS as SCHEMA
from df2_assets.engines.base import Engine
from df2_assets.errors import OutputError
from df2_assets.pipeline.benchmark import group_benchmark
from df2_assets.pipeline.scanning import scan_crops
from df2_assets.store import tables
from df2_assets.store.crop_sets import benchmark_crops
from df2_assets.store.layout import BENCHMARK_CROPS, Roots

CHECK: Final = "benchmark_match"


def benchmark_match(
    roots: Roots, split: str, index: pd.DataFrame, manifest: pd.DataFrame, engine: Engine
) -> Finding:
    """Check for one file per item that only the benchmark has, as recorded; no other files."""
    return inspect_benchmark(roots, split, index, manifest, engine)[0].finding


def inspect_benchmark(
    roots: Roots,
    split: str,
    index: pd.DataFrame,
    manifest: pd.DataFrame,
    engine: Engine,
    read_back: ReadBack | None = None,
) -> tuple[Inspection, list[str]]:
    """Return the inspection of the crops, and those whose damage only their bytes show.

    `index` and `manifest` are those of the contract. With `read_back`, every file is read.
    """
    try:
        tree = scan_crops(roots, benchmark_crops(roots, split), engine)
    except OutputError as error:
        return _inspection(split, [("", str(error))], 0, 0), []
    table = tables.find(roots, BENCHMARK_CROPS, split)
    problems: list[tuple[str, str]] = []
    if table is None:
        own = tables.frame(SCHEMA.empty_table())
        problems.append(("", NO_MANIFEST))
    else:
        own = tables.frame(table)
        problems += (("", what) for what in describe_outdated(roots, split, BENCHMARK_CROPS))
        if not problems:
            problems += _other_items(group_benchmark(roots, split, index, manifest), own)
    made = own[own["reason"].isna()]
    on_disk = [path for path in made["crop_path"] if path in tree.crops]
    read = read_back(on_disk) if read_back else {}
    tree = settle_times(made, tree, partial(digests_of, roots, read if read_back else None))
    of_files = list(compare_files(made, tree, read))
    damaged = [path for path, what in of_files if what == DAMAGED]
    return _inspection(split, problems + of_files, len(made), len(tree.copied)), damaged


def _other_items(groups: pd.DataFrame, own: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield items without a row, rows without an item, and rows of another size than the box."""
    columns = ("crop_path", *EDGES)
    sizes = {path: boxes.size((x1, y1, x2, y2)) for path, x1, y1, x2, y2 in rows(groups, *columns)}
    for path, reason, *size in rows(own, "crop_path", "reason", "width", "height"):
        if path not in sizes:
            yield path, NO_CROP
        elif pd.isna(reason) and tuple(size) != sizes[path]:
            yield path, OTHER_SIZE
    yield from ((path, NO_ROW) for path in sorted(sizes.keys() - {*own["crop_path"]}))


def _inspection(split: str, problems: list[tuple[str, str]], crops: int, copied: int) -> Inspection:
    foreign = sum(what == FOREIGN for _, what in problems)
    numbers: dict[str, int | float] = {"crops": crops, "foreign": foreign}
    if not problems:
        summary = f"{number_of(crops, 'crop')}, all as recorded."
        return Inspection(Finding(True, "error", crops, summary, numbers=numbers), [], copied)
    paths, whats = zip(*problems, strict=True)
    offenders = crop_rows(paths).assign(split=split, what=[*whats])
    summary = f"{describe_first(problems, foreign)}. Run df2-assets benchmark --split {split}"
    repairs = [
        Problem(
            f"{BENCHMARK_CROPS}: {CHECK}",
            what,
            "you" if what == FOREIGN else "benchmark",
            path or None,
        )
        for path, what in problems
    ]
    return Inspection(Finding(False, "error", crops, summary, offenders, numbers), repairs, copied)

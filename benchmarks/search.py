"""`python -m benchmarks.search`: exact search by blocks, compared with a flat index of FAISS.

The vectors are made up: Gaussian, around as many centres as the gallery has SKUs. Each way runs in
a process of its own, in turns.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import click
import numpy as np
import numpy.typing as npt

from df2_assets.retrieval.search import MEMORY, search

K: Final = 20
_PER_SKU: Final = 10
_NEAR: Final = 1e-6
"""Scores that differ by less are equal: the two ways sum up a product in another order."""

Arrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def search_with_faiss(queries: npt.NDArray[np.float32], gallery: npt.NDArray[np.float32]) -> Arrays:
    """Return the scores and positions of a flat index of inner products."""
    import faiss

    faiss.normalize_L2(gallery)
    faiss.normalize_L2(queries)
    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(gallery)
    scores, positions = index.search(queries, K)
    return scores, positions


def search_by_blocks(queries: npt.NDArray[np.float32], gallery: npt.NDArray[np.float32]) -> Arrays:
    return search(queries, gallery, K)


WAYS: Final[dict[str, Callable[..., Arrays]]] = {
    "blocks": search_by_blocks,
    "faiss": search_with_faiss,
}


class _Took(NamedTuple):
    """What a way took: seconds, processor seconds of all threads, and the peak in bytes."""

    seconds: float
    cpu: float
    peak: float


def draw(folder: Path, queries: int, gallery: int, dimension: int) -> None:
    """Write made-up vectors of queries and gallery."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((max(1, gallery // _PER_SKU), dimension), dtype=np.float32)
    for name, count in (("queries", queries), ("gallery", gallery)):
        vectors = centres[rng.integers(len(centres), size=count)]
        vectors += rng.standard_normal((count, dimension), dtype=np.float32)
        np.save(folder / f"{name}.npy", vectors)


def run_way(way: str, folder: Path) -> None:
    """Search in this process, write the result, and print what it took: see `_Took`."""
    queries, gallery = np.load(folder / "queries.npy"), np.load(folder / "gallery.npy")
    begun = time.perf_counter(), time.process_time()
    scores, positions = WAYS[way](queries, gallery)
    seconds, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    np.save(folder / f"{way}_scores.npy", scores)
    np.save(folder / f"{way}_positions.npy", positions)
    click.echo(f"{seconds} {cpu} {_peak_bytes()}")


def _peak_bytes() -> int:
    """Return the most memory that this process has had. `getrusage` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def count_differences(folder: Path) -> tuple[int, int]:
    """Return how many places of the rankings differ, and how many differ by more than rounding."""
    scores, positions = (
        [np.load(folder / f"{way}_{kind}.npy") for way in WAYS] for kind in ("scores", "positions")
    )
    differs = positions[0] != positions[1]
    return int(differs.sum()), int((differs & (np.abs(scores[0] - scores[1]) > _NEAR)).sum())


@click.command(help=__doc__)
@click.option("--queries", default=20_000, show_default=True)
@click.option("--gallery", default=200_000, show_default=True)
@click.option("--dimension", default=512, show_default=True)
@click.option("--turns", default=3, show_default=True)
@click.option("--way", type=click.Choice([*WAYS]), hidden=True)
@click.option("--folder", type=click.Path(path_type=Path), hidden=True)
def main(
    queries: int, gallery: int, dimension: int, turns: int, way: str | None, folder: Path | None
) -> None:
    if way and folder:
        return run_way(way, folder)
    with TemporaryDirectory() as temporary:
        drawn = Path(temporary)
        draw(drawn, queries, gallery, dimension)
        figures: dict[str, list[_Took]] = {name: [] for name in WAYS}
        for turn in range(turns):
            for name in WAYS if turn % 2 == 0 else reversed(WAYS):
                command = [sys.executable, "-m", "benchmarks.search", "--way", name]
                done = subprocess.run(
                    [*command, "--folder", temporary], capture_output=True, text=True, check=True
                )
                figures[name].append(_Took(*map(float, done.stdout.split())))
        differing, wrong = count_differences(drawn)
    vectors = 4 * dimension * (queries + gallery)
    click.echo(f"vectors: {vectors / 1e6:,.0f} MB; scores at a time: {MEMORY / 1e6:,.0f} MB")
    for name, measured in figures.items():
        seconds, cpu, peak = (median(values) for values in zip(*measured, strict=True))
        click.echo(
            f"{name}: {seconds:.1f} s, {cpu:.1f} processor seconds, {peak / 1e6:,.0f} MB at most"
        )
    turned = [*zip(*figures.values(), strict=True)]
    for kind in ("seconds", "cpu"):
        ratio = median(getattr(ours, kind) / getattr(theirs, kind) for ours, theirs in turned)
        click.echo(f"blocks / faiss, {kind}, by turns: {ratio:.2f}")
    click.echo(
        f"places that differ: {differing:,} of {queries * K:,}, "
        f"{wrong:,} by more than {_NEAR:g} in score"
    )


if __name__ == "__main__":
    main()

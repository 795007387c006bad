"""`python -m benchmarks.loaders`: images a second of each way to load a build, in turns.

All do the same: decode a crop, make it 224 x 224, and stack 64 of them, in the order of the rows.
Each pass has workers of its own, and its clock starts with the first batch, so that what counts
is the rate that a long epoch comes to. On the processor alone: nothing is sent to another device.
"""

import statistics
import time
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
from PIL import Image

from benchmarks.builds import Place, Result, build
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.measure import PROJECT, python, run
from benchmarks.report import keep, machine
from benchmarks.tables import on, spread, table
from benchmarks.work_folder import ask_for_room, work_folder

_SPLIT: Final = "train"
_EXPORTS: Final = ("webdataset", "huggingface")
_BYTES_AN_IMAGE: Final = 200_000
"""What an image takes as crops, in tar files, in Parquet and in the cache of `datasets`."""

_SIDE: Final = 224
_BATCH: Final = 64


class Plan(NamedTuple):
    """A build of `images`, of which each pass loads `crops`; `workers` are numbers of processes."""

    images: int
    crops: int
    workers: tuple[int, ...]
    turns: int
    photos: int


@click.command()
@click.option("--images", default=25_000, show_default=True, help="Of the build.")
@click.option("--crops", default=3_000, show_default=True, help="Loaded in a pass.")
@click.option("--turns", default=5, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=PROJECT / "data" / "loaders")
def main(images: int, crops: int, turns: int, work: Path) -> None:
    """Measure, and write table and numbers into benchmarks/."""
    plan = Plan(images, crops, (0, 2), turns, photos=min(images, 2000))
    needed = bytes_of({_SPLIT: images}, {_SPLIT: plan.photos}) + images * _BYTES_AN_IMAGE
    ask_for_room(work, needed, ask=False)
    with work_folder(work):
        click.echo("Making the build and its exports.")
        results = take_turns(plan, prepare(plan, work), work / "cache")
    keep("loaders", results, report(results), PROJECT / "benchmarks")


def prepare(plan: Plan, work: Path) -> Path:
    """A build with its exports; returns its `SKU_ROOT`."""
    place = Place(work / "in", work / "out", work / "home")
    photos = make_photos(work / "photos", {_SPLIT: plan.photos})
    make_data_set(place.df2_root, {_SPLIT: plan.images}, photos)
    build(place, _SPLIT)
    run(python("df2_assets", "export", *_EXPORTS, "--split", _SPLIT), place.environment)
    return place.sku_root


def take_turns(plan: Plan, sku_root: Path, cache: Path) -> Result:
    """All turns: of each loader and number of workers the images a second.

    `cache` is where `datasets` may write. A pass of each that is not counted comes first.
    """
    loaders = data_sets(sku_root, cache)
    for loader in loaders.values():
        _rate(loader, 0, 4 * _BATCH)
    turns = []
    for number in range(1, plan.turns + 1):
        click.echo(f"Turn {number} of {plan.turns}.")
        turns.append(
            {
                name: {str(workers): _rate(loader, workers, plan.crops) for workers in plan.workers}
                for name, loader in loaders.items()
            }
        )
    return {"machine": machine(), "crops": plan.crops, "turns": turns}


def data_sets(sku_root: Path, cache: Path) -> dict[str, Any]:
    """What is loaded, by name; each gives the crops as tensors."""
    return {
        "loose files, `df2_assets.torch`": _loose(sku_root),
        "WebDataset shards": _shards(sku_root),
        "Hugging Face Parquet": _parquet(sku_root, cache),
    }


def report(results: Result) -> str:
    """A row a loader, with the rate and its ratio to that of the first within a turn."""
    turns = results["turns"]
    first, *_ = turns[0]
    workers = list(turns[0][first])
    head = ["loader", *(what for n in workers for what in (f"{n} workers, images/s", "ratio"))]
    rows = []
    for name in turns[0]:
        row = [name]
        for n in workers:
            ratio = statistics.median(turn[name][n] / turn[first][n] for turn in turns)
            row += [spread([turn[name][n] for turn in turns], "{:,.0f}"), f"{ratio:.2f}"]
        rows.append(row)
    return (
        f"On {on(results['machine'])} Processor only; medians of {len(turns)} turns, with the "
        f"least and the most; {results['crops']:,} crops a pass, and the ratio to the first row "
        f"within a turn.\n\n{table(head, rows)}"
    )


def _rate(dataset: Any, workers: int, crops: int) -> float:
    """Images a second from the first batch on."""
    from torch.utils.data import DataLoader

    context = "spawn" if workers else None
    loader = DataLoader(
        dataset, batch_size=_BATCH, num_workers=workers, multiprocessing_context=context
    )
    batches = iter(loader)
    next(batches)
    begun = time.perf_counter()
    loaded = sum(len(batch) for batch in islice(batches, crops // _BATCH))
    return loaded / (time.perf_counter() - begun)


def _pixels(image: Image.Image) -> Any:
    """A tensor of bytes, (3, 224, 224)."""
    import numpy as np
    import torch

    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


class _Field:
    """A map-style data set, one field of each item."""

    def __init__(self, dataset: Any, field: str) -> None:
        self._dataset, self._field = dataset, field

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Any:
        return self._dataset[index][self._field]


def _loose(sku_root: Path) -> Any:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    return _Field(DeepFashion2ImageTextDataset(sku_root, _SPLIT, transform=_pixels), "image")


def _shards(sku_root: Path) -> Any:
    import webdataset

    urls = _files(sku_root, f"webdataset/{_SPLIT}/*.tar")
    samples = webdataset.WebDataset(urls, shardshuffle=False).decode("pilrgb")
    return samples.to_tuple("jpg", "txt").map_tuple(_pixels).map(_first)


def _parquet(sku_root: Path, cache: Path) -> Any:
    from datasets import load_dataset

    files = _files(sku_root, f"huggingface/{_SPLIT}/parquet/*.parquet")
    rows = load_dataset("parquet", data_files=files, split="train", cache_dir=str(cache))
    rows.set_transform(_of_a_batch, columns=["image", "text"])
    return _Field(rows, "image")


def _files(sku_root: Path, pattern: str) -> list[str]:
    return sorted(map(str, (sku_root / "_df2_assets" / "exports").glob(pattern)))


def _first(sample: tuple[Any, ...]) -> Any:
    return sample[0]


def _of_a_batch(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return rows | {"image": [_pixels(image) for image in rows["image"]]}


if __name__ == "__main__":
    main()

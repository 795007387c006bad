"""`python -m benchmarks.loaders`: images per second of each way to load a build, in turns.

All do the same: decode a crop, resize it to 224 x 224, and stack 64 of them, in the order of the
rows. Only the files of the crop variant have that size already. Each pass has its own workers, and
its clock starts with the first batch, so the rate is that of a long epoch. Nothing is sent to a
GPU.
"""

import time
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
from PIL import Image

from benchmarks.builds import SPLIT, Place, build
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.figures import (
    Result,
    Tables,
    describe_machine,
    format_spread,
    tabulate_turns,
    write,
)
from benchmarks.measure import python_command, run, work_folder

_EXPORTS: Final = ("webdataset", "huggingface")
_BYTES_PER_IMAGE: Final = 200_000
"""Bytes of an image: crops, variants, tar files, Parquet, and the cache of `datasets`."""

_SIDE: Final = 224
_VARIANT: Final = "square"
_VARIANTS: Final = f"variants: {{{_VARIANT}: {{square: pad, size: {_SIDE}}}}}"
_BATCH: Final = 64


@click.command()
@click.option("--images", default=25_000, show_default=True, help="Images of the build.")
@click.option("--crops", default=3_000, show_default=True, help="Crops to load in a pass.")
@click.option("--turns", default=5, show_default=True)
def main(images: int, crops: int, turns: int) -> None:
    """Measure, and write tables and numbers into benchmarks/."""
    needed = bytes_of({SPLIT: images}, {SPLIT: 2000}) + images * _BYTES_PER_IMAGE
    with work_folder("loaders", needed) as work:
        results = measure(prepare(work, images), work / "cache", crops, turns)
    write("loaders", results, tables(results))


def prepare(work: Path, images: int) -> Path:
    """Make a build of `images` with its exports and a variant under `work`.

    Return its `SKU_ROOT`.
    """
    click.echo("Making the build, its exports and a crop variant.")
    photos = make_photos(work / "photos", {SPLIT: min(images, 2000)})
    df2_root = make_data_set(work / "in", {SPLIT: images}, photos)
    place = Place(df2_root, work / "out", work / "home")
    build(place, SPLIT)
    declared = work / "variants.yaml"
    declared.write_text(_VARIANTS)
    for command in (("export", *_EXPORTS), ("variants", "--variants", str(declared))):
        run(python_command("df2_assets", *command, "--split", SPLIT), place.environment)
    return place.sku_root


def measure(
    sku_root: Path, cache: Path, crops: int, turns: int, workers: tuple[int, ...] = (0, 2)
) -> Result:
    """Return the images per second of each loader and number of `workers`, by turn.

    Each pass loads `crops`, after a short one of each loader that does not count. `datasets` may
    write to `cache`.
    """
    loaders = data_sets(sku_root, cache)
    for loader in loaders.values():
        _rate(loader, 0, 4 * _BATCH)
    measured = []
    for turn in range(1, turns + 1):
        click.echo(f"Turn {turn} of {turns}.")
        measured.append(
            {
                name: {str(count): _rate(loader, count, crops) for count in workers}
                for name, loader in loaders.items()
            }
        )
    return {"machine": describe_machine(), "crops": crops, "turns": measured}


def data_sets(sku_root: Path, cache: Path) -> dict[str, Any]:
    """Return the data sets to load, by name; their items are the crops as tensors."""
    return {
        "crop files, `df2_assets.torch`": _crop_files(sku_root),
        "files of a variant of 224 pixels, `df2_assets.torch`": _crop_files(sku_root, _VARIANT),
        "WebDataset shards": _shards(sku_root),
        "Hugging Face Parquet": _parquet(sku_root, cache),
    }


def tables(results: Result) -> Tables:
    """Return the rate of each loader, and its ratio to the first one within a turn."""
    turns, rows = tabulate_turns(results), []
    first, *_ = results["turns"][0]
    for name, workers in results["turns"][0].items():
        row = {"loader": name}
        for n in workers:
            ratio = turns[f"{name}.{n}"] / turns[f"{first}.{n}"]
            row[f"{n} workers, images/s"] = format_spread(turns[f"{name}.{n}"], "{:,.0f}")
            row[f"{n} workers, ratio"] = f"{ratio.median():.2f}"
        rows.append(row)
    title = f"By loader (no GPU; {results['crops']:,} crops in a pass; ratio to the first)"
    return {title: rows}


def _rate(dataset: Any, workers: int, crops: int) -> float:
    """Return the images per second from the first batch on."""
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
    """Return a tensor of bytes, (3, 224, 224). Resizing an image of this size only copies it."""
    import numpy as np
    import torch

    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


class _Field:
    """A map-style data set of one field of each item."""

    def __init__(self, dataset: Any, field: str) -> None:
        self._dataset, self._field = dataset, field

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Any:
        return self._dataset[index][self._field]


def _crop_files(sku_root: Path, variant: str | None = None) -> Any:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    crops = DeepFashion2ImageTextDataset(sku_root, SPLIT, transform=_pixels, variant=variant)
    return _Field(crops, "image")


def _shards(sku_root: Path) -> Any:
    import webdataset

    urls = _files(sku_root, f"webdataset/{SPLIT}/*.tar")
    samples = webdataset.WebDataset(urls, shardshuffle=False).decode("pilrgb")
    return samples.to_tuple("jpg", "txt").map_tuple(_pixels).map(_first)


def _parquet(sku_root: Path, cache: Path) -> Any:
    from datasets import load_dataset

    files = _files(sku_root, f"huggingface/{SPLIT}/parquet/*.parquet")
    rows = load_dataset("parquet", data_files=files, split="train", cache_dir=str(cache))
    rows.set_transform(_pixels_of_batch, columns=["image", "text"])
    return _Field(rows, "image")


def _files(sku_root: Path, pattern: str) -> list[str]:
    return sorted(map(str, (sku_root / "_df2_assets" / "exports").glob(pattern)))


def _first(sample: tuple[Any, ...]) -> Any:
    return sample[0]


def _pixels_of_batch(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return rows | {"image": [_pixels(image) for image in rows["image"]]}


if __name__ == "__main__":
    main()

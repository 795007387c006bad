"""Decoding and encoding alone, for exactly the images and crops of a build: the limit of speed.

The time of its one process excludes reading the images and all else that is not the codec's work.
It prints a JSON object: `images`, `crops`, processor seconds as `decode` and `encode`, and as
`write` (a temporary file, its digest, the rename) if crops are written to a scratch folder.
"""

import hashlib
import io
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import click
from PIL import Image

from benchmarks.recipe import QUALITY

Crop = tuple[str, tuple[int, int, int, int]]
"""A crop in the metadata: its path under SKU_ROOT, its box in pixels."""


def crops_by_image(sku_root: Path, splits: Iterable[str]) -> dict[str, list[Crop]]:
    """Return the crops that a build cut from each image, by the image's path under DF2_ROOT."""
    crops: dict[str, list[Crop]] = defaultdict(list)
    for split in splits:
        metadata = json.loads((sku_root / f"{split}_sku_metadata.json").read_bytes())
        for sku in metadata["skus"].values():
            for crop in sku["catalog"] + sku["query"]:
                x1, y1, x2, y2 = crop["bbox"]
                crops[crop["orig_image_path"]].append((crop["crop_path"], (x1, y1, x2, y2)))
    return {path: crops[path] for path in sorted(crops)}


def measure(
    df2_root: Path, crops: dict[str, list[Crop]], scratch: Path | None = None
) -> dict[str, float]:
    """Return the processor seconds of decoding each image once, encoding and writing its crops."""
    decode = encode = write = 0.0
    for path, crops_of_image in crops.items():
        source = io.BytesIO((df2_root / path).read_bytes())
        begun = time.process_time()
        image: Image.Image = Image.open(source, formats=("JPEG",))
        image.load()
        if image.mode != "RGB":
            image = image.convert("RGB")
        decode += time.process_time() - begun
        for name, box in crops_of_image:
            begun = time.process_time()
            buffer = io.BytesIO()
            image.crop(box).save(buffer, "JPEG", quality=QUALITY)
            encoded = time.process_time()
            encode += encoded - begun
            if scratch is not None:
                _write(scratch / name, buffer.getvalue())
                write += time.process_time() - encoded
    return {"decode": decode, "encode": encode, "write": write}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(data)
    hashlib.sha256(data).hexdigest()
    os.replace(temporary, path)


@click.command()
@click.argument("df2_root", type=click.Path(path_type=Path))
@click.argument("sku_root", type=click.Path(path_type=Path))
@click.argument("splits", nargs=-1)
@click.option("--every", default=1, help="Measure one image in so many.")
@click.option("--scratch", type=click.Path(path_type=Path), help="Also write the crops here.")
def main(
    df2_root: Path, sku_root: Path, splits: tuple[str, ...], every: int, scratch: Path | None
) -> None:
    """Decode the images and encode the crops of the build of DF2_ROOT in SKU_ROOT."""
    crops = dict(list(crops_by_image(sku_root, splits).items())[::every])
    count = sum(map(len, crops.values()))
    seconds = measure(df2_root, crops, scratch)
    click.echo(json.dumps({"images": len(crops), "crops": count, **seconds}))


if __name__ == "__main__":
    main()

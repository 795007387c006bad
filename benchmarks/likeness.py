"""How many changed copies of crops the checks find, by the hash and by an encoder as well.

`python -m benchmarks.likeness SKU_ROOT SPLIT [ENCODER]` changes every crop of a built split in
several ways, one at a time, and prints the share of the copies that `near_duplicate_crops` would
report. A copy is found if it is paired with its crop; false alarms are pairs of other crops.
"""

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from PIL import Image, ImageEnhance

from df2_assets.checks.crop_quality import looks, near_duplicates
from df2_assets.dataset.perceptual import measure
from df2_assets.embeddings.encoders import Encoder, resolve_encoder
from df2_assets.store import tables
from df2_assets.store.layout import Roots

_BATCH = 64


def _cut(share: float) -> Callable[[Image.Image], Image.Image]:
    def change(image: Image.Image) -> Image.Image:
        x, y = image.width * share, image.height * share
        return image.crop((round(x), round(y), round(image.width - x), round(image.height - y)))

    return change


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "saved again at quality 80": (lambda image: image, 80),
    "saved again at quality 50": (lambda image: image, 50),
    "70% as wide and high": (
        lambda image: image.resize((image.width * 7 // 10 + 1, image.height * 7 // 10 + 1)),
        95,
    ),
    "1% cut off at each side": (_cut(0.01), 95),
    "2% cut off at each side": (_cut(0.02), 95),
    "5% cut off at each side": (_cut(0.05), 95),
    "3% brighter": (lambda image: ImageEnhance.Brightness(image).enhance(1.03), 95),
    "10% brighter": (lambda image: ImageEnhance.Brightness(image).enhance(1.10), 95),
}
"""What is done to a crop, and the JPEG quality with which it is saved."""


def _rows(files: Iterable[bytes], paths: Iterable[str]) -> pd.DataFrame:
    """Return the looks of crops as a check reads them."""
    quality, manifest = [], []
    for path, data in zip(paths, files, strict=True):
        # A crop and its copy are of one SKU, so that the usual distance is that of the split.
        known = {"crop_path": path, "sku_uid": path.split("/")[2], "sha256": str(hash(data))}
        quality.append(known | measure(io.BytesIO(data))._asdict())
        width, height = Image.open(io.BytesIO(data)).size
        manifest.append({"crop_path": path, "width": width, "height": height})
    return looks(pd.DataFrame(quality), pd.DataFrame(manifest))


def _encode(encoder: Encoder, files: list[bytes]) -> Any:
    parts = []
    for start in range(0, len(files), _BATCH):
        images = [Image.open(io.BytesIO(d)).convert("RGB") for d in files[start : start + _BATCH]]
        parts.append(np.asarray(encoder.encode([encoder.prepare(image) for image in images])))
    vectors = np.concatenate(parts).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measure_recall(roots: Roots, split: str, encoder: Encoder) -> pd.DataFrame:
    """Return for each change the share of copies found, in percent, and the false alarms."""
    manifest = tables.read(roots, "crops", split).to_pandas()
    paths = manifest.loc[manifest["reason"].isna(), "crop_path"].tolist()
    files = [roots.crop(path).read_bytes() for path in paths]
    own = _encode(encoder, files)
    rows = []
    for name, (change, quality) in CHANGES.items():
        copies = []
        for data in files:
            buffer = io.BytesIO()
            change(Image.open(io.BytesIO(data)).convert("RGB")).save(
                buffer, "JPEG", quality=quality
            )
            copies.append(buffer.getvalue())
        # Copies count as another split, so that a crop and its copy are of different images.
        other = [path.replace(f"{split}/", "copies/", 1) for path in paths]
        crops = _rows([*files, *copies], [*paths, *other])
        vectors = np.concatenate([own, _encode(encoder, copies)])
        row: dict[str, Any] = {"change": name}
        for by, known in (("hash", None), (encoder.setting, vectors)):
            pairs = near_duplicates(crops, known)
            is_copy = pairs["second"] - pairs["first"] == len(files)
            usable = crops["comparable"][: len(files)].sum()
            row[by] = round(100 * is_copy.sum() / usable)
            row[f"false alarms by {by}"] = int((~is_copy & ~pairs["exact"]).sum())
        rows.append(row)
    return pd.DataFrame(rows)


@click.command()
@click.argument("sku_root", type=click.Path(path_type=Path))
@click.argument("split")
@click.argument("encoder", default="histogram")
def main(sku_root: Path, split: str, encoder: str) -> None:
    """Print the share of changed copies that are found, in percent."""
    roots = Roots(Path("/nowhere"), sku_root.absolute(), str(sku_root))
    rows = measure_recall(roots, split, resolve_encoder(encoder))
    click.echo(rows.to_string(index=False))


if __name__ == "__main__":
    main()

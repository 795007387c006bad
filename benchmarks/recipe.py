"""The original recipe, as the baseline: a loop with Pillow, without checks and without state.

Each image that has an item with a style above 0 is decoded once, and each such item is cropped and
saved. A SKU without both domains is left out of the metadata, although its crops exist. With
`--processes`, a `multiprocessing.Pool` works on the images, and its parent process writes the
metadata: the simplest way to use all cores.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from PIL import Image

from df2_assets.dataset.prompts import prompt
from df2_assets.dataset.taxonomy import DOMAINS

QUALITY = 95
_CHUNK = 32
"""Images that a process of the pool gets at a time."""

Labels = dict[str, Any]
Crop = tuple[str, Labels, str, dict[str, Any]]
"""A crop: the id and labels of its SKU, its domain, its entry in the metadata."""


def make(df2_root: Path, sku_root: Path, split: str, processes: int | None = None) -> None:
    """Write the crops, the metadata and the JSONL of a split."""
    annotations = sorted((df2_root / split / "annos").glob("*.json"))
    with _images(partial(cut, df2_root, sku_root, split), annotations, processes) as images:
        skus = collect(crop for crops in images for crop in crops)
    write(df2_root, sku_root, split, skus)


def cut(df2_root: Path, sku_root: Path, split: str, annotation_path: Path) -> list[Crop]:
    """Save the crops of an image, and return them."""
    annotation = json.loads(annotation_path.read_bytes())
    domain, pair_id = DOMAINS[annotation["source"]], annotation["pair_id"]
    items = {
        int(key.removeprefix("item")): item
        for key, item in annotation.items()
        if key.startswith("item") and item["style"] > 0
    }
    if not items:
        return []
    image_id = annotation_path.stem
    image_path, crops = f"{split}/image/{image_id}.jpg", []
    with Image.open(df2_root / image_path) as opened:
        image = opened if opened.mode == "RGB" else opened.convert("RGB")
        image.load()
        for index, item in sorted(items.items()):
            x1, y1, x2, y2 = item["bounding_box"]
            box = (max(x1, 0), max(y1, 0), min(x2, image.width), min(y2, image.height))
            sku_id = f"{pair_id:06d}_{item['style']:02d}_{item['category_id']:02d}"
            crop_path = f"{split}/{domain}/{sku_id}/{image_id}_item{index}.jpg"
            (sku_root / crop_path).parent.mkdir(parents=True, exist_ok=True)
            image.crop(box).save(sku_root / crop_path, quality=QUALITY)
            labels = {name: item[name] for name in ("style", "category_id", "category_name")}
            entry = {
                "crop_path": crop_path,
                "orig_image_path": image_path,
                "image_id": image_id,
                "item_idx": index,
                "bbox": list(box),
                "occlusion": item["occlusion"],
                "viewpoint": item["viewpoint"],
            }
            crops.append((sku_id, {"pair_id": pair_id, **labels}, domain, entry))
    return crops


def collect(crops: Iterable[Crop]) -> dict[str, dict[str, Any]]:
    """Return the SKUs that have crops of both domains, sorted by id."""
    skus: dict[str, dict[str, Any]] = {}
    for sku_id, labels, domain, entry in crops:
        sku = skus.setdefault(sku_id, {**labels, "catalog": [], "query": []})
        sku[domain].append(entry)
    return {sku_id: sku for sku_id, sku in sorted(skus.items()) if sku["catalog"] and sku["query"]}


def write(df2_root: Path, sku_root: Path, split: str, skus: dict[str, dict[str, Any]]) -> None:
    """Write `{split}_sku_metadata.json` and `{split}_image_text.jsonl`."""
    sku_root.mkdir(parents=True, exist_ok=True)
    document = {
        "split": split,
        "df2_root": str(df2_root),
        "out_root": str(sku_root),
        "num_skus": len(skus),
        "skus": skus,
    }
    (sku_root / f"{split}_sku_metadata.json").write_text(json.dumps(document, indent=2))
    with (sku_root / f"{split}_image_text.jsonl").open("w", encoding="utf-8") as lines:
        for sku_id, sku in skus.items():
            labels = {name: sku[name] for name in sku if name not in ("catalog", "query")}
            for domain in ("catalog", "query"):
                for crop in sku[domain]:
                    fields = {name: crop[name] for name in crop if name != "crop_path"}
                    views = crop["occlusion"], crop["viewpoint"]
                    line = {"split": split, "sku_id": sku_id, **labels, "domain": domain}
                    line |= {"image_path": crop["crop_path"], **fields}
                    line["text"] = prompt(domain, sku["category_name"], *views)
                    lines.write(json.dumps(line) + "\n")


@contextmanager
def _images(
    cut_image: "partial[list[Crop]]", annotations: list[Path], processes: int | None
) -> Iterator[Iterable[list[Crop]]]:
    """Yield the crops of each image, in the order of `annotations`."""
    if processes is None:
        yield map(cut_image, annotations)
        return
    with Pool(processes) as pool:
        yield pool.imap(cut_image, annotations, _CHUNK)


def main() -> None:
    """Run the recipe on some splits."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipe")
    parser.add_argument("df2_root", type=Path)
    parser.add_argument("sku_root", type=Path)
    parser.add_argument("splits", nargs="*", default=["train"])
    parser.add_argument("--processes", type=int, help="Use a pool of so many processes.")
    options = parser.parse_args()
    for split in options.splits:
        make(options.df2_root, options.sku_root, split, options.processes)


if __name__ == "__main__":
    main()

"""The original recipe, as the baseline: one process, a loop with Pillow, nothing remembered.

Each image that has an item with a style above 0 is decoded once, and each such item is cropped and
saved; a SKU without both domains is left out of the metadata, though its crops have been made.

Usage: python -m benchmarks.recipe DF2_ROOT SKU_ROOT [SPLIT ...]
"""

import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from df2_assets.dataset.prompts import prompt
from df2_assets.dataset.taxonomy import DOMAINS

QUALITY = 95


def make(df2_root: Path, sku_root: Path, split: str) -> None:
    """Write the crops, the metadata and the JSONL of a split."""
    skus: dict[str, dict[str, Any]] = {}
    for path in sorted((df2_root / split / "annos").glob("*.json")):
        annotation = json.loads(path.read_bytes())
        domain = DOMAINS[annotation["source"]]
        items = {
            int(key.removeprefix("item")): value
            for key, value in annotation.items()
            if key.startswith("item") and value["style"] > 0
        }
        if items:
            cut(df2_root, sku_root, split, path.stem, domain, annotation["pair_id"], items, skus)
    paired = {name: skus[name] for name in sorted(skus) if all_domains(skus[name])}
    write(df2_root, sku_root, split, paired)


def cut(
    df2_root: Path,
    sku_root: Path,
    split: str,
    image_id: str,
    domain: str,
    pair_id: int,
    items: dict[int, dict[str, Any]],
    skus: dict[str, dict[str, Any]],
) -> None:
    """Decode an image, save the crops of `items`, and note them in `skus`."""
    image_path = f"{split}/image/{image_id}.jpg"
    with Image.open(df2_root / image_path) as opened:
        image = opened if opened.mode == "RGB" else opened.convert("RGB")
        image.load()
        for index in sorted(items):
            item = items[index]
            style, category_id = item["style"], item["category_id"]
            x1, y1, x2, y2 = item["bounding_box"]
            box = [max(x1, 0), max(y1, 0), min(x2, image.width), min(y2, image.height)]
            sku_id = f"{pair_id:06d}_{style:02d}_{category_id:02d}"
            folder = sku_root / split / domain / sku_id
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{image_id}_item{index}.jpg"
            image.crop((box[0], box[1], box[2], box[3])).save(folder / name, quality=QUALITY)
            sku = skus.setdefault(
                sku_id,
                {
                    "pair_id": pair_id,
                    "style": style,
                    "category_id": category_id,
                    "category_name": item["category_name"],
                    "catalog": [],
                    "query": [],
                },
            )
            sku[domain].append(
                {
                    "crop_path": f"{split}/{domain}/{sku_id}/{name}",
                    "orig_image_path": image_path,
                    "image_id": image_id,
                    "item_idx": index,
                    "bbox": box,
                    "occlusion": item["occlusion"],
                    "viewpoint": item["viewpoint"],
                }
            )


def all_domains(sku: dict[str, Any]) -> bool:
    """Whether a SKU has crops of both domains."""
    return bool(sku["catalog"] and sku["query"])


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
            for domain in ("catalog", "query"):
                for crop in sku[domain]:
                    lines.write(json.dumps(line(split, sku_id, sku, domain, crop)) + "\n")


def line(
    split: str, sku_id: str, sku: dict[str, Any], domain: str, crop: dict[str, Any]
) -> dict[str, Any]:
    """What the JSONL says of a crop."""
    return {
        "split": split,
        "sku_id": sku_id,
        "pair_id": sku["pair_id"],
        "style": sku["style"],
        "category_id": sku["category_id"],
        "category_name": sku["category_name"],
        "domain": domain,
        "image_path": crop["crop_path"],
        "orig_image_path": crop["orig_image_path"],
        "image_id": crop["image_id"],
        "item_idx": crop["item_idx"],
        "bbox": crop["bbox"],
        "occlusion": crop["occlusion"],
        "viewpoint": crop["viewpoint"],
        "text": prompt(domain, sku["category_name"], crop["occlusion"], crop["viewpoint"]),
    }


if __name__ == "__main__":
    for one in sys.argv[3:] or ["train"]:
        make(Path(sys.argv[1]), Path(sys.argv[2]), one)

"""The original recipe, as the baseline: one process, a loop with Pillow, nothing remembered.

Each image that has an item with a style above 0 is decoded once, and each such item is cropped and
saved. A SKU without both domains is left out of the metadata, although its crops exist.

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
        items = {
            int(key.removeprefix("item")): value
            for key, value in annotation.items()
            if key.startswith("item") and value["style"] > 0
        }
        if items:
            image_path = f"{split}/image/{path.stem}.jpg"
            with Image.open(df2_root / image_path) as opened:
                image = opened if opened.mode == "RGB" else opened.convert("RGB")
                image.load()
                for index in sorted(items):
                    cut(image, image_path, index, items[index], annotation, sku_root, skus)
    paired = {
        name: skus[name] for name in sorted(skus) if skus[name]["catalog"] and skus[name]["query"]
    }
    write(df2_root, sku_root, split, paired)


def cut(
    image: Image.Image,
    image_path: str,
    index: int,
    item: dict[str, Any],
    annotation: dict[str, Any],
    sku_root: Path,
    skus: dict[str, dict[str, Any]],
) -> None:
    """Save the crop of an item, and add it to `skus`."""
    split, image_id = image_path.split("/")[0], Path(image_path).stem
    domain, pair_id = DOMAINS[annotation["source"]], annotation["pair_id"]
    x1, y1, x2, y2 = item["bounding_box"]
    box = (max(x1, 0), max(y1, 0), min(x2, image.width), min(y2, image.height))
    sku_id = f"{pair_id:06d}_{item['style']:02d}_{item['category_id']:02d}"
    crop_path = f"{split}/{domain}/{sku_id}/{image_id}_item{index}.jpg"
    (sku_root / crop_path).parent.mkdir(parents=True, exist_ok=True)
    image.crop(box).save(sku_root / crop_path, quality=QUALITY)
    labels = {name: item[name] for name in ("style", "category_id", "category_name")}
    sku = skus.setdefault(sku_id, {"pair_id": pair_id, **labels, "catalog": [], "query": []})
    sku[domain].append(
        {
            "crop_path": crop_path,
            "orig_image_path": image_path,
            "image_id": image_id,
            "item_idx": index,
            "bbox": list(box),
            "occlusion": item["occlusion"],
            "viewpoint": item["viewpoint"],
        }
    )


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
            of_sku = {name: sku[name] for name in sku if name not in ("catalog", "query")}
            for domain in ("catalog", "query"):
                for crop in sku[domain]:
                    of_crop = {name: crop[name] for name in crop if name != "crop_path"}
                    labels = sku["category_name"], crop["occlusion"], crop["viewpoint"]
                    line = {"split": split, "sku_id": sku_id, **of_sku, "domain": domain}
                    line |= {"image_path": crop["crop_path"], **of_crop}
                    lines.write(json.dumps(line | {"text": prompt(domain, *labels)}) + "\n")


if __name__ == "__main__":
    for name in sys.argv[3:] or ["train"]:
        make(Path(sys.argv[1]), Path(sys.argv[2]), name)

"""Reading of a sample from its files, without code of the project."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

ANNOTATED = ("train", "validation")


class Item(NamedTuple):
    """An item of an annotation file, and the fields of its image."""

    image: Path
    key: str
    source: str
    pair_id: int
    size: tuple[int, int]
    fields: dict[str, Any]

    @property
    def sku(self) -> tuple[int, int, int]:
        return self.pair_id, self.fields["style"], self.fields["category_id"]

    @property
    def crop(self) -> tuple[int, int, int, int]:
        """The part of the box inside the image."""
        (x1, y1, x2, y2), (width, height) = self.fields["bounding_box"], self.size
        return max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)


def items(root: Path, split: str) -> list[Item]:
    found = []
    for path in sorted((root / split / "annos").iterdir()):
        labels = json.loads(path.read_text())
        image = root / split / "image" / f"{path.stem}.jpg"
        with Image.open(image) as opened:
            size = opened.size
        source, pair_id = labels.pop("source"), labels.pop("pair_id")
        found += [Item(image, key, source, pair_id, size, labels[key]) for key in labels]
    return found


def kept_items(found: list[Item]) -> list[Item]:
    """Return the items whose SKU has a shop and a user item."""
    sources = defaultdict(set)
    for item in found:
        sources[item.sku].add(item.source)
    return [item for item in found if item.fields["style"] > 0 and len(sources[item.sku]) == 2]

"""An independent reading of the contract: slow, plain, one image after another.

It shares no code with the platform. Where the two disagree, `docs/contract.md` decides which one is
wrong.
"""

import json
import re
import shutil
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, UnidentifiedImageError

CATEGORIES = {
    1: "short sleeve top",
    2: "long sleeve top",
    3: "short sleeve outwear",
    4: "long sleeve outwear",
    5: "vest",
    6: "sling",
    7: "shorts",
    8: "trousers",
    9: "skirt",
    10: "short sleeve dress",
    11: "long sleeve dress",
    12: "vest dress",
    13: "sling dress",
}
OCCLUDED = {1: "", 2: "partially occluded ", 3: "heavily occluded "}
SEEN = {1: "that is not being worn", 2: "from the front", 3: "from the side or back"}
FOLDER = {"shop": "catalog", "user": "query"}
LARGEST_ANNOTATION = 16 * 1024 * 1024
OF_SKU = ("pair_id", "style", "category_id", "category_name")
OF_CROP = ("orig_image_path", "image_id", "item_idx", "bbox", "occlusion", "viewpoint")


class Refusal(NamedTuple):
    """A file or an item that cannot be used. `item_idx` is None for a whole file."""

    split: str
    image_id: str
    item_idx: int | None
    reason: str


class Refused(Exception):
    """The reason why a file or an item cannot be used."""


class Object(list[tuple[str, Any]]):
    """A JSON object as a list of keys and values, so that a repeated key is not lost."""

    def get(self, key: str) -> Any:
        values = [value for name, value in self if name == key]
        if not values:
            raise Refused("missing_field")
        if len(values) > 1:
            raise Refused("wrong_field")
        return values[0]


def build(
    df2_root: Path,
    sku_root: Path,
    splits: Sequence[str],
    damaged: Collection[str] = (),
    *,
    only_pairs: bool = True,
) -> list[Refusal]:
    """Write the files of the contract under `sku_root`, and return everything that is refused.

    `damaged` are images, relative to `df2_root`, with damage that Pillow does not report. SKUs with
    one domain are left out if `only_pairs`.
    """
    refusals: list[Refusal] = []
    for split in splits:
        crops, refused = read_split(df2_root, split)
        refusals += refused
        made = []
        for crop in paired(crops) if only_pairs else crops:
            try:
                if crop["orig_image_path"] in damaged:
                    raise OSError
                make_crop(df2_root, sku_root, crop)
                made.append(crop)
            except OSError:
                refusals.append(
                    Refusal(split, crop["image_id"], crop["item_idx"], "unreadable_image")
                )
        kept = paired(made) if only_pairs else made
        for crop in made:
            if crop not in kept:
                (sku_root / crop["crop_path"]).unlink()
        for folder in sku_root.glob(f"{split}/*/*"):
            if not any(folder.iterdir()):
                shutil.rmtree(folder)
        publish(df2_root, sku_root, split, kept)
    return sorted(refusals, key=repr)


def read_split(df2_root: Path, split: str) -> tuple[list[dict[str, Any]], list[Refusal]]:
    """Return every usable item with a style as a crop to make, and every refusal."""
    crops: list[dict[str, Any]] = []
    refusals: list[Refusal] = []
    for path in sorted((df2_root / split / "annos").glob("*.json")):
        image_id = path.stem
        if not re.fullmatch("[0-9]{6}", image_id):
            continue
        try:
            annotation, domain, pair_id = read_annotation(path.read_bytes())
            size = read_size(df2_root / split / "image" / f"{image_id}.jpg")
        except Refused as why:
            refusals.append(Refusal(split, image_id, None, str(why)))
            continue
        for index, found in read_items(annotation, size):
            if isinstance(found, Refused):
                refusals.append(Refusal(split, image_id, index, str(found)))
                continue
            style, fields = found
            if style > 0:
                sku_id = f"{pair_id:06d}_{style:02d}_{fields['category_id']:02d}"
                crop_path = f"{split}/{domain}/{sku_id}/{image_id}_item{index}.jpg"
                crops.append(
                    {"sku_id": sku_id, "pair_id": pair_id, "style": style, "domain": domain}
                    | {"crop_path": crop_path, "orig_image_path": f"{split}/image/{image_id}.jpg"}
                    | {"image_id": image_id, "item_idx": index, **fields}
                )
    crops.sort(
        key=lambda crop: (crop["sku_id"], crop["domain"], crop["image_id"], crop["item_idx"])
    )
    return crops, refusals


def read_annotation(data: bytes) -> tuple[Object, str, int]:
    """Return an annotation's object, domain and pair. A byte order mark is skipped.

    Of several defects, the first one is the reason: a repeated key, the source, the pair.
    """
    if len(data) > LARGEST_ANNOTATION:
        raise Refused("unreadable_json")
    try:
        annotation = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=Object,
            parse_int=lambda digits: int(digits) if len(digits) <= 4300 else float("inf"),
        )
    except (ValueError, RecursionError):
        raise Refused("unreadable_json") from None
    if not isinstance(annotation, Object):
        raise Refused("not_an_object")
    others = [key for key, _ in annotation if not is_of_item(key)]
    if len(set(others)) < len(others):
        raise Refused("wrong_field")
    source = annotation.get("source")
    if source not in list(FOLDER):
        raise Refused("unknown_source")
    return annotation, FOLDER[source], whole(annotation.get("pair_id"), 0, 999_999)


def read_size(path: Path) -> tuple[int, int]:
    """Return width and height as stored, without decoding the pixels."""
    try:
        with opened(path) as image:
            return image.size
    except FileNotFoundError:
        raise Refused("missing_image") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused("image_too_large") from None
    except UnidentifiedImageError:
        begins = path.read_bytes().startswith(b"\xff\xd8")
        raise Refused("unreadable_image" if begins else "not_a_jpeg") from None
    except OSError:
        raise Refused("unreadable_image") from None


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open a JPEG, whatever its name. Ignore warnings of Pillow, except about its size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=("JPEG",)) as image:
            yield image


def read_items(
    annotation: Object, size: tuple[int, int]
) -> Iterator[tuple[int | None, tuple[int, dict[str, Any]] | Refused]]:
    """Return the number of each item with the result of `read_item`, or its refusal.

    A key that begins like that of an item but has no number of up to six digits is refused without
    a number. One in capital letters or with spaces around it is refused with its number.
    """
    given = defaultdict(list)
    for key, value in annotation:
        given[key].append(value)
    for key, values in given.items():
        if is_of_item(key):
            number = re.fullmatch("....([0-9]{1,6})", key.strip(), re.ASCII)
            index = int(number[1]) if number else None
            try:
                if not index or key != f"item{index}" or len(values) > 1:
                    raise Refused("wrong_field")
                yield index, read_item(values[0], size)
            except Refused as why:
                yield index, why


def is_of_item(key: str) -> bool:
    return key.strip()[:4].lower() == "item"


def read_item(value: Any, size: tuple[int, int]) -> tuple[int, dict[str, Any]]:
    """Return the style of an item, and the entry of its crop.

    Of several defects, the first one is the reason: a repeated key, a label, the category, the box.
    """
    if not isinstance(value, Object):
        raise Refused("not_an_object")
    if len(dict(value)) < len(value):
        raise Refused("wrong_field")
    style = whole(value.get("style"), 0, 99)
    occlusion = whole(value.get("occlusion"), 1, 3)
    viewpoint = whole(value.get("viewpoint"), 1, 3)
    for name in {"scale", "zoom_in"} & dict(value).keys():  # which may be missing
        whole(dict(value)[name], 1, 3)
    category_id, category_name = value.get("category_id"), value.get("category_name")
    if CATEGORIES.get(whole(category_id)) != category_name:
        raise Refused("wrong_category")
    category_id = whole(category_id)
    box = value.get("bounding_box")
    if isinstance(box, Object) or not isinstance(box, list) or len(box) != 4:
        raise Refused("wrong_field")
    for edge in box:
        if type(edge) is float and edge not in (float("inf"), float("-inf")) and edge == edge:
            continue
        whole(edge)
    x1, y1, x2, y2 = (int(edge) for edge in box)
    if x2 <= x1 or y2 <= y1:
        raise Refused("box_reversed")
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, size[0]), min(y2, size[1])
    if x2 <= x1 or y2 <= y1:
        raise Refused("box_outside")
    return style, {
        "bbox": [x1, y1, x2, y2],
        "category_id": category_id,
        "category_name": category_name,
        "occlusion": occlusion,
        "viewpoint": viewpoint,
    }


def whole(value: Any, least: float = float("-inf"), most: float = float("inf")) -> int:
    """Return a whole number in a range. 2.0 is one; true and NaN are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Refused("wrong_field")
    return value


def paired(crops: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the crops of the SKUs that have both a catalog and a query crop."""
    domains = defaultdict(set)
    for crop in crops:
        domains[crop["sku_id"]].add(crop["domain"])
    return [crop for crop in crops if len(domains[crop["sku_id"]]) == 2]


def make_crop(df2_root: Path, sku_root: Path, crop: dict[str, Any]) -> None:
    """Decode the image, cut the box and write it, once per crop."""
    with opened(df2_root / crop["orig_image_path"]) as image:
        picture = image.convert("RGB").crop(crop["bbox"])
    path = sku_root / crop["crop_path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=95)


def prompt(domain: str, occlusion: int, viewpoint: int, category_name: str) -> str:
    """Return the prompt according to the table of the contract."""
    garment = f"a {OCCLUDED[occlusion]}{category_name} {SEEN[viewpoint]}."
    if domain == "catalog":
        return f"A catalog product photo of {garment}"
    return f"A user photo of {'a person wearing ' if viewpoint > 1 else ''}{garment}"


def publish(df2_root: Path, sku_root: Path, split: str, crops: list[dict[str, Any]]) -> None:
    """Write the two contract files of a split."""
    skus: dict[str, dict[str, Any]] = {}
    lines = []
    for crop in crops:
        sku_id, domain, path = crop["sku_id"], crop["domain"], crop["crop_path"]
        sku = {name: crop[name] for name in OF_SKU}
        entry = {name: crop[name] for name in OF_CROP}
        listed = skus.setdefault(sku_id, sku | {"catalog": [], "query": []})
        listed[domain].append({"crop_path": path} | entry)
        text = prompt(domain, crop["occlusion"], crop["viewpoint"], crop["category_name"])
        head = {"split": split, "sku_id": sku_id, **sku, "domain": domain, "image_path": path}
        lines.append(json.dumps(head | entry | {"text": text}) + "\n")
    roots = {"df2_root": str(df2_root.absolute()), "out_root": str(sku_root)}
    document = {"split": split, **roots, "num_skus": len(skus), "skus": skus}
    sku_root.mkdir(parents=True, exist_ok=True)
    (sku_root / f"{split}_sku_metadata.json").write_text(json.dumps(document, indent=2))
    (sku_root / f"{split}_image_text.jsonl").write_text("".join(lines))

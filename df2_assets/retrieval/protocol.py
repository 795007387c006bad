"""The consumer-to-shop benchmark of DeepFashion2: its items, what counts as a hit, and the score.

The rules are those of `evaluation/evaluation.md` and of the retrieval script in the repository of
DeepFashion2. `docs/benchmark.md` has them in words. How ranked lists are made does not belong here:
an encoder ranks crops (`search`), or a file of results has the lists (`results`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from df2_assets.dataset.record import EDGES
from df2_assets.dataset.taxonomy import STYLES
from df2_assets.store import tables
from df2_assets.store.layout import Roots

KS: Final = (1, 5, 10, 15, 20)
"""The published top-k accuracies."""

SPLIT: Final = "validation"
"""The split for which results are published. The ground truth of `test` was never released."""

ITEM: Final = ["image_id", "item_idx"]
COLUMNS: Final = [*ITEM, "source", "pair_id", "style", "category_id", *EDGES, "reason"]
"""The columns of the frames of a `Protocol`: those of `raw_annotation_index`."""

_SHORT: Final = {SPLIT: "val"}
"""The name of a split in the file names of its published ground truth."""

_SHOWN: Final = 3
"""How many entries of each kind a `Difference` names."""


@dataclass(frozen=True)
class Protocol:
    """The items of a split that take part, as annotated: columns of `COLUMNS`, sorted by item.

    `consumer_items` includes those of style 0. They are no queries, but a detected box can be one
    of them. `gallery` has every shop item: those of style 0, and those without a consumer item, are
    distractors. An item with a `reason` has a box but no crop, so it is never retrieved.

    `consumer_images` and `shop_images` are the ids of all images, with items or without. An image
    whose annotation could not be read is in both.
    """

    split: str
    consumer_items: pd.DataFrame
    gallery: pd.DataFrame
    consumer_images: frozenset[str]
    shop_images: frozenset[str]

    @property
    def queries(self) -> pd.DataFrame:
        """The consumer items of style above 0."""
        return self.consumer_items[self.consumer_items["style"] > 0]


def read_protocol(roots: Roots, split: str) -> Protocol:
    """Return the benchmark of a split, from its raw annotation index.

    Raises MissingTableError or ProvenanceError where the index cannot be used.
    """
    index = tables.frame(tables.read(roots, "raw_annotation_index", split))
    files = tables.find_column(roots, "files", split, "image_id")
    return make_protocol(split, index, [] if files is None else files.to_pylist())


def make_protocol(split: str, index: pd.DataFrame, image_ids: list[str]) -> Protocol:
    """Return the benchmark of a split, from its index and the ids of all its images."""
    known = index[["image_id", "source"]].dropna().drop_duplicates("image_id")
    sources = dict(zip(known["image_id"], known["source"], strict=True))
    images = {*image_ids, *sources}
    needed = [column for column in COLUMNS if column != "reason"]
    items = index[COLUMNS].dropna(subset=needed).drop_duplicates(ITEM)  # usable items come first
    items = items.astype(dict.fromkeys(("item_idx", "pair_id", "style", "category_id"), "int64"))
    by_source = {
        source: items[items["source"] == source].sort_values(ITEM, ignore_index=True)
        for source in ("user", "shop")
    }
    return Protocol(
        split,
        by_source["user"],
        by_source["shop"],
        frozenset(image for image in images if sources.get(image) != "shop"),
        frozenset(image for image in images if sources.get(image) != "user"),
    )


def item_keys(items: pd.DataFrame) -> "npt.NDArray[np.int64]":
    """Return for each item a number that items of equal `(pair_id, style)` share; style 0: -1.

    A gallery item is a positive of a query if both have the same number, whatever their categories.
    """
    keys = items["pair_id"].to_numpy(np.int64) * (STYLES.high + 1) + items["style"].to_numpy()
    return np.where(items["style"] > 0, keys, -1)


@dataclass(frozen=True)
class Score:
    """The result of a benchmark.

    `ranks` has for each query the rank of its first hit, from 1; 0 if there is none. `missed` are
    the queries that nothing stands for: no detected box, or no crop. They count as failures.
    """

    ranks: "npt.NDArray[np.int64]"
    missed: int
    gallery: int

    @property
    def numbers(self) -> dict[str, int | float]:
        """The accuracies as `top-1` and so on, and the counts behind them."""
        accuracies = {f"top-{k}": _accuracy(self.ranks, k) for k in KS}
        counts = {"queries": len(self.ranks), "missed": self.missed, "gallery": self.gallery}
        return {**counts, **accuracies}


def _accuracy(ranks: "npt.NDArray[np.int64]", k: int) -> float:
    """Return the share of queries with a hit among the first `k`; 0 where there is no query."""
    return float(((ranks > 0) & (ranks <= k)).mean()) if len(ranks) else 0.0


class _Query(msgspec.Struct):
    """An entry of `val_query.json` (evaluation.md, "Ground Truth Format")."""

    query_image_id: int
    style: int
    cls: int
    pair_id: int
    bbox: tuple[float, float, float, float]


class _Gallery(msgspec.Struct):
    """An entry of `val_gallery.json`, which has no category."""

    gallery_image_id: int
    style: int
    pair_id: int
    bbox: tuple[float, float, float, float]


class _Image(msgspec.Struct):
    id: int


class _Images(msgspec.Struct):
    """A file of image-level information, as `deepfashion2_to_coco.py` writes images."""

    images: list[_Image]


@dataclass(frozen=True)
class Difference:
    """How a file of the published ground truth differs from the annotations.

    `entries` are in the file. `missing` are only in the file, `additional` only in the annotations,
    and `different` have the same image and box, and another style, pair id or category. `style_0`
    counts the additional items of style 0: whether the file lists them is not documented. If the
    file cannot be read, `error` says why.
    """

    file: str
    entries: int = 0
    missing: tuple[str, ...] = ()
    additional: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    style_0: int = 0
    error: str | None = None

    def numbers(self) -> dict[str, Any]:
        """Return the counts and the first entries of each kind, for JSON."""
        kinds = {kind: getattr(self, kind) for kind in ("missing", "additional", "different")}
        counts = {kind: len(entries) for kind, entries in kinds.items()}
        first = {kind: list(entries[:_SHOWN]) for kind, entries in kinds.items()}
        return {
            "file": self.file,
            "entries": self.entries,
            **counts,
            "additional_of_style_0": self.style_0,
            "first": first,
            "error": self.error,
        }

    def lines(self) -> Iterator[str]:
        """Yield the differences for people: one line, and one per kind with its first entries."""
        if self.error is not None:
            yield f"{self.file} cannot be compared with the annotations: {self.error}"
            return
        kinds = {
            "only in the file": self.missing,
            "only in the annotations": self.additional,
            "with other labels": self.different,
        }
        counts = [f"{len(entries):,} {kind}" for kind, entries in kinds.items() if entries]
        if self.style_0:
            counts.append(f"{self.style_0:,} of those only in the annotations are of style 0")
        result = ", ".join(counts) or "no entry differs from the annotations"
        yield f"{self.file}: {self.entries:,} entries; {result}"
        for kind, entries in kinds.items():
            if entries:
                more = len(entries) - _SHOWN
                end = f"; and {more:,} more" if more > 0 else ""
                yield f"  {kind}: {'; '.join(entries[:_SHOWN])}{end}"


def compare_ground_truth(roots: Roots, protocol: Protocol) -> list[Difference]:
    """Compare the benchmark with the published ground truth in DF2_ROOT, file by file.

    The files are in `json_for_{split}`, as the download's `json_for_validation.zip` unpacks. Files
    that do not exist are left out, and the list is empty for a split without published files.
    """
    short = _SHORT.get(protocol.split)
    if short is None:
        return []
    folder = roots.ground_truth(protocol.split)
    images = {
        "consumer": protocol.consumer_images - protocol.shop_images,
        "shop": protocol.shop_images - protocol.consumer_images,
    }
    results = [
        *(
            _compare_images(folder / f"retrieval_{short}_{name}_information.json", ids)
            for name, ids in images.items()
        ),
        _compare_items(folder / f"{short}_query.json", list[_Query], protocol.consumer_items),
        _compare_items(folder / f"{short}_gallery.json", list[_Gallery], protocol.gallery),
    ]
    return [result for result in results if result is not None]


def _read(path: Path, form: Any) -> Any:
    """Return the content of a file, or a `Difference` with the error; None: no file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=form)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, OSError) as error:  # ValidationError is a DecodeError
        return Difference(path.name, error=str(error))


def _compare_images(path: Path, image_ids: frozenset[str]) -> Difference | None:
    content = _read(path, _Images)
    if not isinstance(content, _Images):
        return content  # type: ignore[no-any-return]
    published = {f"{image.id:06d}" for image in content.images}
    missing, additional = sorted(published - image_ids), sorted(image_ids - published)
    return Difference(
        path.name,
        len(content.images),
        tuple(f"image {image}" for image in missing),
        tuple(f"image {image}" for image in additional),
    )


_Key = tuple[int, tuple[int, ...]]
"""The image of an item, and its box. Fractions are cut off, as in the index."""


def _compare_items(path: Path, form: Any, items: pd.DataFrame) -> Difference | None:
    content = _read(path, form)
    if not isinstance(content, list):
        return content  # type: ignore[no-any-return]
    labels = ["style", "pair_id"] + (["category_id"] if form == list[_Query] else [])
    published = Counter(map(_published_item, content))
    columns = (items[name].astype(int).tolist() for name in labels)
    boxes = zip(*(items[edge].astype(int).tolist() for edge in EDGES), strict=True)
    keys = zip(items["image_id"].astype(int), boxes, strict=True)
    annotated: Counter[tuple[_Key, tuple[int, ...]]] = Counter(
        zip(keys, zip(*columns, strict=True), strict=True)
    )
    missing = sorted((published - annotated).elements())
    additional = sorted((annotated - published).elements())
    same_box = Counter(key for key, _ in missing) & Counter(key for key, _ in additional)
    missing, moved = _split_off(missing, same_box)
    additional, _ = _split_off(additional, same_box)
    return Difference(
        path.name,
        len(content),
        tuple(_describe(item, labels) for item in missing),
        tuple(_describe(item, labels) for item in additional),
        tuple(_describe(item, labels) for item in moved),
        style_0=sum(values[0] == 0 for _, values in additional),
    )


def _published_item(entry: _Query | _Gallery) -> tuple[_Key, tuple[int, ...]]:
    box = tuple(map(int, entry.bbox))
    if isinstance(entry, _Query):
        return (entry.query_image_id, box), (entry.style, entry.pair_id, entry.cls)
    return (entry.gallery_image_id, box), (entry.style, entry.pair_id)


_Items = list[tuple[_Key, tuple[int, ...]]]


def _split_off(items: _Items, keys: "Counter[_Key]") -> tuple[_Items, _Items]:
    """Return the items without as many of each key as `keys` has, and those that it has."""
    left = keys.copy()
    rest: _Items = []
    taken: _Items = []
    for item in items:
        (taken if left[item[0]] > 0 else rest).append(item)
        left[item[0]] -= 1
    return rest, taken


def _describe(item: tuple[_Key, tuple[int, ...]], labels: list[str]) -> str:
    (image, box), values = item
    named = ", ".join(f"{name} {value}" for name, value in zip(labels, values, strict=True))
    return f"image {image:06d}, box {list(box)}, {named}"

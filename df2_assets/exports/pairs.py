"""Pairs and triplets for contrastive training, as Parquet.

Pairs are all catalog crops of a SKU with all its query crops: the data set's own definition, by
which a full train split has 394,661 (DeepFashion2 issue 30). They are never all in memory.

Triplets are a query crop, a catalog crop of its SKU, and a catalog crop of another SKU that is hard
to tell from it. Digests of the paths decide which ones: see `_Ring`.
"""

import hashlib
import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from itertools import chain, groupby, product
from typing import Any, Final, NamedTuple

import pyarrow as pa

from df2_assets.dataset.tables import SKU_GROUPS
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export
from df2_assets.exports.source import Source, iterate_rows
from df2_assets.exports.streams import encode_parquet

_GARMENT: Final = pa.schema(
    SKU_GROUPS.field(name).remove_metadata()
    for name in ("sku_id", "pair_id", "style", "category_id", "category_name")
)
_PAIRS: Final = pa.schema(
    [*_GARMENT, ("catalog_image_path", pa.string()), ("query_image_path", pa.string())]
)
_TRIPLETS: Final = pa.schema(
    [
        *_GARMENT,
        ("anchor_image_path", pa.string()),
        ("positive_image_path", pa.string()),
        ("negative_image_path", pa.string()),
        ("negative_sku_id", pa.string()),
        ("kind", pa.string()),
    ]
)


class _Crop(NamedTuple):
    path: str
    sku_id: str
    pair_id: int
    style: int


class _Ring:
    """Crops in the order of digests of their paths; a draw starts at the digest of its seed.

    A crop that is added or removed changes only the draws that fall to it; none depends on the
    number of crops.
    """

    def __init__(self, crops: Iterable[_Crop]) -> None:
        self._crops = sorted(crops, key=lambda crop: _place(crop.path))
        self._places = [_place(crop.path) for crop in self._crops]

    def draw(self, seed: str, field: str, value: object) -> _Crop | None:
        """Return the first crop whose `field` is not `value`."""
        start = bisect(self._places, _place(seed))
        around = chain(range(start, len(self._crops)), range(start))
        crops = (self._crops[at] for at in around)
        return next((crop for crop in crops if getattr(crop, field) != value), None)


def _place(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def generate_pairs(source: Source) -> Iterator[dict[str, Any]]:
    """Yield every catalog crop of a SKU with every query crop of it, SKU by SKU."""
    for garment, catalog, query in _skus(source):
        for shop, user in product(catalog, query):
            yield garment | {"catalog_image_path": shop.path, "query_image_path": user.path}


def generate_triplets(source: Source) -> Iterator[dict[str, Any]]:
    """Yield for each query crop one triplet per `kind` of negative, where a negative exists.

    `other_style`: of the same pair and category, in another style, so a garment that was seen
    beside it. `other_pair`: of the same category and another pair.
    """
    rings = _rings(source)
    for garment, catalog, query in _skus(source):
        own = _Ring(catalog)
        beside, alike = (rings[key] for key in _keys(garment))
        kinds = (("other_style", beside, "style"), ("other_pair", alike, "pair_id"))
        for user, (kind, ring, field) in product(query, kinds):
            positive = own.draw(user.path, "path", None)
            negative = ring.draw(f"{kind} {user.path}", field, garment[field])
            if positive is not None and negative is not None:
                yield garment | {
                    "anchor_image_path": user.path,
                    "positive_image_path": positive.path,
                    "negative_image_path": negative.path,
                    "negative_sku_id": negative.sku_id,
                    "kind": kind,
                }


def _skus(source: Source) -> Iterator[tuple[dict[str, Any], list[_Crop], list[_Crop]]]:
    """Yield each SKU with its catalog and its query crops."""
    crops = source.crops.select([*_GARMENT.names, "domain", "crop_path"])
    for garment, group in groupby(iterate_rows(crops), key=lambda row: row[: len(_GARMENT)]):
        sku_id, pair_id, style, *_ = garment
        of_domain: dict[str, list[_Crop]] = {"catalog": [], "query": []}
        for *_, domain, path in group:
            of_domain[domain].append(_Crop(path, sku_id, pair_id, style))
        named = dict(zip(_GARMENT.names, garment, strict=True))
        yield named, of_domain["catalog"], of_domain["query"]


def _rings(source: Source) -> dict[Hashable, _Ring]:
    """Return the catalog crops of each pair and category, and of each category."""
    crops: defaultdict[Hashable, list[_Crop]] = defaultdict(list)
    for garment, catalog, _ in _skus(source):
        for key in _keys(garment):
            crops[key] += catalog
    return {key: _Ring(of_key) for key, of_key in crops.items()}


def _keys(garment: dict[str, Any]) -> tuple[Hashable, Hashable]:
    category = garment["category_id"]
    return (category, garment["pair_id"]), category


def write(folder: ExportFolder) -> None:
    """Write both tables, in the order of the SKUs."""
    for name, schema, rows in (
        ("pairs", _PAIRS, generate_pairs),
        ("triplets", _TRIPLETS, generate_triplets),
    ):
        data = encode_parquet(schema, folder.count_rows(rows(folder.source), name))
        folder.publish(f"{name}.parquet", data)


EXPORT: Final = Export(
    name="pairs",
    title="Pairs and triplets",
    description="""
    `pairs.parquet`: every catalog crop of a SKU with every query crop of it. `triplets.parquet`:
    a query crop as anchor, a catalog crop of its SKU, and a catalog crop that is hard to tell from
    it: of the same pair and category in another style (`other_style`), and of the same category
    and another pair (`other_pair`). Negatives are drawn by digests of the paths, the same ones in
    every run. Paths are relative to `SKU_ROOT`; no image is copied.
    """,
    loading_code="""
import pandas

folder = "data/DeepFashion2_SKU/_df2_assets/exports/pairs/SPLIT"
pairs = pandas.read_parquet(f"{folder}/pairs.parquet")
triplets = pandas.read_parquet(f"{folder}/triplets.parquet")
hardest = triplets[triplets["kind"] == "other_style"]
""",
    kinds=("parquet",),
    own_paths=re.compile(r"(pairs|triplets)\.parquet", re.ASCII),
    tables={"pairs": "pairs"},
    write=write,
)

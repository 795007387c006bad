"""Pairs and triplets for contrastive training, as Parquet.

A pair is a catalog crop and a query crop of the same SKU. A full train split has fewer of them than
the 394,661 of DeepFashion2 issue 30, which counts by pair id and style whatever the category. Pairs
are written in batches, to save memory.

A triplet is a query crop, a catalog crop of its SKU, and a catalog crop of another SKU that is hard
to distinguish from it. Digests of the paths select these crops: see `_Ring`. With an encoder there
are also triplets whose negative is the crop of another SKU with the nearest vector.
"""

import hashlib
import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from itertools import chain, groupby, product
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from df2_assets.dataset.tables import SKU_GROUPS
from df2_assets.embeddings.files import read_embeddings
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export
from df2_assets.exports.source import Source, iterate_rows
from df2_assets.exports.streams import encode_parquet

_GARMENT: Final = pa.schema(
    SKU_GROUPS.field(name).remove_metadata()
    for name in ("sku_id", "sku_uid", "pair_id", "style", "category_id", "category_name")
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
        ("negative_sku_uid", pa.string()),
        ("kind", pa.string()),
    ]
)


_QUERIES: Final = 256
"""Query crops that are compared with the catalog together."""


class _Crop(NamedTuple):
    """A crop. Draws depend on its `crop_path`, so that all variants have the same triplets."""

    crop_path: str
    path: str
    sku_id: str
    sku_uid: str
    pair_id: int
    style: int


class _Ring:
    """Crops in a ring, in the order of the digests of their paths.

    A draw starts at the digest of its seed. An added or removed crop only changes the draws that
    select it, and no draw depends on the number of crops.
    """

    def __init__(self, crops: Iterable[_Crop]) -> None:
        self._crops = sorted(crops, key=lambda crop: _position(crop.crop_path))
        self._positions = [_position(crop.crop_path) for crop in self._crops]

    def draw(self, seed: str, field: str, value: object) -> _Crop | None:
        """Return the first crop whose `field` differs from `value`, or None."""
        start = bisect(self._positions, _position(seed))
        around = chain(range(start, len(self._crops)), range(start))
        crops = (self._crops[at] for at in around)
        return next((crop for crop in crops if getattr(crop, field) != value), None)


def _position(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def generate_pairs(source: Source) -> Iterator[dict[str, Any]]:
    """Yield every pair of a catalog crop and a query crop of the same SKU, SKU by SKU."""
    for garment, catalog, query in _iterate_skus(source):
        for shop, user in product(catalog, query):
            yield garment | {"catalog_image_path": shop.path, "query_image_path": user.path}


def generate_triplets(source: Source) -> Iterator[dict[str, Any]]:
    """Yield one triplet per query crop and `kind` of negative, if there is a negative.

    The negative of `other_style` has the same pair and category, but another style: a garment from
    the same photos. The negative of `other_pair` has the same category, but another pair. The
    negative of `nearest`, with an encoder, has the nearest vector of all catalog crops of other
    SKUs.
    """
    rings = _make_rings(source)
    nearest = _find_nearest(source) if source.encoder else {}
    for garment, catalog, query in _iterate_skus(source):
        own = _Ring(catalog)
        same_pair, same_category = (rings[key] for key in _keys(garment))
        kinds = (("other_style", same_pair, "style"), ("other_pair", same_category, "pair_id"))
        for user, (kind, ring, field) in product(query, kinds):
            positive = own.draw(user.crop_path, "crop_path", None)
            negative = ring.draw(f"{kind} {user.crop_path}", field, garment[field])
            if positive is not None and negative is not None:
                yield garment | _triplet(user, positive, negative, kind)
        for user in query:
            positive, negative = own.draw(user.crop_path, "crop_path", None), nearest.get(user)
            if positive is not None and negative is not None:
                yield garment | _triplet(user, positive, negative, "nearest")


def _triplet(anchor: _Crop, positive: _Crop, negative: _Crop, kind: str) -> dict[str, str]:
    return {
        "anchor_image_path": anchor.path,
        "positive_image_path": positive.path,
        "negative_image_path": negative.path,
        "negative_sku_id": negative.sku_id,
        "negative_sku_uid": negative.sku_uid,
        "kind": kind,
    }


def _find_nearest(source: Source) -> dict[_Crop, _Crop]:
    """Return for each query crop the catalog crop of another SKU with the nearest vector.

    Of several, it is the first by path. Raises as `read_embeddings`.
    """
    embeddings = read_embeddings(source.roots, source.split, source.encoder)
    vectors = embeddings.vectors
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    places = {path: place for place, path in enumerate(embeddings.crop_paths)}
    catalog: list[_Crop] = []
    query: list[_Crop] = []
    for _, of_catalog, of_query in _iterate_skus(source):
        catalog += of_catalog
        query += of_query
    catalog.sort()
    uids = np.array([crop.sku_uid for crop in catalog])
    gallery = vectors[[places[crop.crop_path] for crop in catalog]]
    nearest: dict[_Crop, _Crop] = {}
    for start in range(0, len(query) if len({*uids}) > 1 else 0, _QUERIES):
        block = query[start : start + _QUERIES]
        scores = vectors[[places[crop.crop_path] for crop in block]] @ gallery.T
        scores[np.array([crop.sku_uid for crop in block])[:, None] == uids[None]] = -np.inf
        best = scores.argmax(axis=1).tolist()
        nearest |= {crop: catalog[place] for crop, place in zip(block, best, strict=True)}
    return nearest


def _iterate_skus(source: Source) -> Iterator[tuple[dict[str, Any], list[_Crop], list[_Crop]]]:
    """Yield each SKU with its catalog crops and its query crops."""
    crops = source.crops.select([*_GARMENT.names, "domain", "crop_path", "path"])
    for garment, group in groupby(iterate_rows(crops), key=lambda row: row[: len(_GARMENT)]):
        identity = garment[:4]
        of_domain: dict[str, list[_Crop]] = {"catalog": [], "query": []}
        for *_, domain, crop_path, path in group:
            of_domain[domain].append(_Crop(crop_path, path, *identity))
        fields = dict(zip(_GARMENT.names, garment, strict=True))
        yield fields, of_domain["catalog"], of_domain["query"]


def _make_rings(source: Source) -> dict[Hashable, _Ring]:
    """Return the catalog crops of each pair and category, and of each category."""
    crops: defaultdict[Hashable, list[_Crop]] = defaultdict(list)
    for garment, catalog, _ in _iterate_skus(source):
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
    a query crop as the anchor, a catalog crop of its SKU, and a similar catalog crop as the
    negative: of the same pair and category in another style (`other_style`), or of the same
    category and another pair (`other_pair`). Digests of the paths select the negatives, so that
    every run selects the same ones. `sku_uid` identifies a garment in all splits. Paths are
    relative to `SKU_ROOT`; no image is copied.
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
    uses_vectors=True,
    write=write,
    code_version="2",
)

"""The benchmark of an encoder: the crops of annotated boxes, ranked by their vectors."""

from shlex import quote
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from df2_assets.dataset.skus import sku_id
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.embeddings.encoders import Encoder, folder_name
from df2_assets.embeddings.files import IDENTITY, read_embeddings, read_parts
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress
from df2_assets.pipeline.benchmark import item_paths, read_extra_crops
from df2_assets.pipeline.embedding import encode_crops
from df2_assets.retrieval.protocol import KS, Protocol, Score, item_keys, read_protocol
from df2_assets.retrieval.search import Vectors, search
from df2_assets.store import tables
from df2_assets.store.layout import Roots


class Measured(NamedTuple):
    """The score of an encoder, and how many crops were encoded for it just now."""

    score: Score
    encoded: int


def measure_encoder(
    roots: Roots, split: str, encoder: Encoder, engine: Engine, progress: Progress
) -> Measured:
    """Encode the benchmark's own crops that have no vector yet, and rank the gallery.

    Raises MissingTableError or ProvenanceError where the index, the crops of the benchmark or the
    embeddings of the contract's crops are missing or stale, and what `encode_crops` raises.
    """
    protocol = read_protocol(roots, split)
    contract = read_embeddings(roots, split, encoder.setting)
    folder = roots.benchmark_embeddings(folder_name(encoder.setting), split)
    command = f"df2-assets benchmark --split {split} --encoder {quote(encoder.setting)}"
    embedded = encode_crops(
        roots,
        folder,
        read_extra_crops(roots, split).rename_columns([*IDENTITY]),
        tables.digests(roots, ("benchmark_crops",), split),
        encoder,
        engine,
        progress,
        title=f"encoding crops of the benchmark of {split}",
        remedy=command,
    )
    extra = read_parts(roots, folder, embedded.record, command)
    paths = [*contract.crop_paths, *item_paths(roots, split, extra.crop_paths)]
    parts = [part.vectors for part in (contract, extra) if len(part.vectors)]
    vectors = np.concatenate(parts) if parts else np.empty((0, 1), np.float32)
    return Measured(rank_gallery(protocol, paths, vectors), embedded.encoded)


def rank_gallery(protocol: Protocol, paths: list[str], vectors: Vectors) -> Score:
    """Rank the gallery for each query by cosine similarity; equal ones by image and item.

    `paths` has the path of each vector's crop, as it is or would be in the contract. An item
    without a vector is missed as a query, and never retrieved.
    """
    rows = {path: row for row, path in enumerate(paths)}
    queries, gallery = (
        np.array([rows.get(path, -1) for path in _paths(protocol.split, items)], np.int64)
        for items in (protocol.queries, protocol.gallery)
    )
    is_possible, is_retrievable = queries >= 0, gallery >= 0
    _, positions = search(vectors[queries[is_possible]], vectors[gallery[is_retrievable]], k=KS[-1])
    keys = item_keys(protocol.gallery)[is_retrievable]
    ranks = np.zeros(len(queries), np.int64)
    ranks[is_possible] = _first_hits(
        keys[positions] == item_keys(protocol.queries)[is_possible][:, None]
    )
    return Score(ranks, int((~is_possible).sum()), len(gallery))


def _first_hits(is_hit: "npt.NDArray[np.bool_]") -> "npt.NDArray[np.int64]":
    """Return for each row the place of its first hit, from 1; 0 without one."""
    places = np.where(is_hit, np.arange(1, is_hit.shape[1] + 1), KS[-1] + 1)
    first = places.min(axis=1, initial=KS[-1] + 1)
    return np.where(first > KS[-1], 0, first)


def _paths(split: str, items: pd.DataFrame) -> list[str]:
    """Return the path that the crop of each item has, or would have, in the contract."""
    names = ("source", "pair_id", "style", "category_id", "image_id", "item_idx")
    columns = (items[name].tolist() for name in names)
    return [
        f"{split}/{DOMAINS[source]}/{sku_id(pair_id, style, category_id)}/{image}_item{item}.jpg"
        for source, pair_id, style, category_id, image, item in zip(*columns, strict=True)
    ]

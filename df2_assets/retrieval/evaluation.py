"""The evaluation of a split by the vectors of an encoder: query crops against catalog crops.

`docs/evaluation.md` defines the two views, the metrics and the slices.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import product
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.tables import INPUTS, SCHEMAS
from df2_assets.dataset.taxonomy import CATEGORIES, LABELS, NOT_GIVEN
from df2_assets.embeddings.encoders import folder_name
from df2_assets.embeddings.files import Embeddings, find_encoders, find_record, read_embeddings
from df2_assets.engines.progress import Progress
from df2_assets.errors import ProvenanceError
from df2_assets.retrieval.bootstrap import bootstrap
from df2_assets.retrieval.metrics import METRICS
from df2_assets.retrieval.search import Integers, Ranks, Scores, Vectors, rank, search
from df2_assets.store import tables
from df2_assets.store.layout import Roots

VIEWS: Final = ("best_view", "mean_view")
ALL: Final = "all"
"""The slice of all queries."""

SIMILAR: Final = 6
"""How many similar SKUs are kept of each SKU."""

_MEASURED: Final = (
    *("view", "metric", "slice", "label"),
    *("value", "low", "high", "queries", "skus"),
)

TABLES: Final = ("evaluation", "evaluation_queries", "similar_skus")


class Evaluation(NamedTuple):
    """The tables of `TABLES`: metrics, the rank of each query, and the most similar SKUs."""

    metrics: pa.Table
    queries: pa.Table
    similar: pa.Table

    @property
    def encoders(self) -> list[str]:
        return sorted(set(self.metrics["encoder"].to_pylist()))

    def of(self, encoders: Collection[str]) -> "Evaluation":
        """Return the rows of some encoders."""
        chosen = pc.field("encoder").isin(pa.array([*encoders], pa.string()))
        return Evaluation(*(table.filter(chosen) for table in self))


def read_evaluation(roots: Roots, split: str) -> Evaluation:
    """Return the evaluations of a split that are of its current crops and embeddings.

    The tables are empty if there is none.
    """
    evaluation = Evaluation(*(_find_current(roots, asset, split) for asset in TABLES))
    digests = {name: _digest(roots, split, name) for name in find_encoders(roots, split)}
    evaluated = evaluation.metrics.select(["encoder", "embeddings"]).to_pylist()
    current = {
        row["encoder"] for row in evaluated if digests.get(row["encoder"]) == row["embeddings"]
    }
    return evaluation.of(current)


def evaluate_split(
    roots: Roots, split: str, encoder: str, groups: pd.DataFrame, progress: Progress
) -> tuple[pa.Table, Evaluation]:
    """Evaluate an encoder, and write the side tables of the evaluation.

    `groups` are the rows of `sku_groups`. Return the table `evaluation`, which also has the current
    rows of other encoders, and the evaluation of this one. Raises MissingTableError or
    ProvenanceError where the split has no current embeddings of the encoder.
    """
    others = read_evaluation(roots, split)
    embeddings = read_embeddings(roots, split, encoder)
    digest = _digest(roots, split, encoder)
    own = evaluate(split, encoder, embeddings, digest, groups, progress)
    by_encoder = {name: others.of([name]) for name in others.encoders} | {encoder: own}
    parts = [by_encoder[name] for name in sorted(by_encoder)]
    metrics, *beside = map(pa.concat_tables, zip(*parts, strict=True))
    for asset, table in zip(TABLES[1:], beside, strict=True):
        tables.write(roots, asset, split, table, tables.digests(roots, INPUTS[asset], split))
    return metrics, own


def _digest(roots: Roots, split: str, encoder: str) -> str | None:
    """Return a digest that changes with the embeddings of a split; None if there are none."""
    record = find_record(roots, roots.embeddings(folder_name(encoder), split))
    return record.digest if record else None


def _find_current(roots: Roots, asset: str, split: str) -> pa.Table:
    """Return a table; an empty one if it is missing, or its inputs have changed since."""
    table = tables.find(roots, asset, split)
    with suppress(ProvenanceError):
        tables.require_current(roots, asset, split)
        if table is not None:
            return table
    return SCHEMAS[asset].empty_table()


def evaluate(
    split: str,
    encoder: str,
    embeddings: Embeddings,
    digest: str | None,
    groups: pd.DataFrame,
    progress: Progress,
) -> Evaluation:
    """Return the evaluation of an encoder by its vectors.

    `digest` changes with the vectors. `groups` are the rows of `sku_groups`. Queries of SKUs
    without a catalog crop have no answer and are left out.
    """
    if not embeddings.crop_paths:
        return Evaluation(*(SCHEMAS[asset].empty_table() for asset in TABLES))
    crops = groups.set_index("crop_path").loc[embeddings.crop_paths].reset_index()
    paths, uids = (crops[name].to_numpy(object) for name in ("crop_path", "sku_uid"))
    skus, numbers = np.unique(uids.astype(str), return_inverse=True)
    is_query = (crops["domain"] == "query").to_numpy(bool)
    catalog = np.flatnonzero(~is_query)
    queries = np.flatnonzero(is_query & np.isin(numbers, numbers[catalog]))
    gallery, asked = embeddings.vectors[catalog], embeddings.vectors[queries]
    means = mean_vectors(gallery, numbers[catalog])
    with progress(f"ranking queries of {split}", 2 * len(queries), "queries") as advance:
        best, mean = (
            rank(asked, vectors, numbers[queries], of_skus, 1, advance=advance)
            for vectors, of_skus in ((gallery, numbers[catalog]), means)
        )
    measured = _measure(
        dict(zip(VIEWS, (best.ranks, mean.ranks), strict=True)),
        crops.iloc[queries],
        numbers[queries],
    )
    ranked = pd.DataFrame(
        {
            "crop_path": paths[queries],
            "sku_uid": uids[queries],
            "rank": best.ranks.first,
            "sku_rank": mean.ranks.first,
            "answer": paths[catalog[best.answers]],
            "first": paths[catalog[best.positions.ravel()]],
            "score": best.scores.ravel(),
        }
    )
    similar = _find_similar(mean_vectors(embeddings.vectors, numbers)[0], skus.astype(object))
    columns = {"encoder": encoder, "embeddings": digest}
    parts = zip((measured, ranked, similar), TABLES, strict=True)
    return Evaluation(
        *(tables.from_frame(part.assign(**columns), SCHEMAS[asset]) for part, asset in parts)
    )


def mean_vectors(vectors: Vectors, numbers: Integers) -> tuple[Scores, Integers]:
    """Return the mean of the normalised vectors of each number, and the numbers, ascending."""
    kept, starts = np.unique(np.sort(numbers), return_index=True)
    means = np.empty((len(kept), vectors.shape[1]), np.float32)
    for mean, rows in zip(
        means, np.split(np.argsort(numbers, kind="stable"), starts[1:]), strict=True
    ):
        units = vectors[rows].astype(np.float64)
        norms = np.linalg.norm(units, axis=1, keepdims=True)
        mean[:] = np.divide(units, norms, out=units, where=norms > 0).mean(axis=0)
    return means, kept


def _measure(ranks: Mapping[str, Ranks], queries: pd.DataFrame, numbers: Integers) -> pd.DataFrame:
    """Return the columns of `evaluation` without the encoder. `ranks` are by view."""
    if queries.empty:
        return pd.DataFrame(columns=[*_MEASURED])
    values = [metric(of_view) for of_view in ranks.values() for metric in METRICS.values()]
    skus = np.unique(numbers, return_inverse=True)[1]
    slices = _slice(queries)
    members = np.stack([*slices.values()], axis=1)
    intervals = bootstrap(np.stack(values, axis=1), skus, members)
    rows = [
        (view, metric, *name, *numbers, int(of_slice.sum()), len(np.unique(skus[of_slice])))
        for name, of_slice, *bounds in zip(slices, members.T, *intervals, strict=True)
        for (view, metric), *numbers in zip(
            product(ranks, METRICS), *(bound.tolist() for bound in bounds), strict=True
        )
    ]
    return pd.DataFrame(rows, columns=[*_MEASURED])


def _slice(queries: pd.DataFrame) -> dict[tuple[str, str | None], npt.NDArray[np.bool_]]:
    """Return which queries belong to each slice that has any, by its name and label."""
    kinds = {"category": ("category_id", CATEGORIES)}
    kinds |= {name: (name, meanings) for name, meanings in LABELS.items()}
    slices: dict[tuple[str, str | None], npt.NDArray[np.bool_]] = {
        (ALL, None): np.ones(len(queries), bool)
    }
    for name, (column, meanings) in kinds.items():
        values = queries[column].fillna(0).to_numpy(np.int64)
        for number, meaning in {**meanings, 0: NOT_GIVEN}.items():
            if (members := values == number).any():
                slices[name, meaning] = members
    return slices


def _find_similar(vectors: Vectors, uids: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Return the columns of `similar_skus` without the encoder, from one vector per SKU."""
    scores, likes = search(vectors, vectors, SIMILAR + 1)
    # The SKU itself goes to the end. It is not among the likes of a SKU with many equal ones.
    itself = likes == np.arange(len(uids))[:, None]
    order = np.argsort(itself, axis=1, kind="stable")[:, : min(SIMILAR, len(uids) - 1)]
    return pd.DataFrame(
        {
            "sku_uid": uids.repeat(order.shape[1]),
            "place": np.tile(np.arange(order.shape[1]) + 1, len(uids)),
            "like_sku_uid": uids[np.take_along_axis(likes, order, axis=1)].ravel(),
            "score": np.take_along_axis(scores, order, axis=1).ravel(),
        }
    )

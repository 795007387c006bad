"""The evaluation of a split: equal to a plain implementation, and current or dropped."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from df2_assets.dataset.tables import CROPS, SKU_GROUPS
from df2_assets.dataset.taxonomy import CATEGORIES, LABELS
from df2_assets.embeddings import files
from df2_assets.embeddings.encoders import Encoder, folder_name
from df2_assets.embeddings.files import Embeddings
from df2_assets.engines.progress import silent
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.retrieval.evaluation import (
    SIMILAR,
    TABLES,
    VIEWS,
    Evaluation,
    evaluate,
    evaluate_split,
    read_evaluation,
)
from df2_assets.retrieval.metrics import METRICS
from df2_assets.store import tables
from df2_assets.store.layout import Roots

SPLIT = "validation"
CATALOG_ONLY, QUERY_ONLY = 20, 21
"""Two SKUs with crops of one domain."""


def _groups() -> pd.DataFrame:
    """Return the rows of `sku_groups` of 20 SKUs with both domains and two with one, in order."""
    rng = np.random.default_rng(5)
    rows = []
    for sku in range(22):
        category = 1 + sku % 3
        for domain in ("catalog", "query"):
            if sku == (QUERY_ONLY if domain == "catalog" else CATALOG_ONLY):
                continue
            for item in range(1, 2 + int(rng.integers(1, 4))):
                sku_id = f"{sku:06d}_01_{category:02d}"
                rows.append(
                    {
                        "crop_path": f"{SPLIT}/{domain}/{sku_id}/{sku:06d}_item{item}.jpg",
                        "sku_uid": f"{SPLIT}/{sku_id}",
                        "domain": domain,
                        "category_id": category,
                        **{name: int(rng.integers(1, 4)) for name in LABELS},
                    }
                )
    groups = pd.DataFrame(rows).astype({"scale": "Int8"})
    groups.loc[::7, "scale"] = pd.NA
    return groups


def _embeddings(groups: pd.DataFrame, seed: int = 0) -> Embeddings:
    """Return vectors that tell some of the SKUs apart, sorted by path as those on disk."""
    rng = np.random.default_rng(seed)
    ordered = groups.sort_values("crop_path")
    centres = rng.standard_normal((22, 8))
    skus = [int(path.split("/")[2][:6]) for path in ordered["crop_path"]]
    vectors = centres[skus] + 1.2 * rng.standard_normal((len(skus), 8))
    paths, uids = ordered["crop_path"].tolist(), ordered["sku_uid"].tolist()
    return Embeddings(paths, uids, [f"{n:064x}" for n in range(len(paths))], vectors.astype("f"))


def _evaluate(groups: pd.DataFrame, embeddings: Embeddings) -> Evaluation:
    return evaluate(SPLIT, "made_up", embeddings, "digest", groups, silent)


def _unit(vector: Any) -> list[float]:
    return [value / math.hypot(*vector) for value in vector]


def _plain_ranks(groups: pd.DataFrame, embeddings: Embeddings, view: str) -> dict[str, list[int]]:
    """Return the ranks of the right answers of each query, by plain loops."""
    domain = dict(zip(groups["crop_path"], groups["domain"], strict=True))
    crops = [
        (path, uid, _unit(vector))
        for path, uid, vector in zip(
            embeddings.crop_paths, embeddings.sku_uids, embeddings.vectors.tolist(), strict=True
        )
    ]
    gallery = [(uid, unit) for path, uid, unit in crops if domain[path] == "catalog"]
    if view == "mean_view":
        views: dict[str, list[list[float]]] = {}
        for uid, unit in gallery:
            views.setdefault(uid, []).append(unit)
        gallery = [
            (uid, _unit([sum(column) / len(units) for column in zip(*units, strict=True)]))
            for uid, units in views.items()
        ]
    ranks = {}
    for path, own, query in crops:
        if domain[path] == "query" and any(uid == own for uid, _ in gallery):
            scored = [
                (sum(a * b for a, b in zip(query, unit, strict=True)), uid) for uid, unit in gallery
            ]
            order = sorted(scored, key=lambda answer: -answer[0])
            ranks[path] = [rank for rank, (_, uid) in enumerate(order, 1) if uid == own]
    return ranks


def _value(evaluation: Evaluation, *key: str | None) -> dict[str, Any]:
    """Return the row of a view, metric, slice and label."""
    names = ("view", "metric", "slice", "label")
    rows = [
        row for row in evaluation.metrics.to_pylist() if tuple(row[name] for name in names) == key
    ]
    (row,) = rows
    return dict(row)


@pytest.mark.parametrize("view", VIEWS)
def test_ranks_and_metrics_equal_those_of_plain_loops(view: str) -> None:
    groups = _groups()
    embeddings = _embeddings(groups)
    evaluation = _evaluate(groups, embeddings)
    plain = _plain_ranks(groups, embeddings, view)
    column = "rank" if view == "best_view" else "sku_rank"
    ranks = dict(
        zip(
            evaluation.queries["crop_path"].to_pylist(),
            evaluation.queries[column].to_pylist(),
            strict=True,
        )
    )
    assert ranks == {path: ranked[0] for path, ranked in plain.items()}
    assert len({*ranks.values()}) > 5
    expected: dict[str, list[float]] = {
        **{f"recall@{k}": [r[0] <= k for r in plain.values()] for k in (1, 5, 10, 20)},
        "mrr": [1 / r[0] for r in plain.values()],
        "map@r": [
            sum(place / rank for place, rank in enumerate(r, 1) if rank <= len(r)) / len(r)
            for r in plain.values()
        ],
        "ndcg@10": [
            sum(1 / math.log2(1 + rank) for rank in r if rank <= 10)
            / sum(1 / math.log2(1 + rank) for rank in range(1, min(len(r), 10) + 1))
            for r in plain.values()
        ],
    }
    for metric, values in expected.items():
        row = _value(evaluation, view, metric, "all", None)
        assert row["value"] == pytest.approx(sum(values) / len(values), abs=1e-6), metric
        assert row["low"] <= row["value"] <= row["high"]
        assert (row["queries"], row["skus"]) == (len(values), 20)


def test_a_slice_has_the_queries_with_its_label() -> None:
    groups = _groups()
    evaluation = _evaluate(groups, _embeddings(groups))
    ranks = tables.frame(evaluation.queries).set_index("crop_path")["rank"]
    queries = groups[groups["crop_path"].isin(ranks.index)]
    kinds = {"category": ("category_id", CATEGORIES)} | {
        name: (name, meanings) for name, meanings in LABELS.items()
    }
    expected: dict[tuple[str, str | None], int] = {("all", None): len(queries)}
    for name, (column, meanings) in kinds.items():
        for number, meaning in {**meanings, 0: "not given"}.items():
            of_slice = queries[queries[column].fillna(0) == number]
            if len(of_slice):
                expected[name, meaning] = len(of_slice)
                row = _value(evaluation, "best_view", "recall@5", name, meaning)
                hits = ranks[of_slice["crop_path"]] <= 5
                assert row["value"] == pytest.approx(float(hits.mean()))
                assert row["skus"] == of_slice["sku_uid"].nunique()
    assert ("scale", "not given") in expected
    counts = {
        (row["slice"], row["label"]): row["queries"] for row in evaluation.metrics.to_pylist()
    }
    assert counts == expected
    assert evaluation.metrics.num_rows == len(expected) * len(METRICS) * len(VIEWS)


def test_a_query_has_its_first_answer_and_the_best_crop_of_its_sku() -> None:
    groups = _groups()
    embeddings = _embeddings(groups)
    units = dict(zip(embeddings.crop_paths, map(_unit, embeddings.vectors.tolist()), strict=True))
    for row in _evaluate(groups, embeddings).queries.to_pylist():
        scores = {
            path: sum(a * b for a, b in zip(units[row["crop_path"]], unit, strict=True))
            for path, unit in units.items()
            if "/catalog/" in path
        }
        own = [path for path in scores if path.split("/")[2] == row["sku_uid"].split("/")[1]]
        assert row["first"] == max(scores, key=scores.__getitem__)
        assert row["answer"] == max(own, key=scores.__getitem__)
        assert row["score"] == pytest.approx(max(scores.values()), abs=1e-6)
        assert (row["rank"] == 1) == (row["first"] == row["answer"])


def test_queries_without_a_catalog_crop_are_left_out() -> None:
    groups = _groups()
    uids = set(_evaluate(groups, _embeddings(groups)).queries["sku_uid"].to_pylist())
    assert len(uids) == 20
    assert not any(f"/{QUERY_ONLY:06d}" in uid for uid in uids)


def test_similar_skus_are_others_the_most_similar_first() -> None:
    groups = _groups()
    embeddings = _embeddings(groups)
    similar = tables.frame(_evaluate(groups, embeddings).similar)
    means = {}
    for uid in sorted(set(embeddings.sku_uids)):
        own = [
            _unit(vector)
            for vector, of in zip(embeddings.vectors.tolist(), embeddings.sku_uids, strict=True)
            if of == uid
        ]
        means[uid] = _unit(np.mean(own, axis=0))
    assert len(means) == 22
    for uid in means:
        rows = similar[similar["sku_uid"] == uid]
        scores = {other: float(np.dot(means[uid], means[other])) for other in means if other != uid}
        assert rows["like_sku_uid"].tolist() == sorted(scores, key=lambda o: -scores[o])[:SIMILAR]
        assert rows["place"].tolist() == [*range(1, SIMILAR + 1)]
        assert rows["score"].tolist() == pytest.approx(sorted(scores.values())[::-1][:SIMILAR])


def test_a_sku_that_looks_like_many_is_not_similar_to_itself() -> None:
    groups = _groups()
    embeddings = _embeddings(groups)
    embeddings.vectors[:] = 1
    similar = tables.frame(_evaluate(groups, embeddings).similar)
    assert (similar["sku_uid"] != similar["like_sku_uid"]).all()
    assert similar.groupby("sku_uid").size().tolist() == [SIMILAR] * 22


def test_a_split_without_crops_or_queries_has_no_metrics() -> None:
    groups = _groups()
    nothing = Embeddings([], [], [], np.empty((0, 0), np.float32))
    assert all(table.num_rows == 0 for table in _evaluate(groups.head(0), nothing))
    catalog = groups[groups["domain"] == "catalog"]
    evaluation = _evaluate(catalog, _embeddings(catalog))
    assert evaluation.metrics.num_rows == evaluation.queries.num_rows == 0


def test_the_order_of_the_groups_does_not_matter() -> None:
    groups = _groups()
    embeddings = _embeddings(groups)
    shuffled = groups.sample(frac=1, random_state=1)
    for one, other in zip(
        _evaluate(groups, embeddings), _evaluate(shuffled, embeddings), strict=True
    ):
        assert one == other


def _write(roots: Roots, groups: pd.DataFrame, encoder: str, seed: int, *, version: str) -> None:
    """Write embeddings of the groups, as of an encoder of the user."""
    embeddings = _embeddings(groups, seed)
    rows = pa.table(
        {
            "crop_path": embeddings.crop_paths,
            "sku_uid": embeddings.sku_uids,
            "digest": embeddings.digests,
        }
    )
    made = Encoder(encoder, encoder, version, lambda batch: batch, lambda image: image, False)
    folder = roots.embeddings(folder_name(encoder), SPLIT)
    name = f"part-{version}.parquet"
    files.write_part(roots, folder / name, rows, embeddings.vectors, made)
    inputs = tables.digests(roots, ("crops",), SPLIT)
    size = len(embeddings.crop_paths)
    record = files.Record(encoder, made.fingerprint, inputs, size, 8, "float32", [name])
    files.write_record(roots, folder, record)


def _write_tables(roots: Roots, groups: pd.DataFrame) -> None:
    """Write the tables that an evaluation is made from, as far as it reads them."""
    whole = pa.Table.from_pylist(groups.to_dict("records"), schema=SKU_GROUPS)
    tables.write(roots, "sku_groups", SPLIT, whole, {})
    crops = pa.table({"crop_path": groups["crop_path"], "sku_uid": groups["sku_uid"]})
    manifest = pa.Table.from_pylist(crops.to_pylist(), schema=CROPS)
    inputs = tables.digests(roots, ("sku_groups",), SPLIT)
    tables.write(roots, "crops", SPLIT, manifest, inputs)


def _evaluate_on_disk(roots: Roots, groups: pd.DataFrame, encoder: str) -> None:
    """Evaluate an encoder, as the asset and its IO manager do."""
    metrics, _ = evaluate_split(roots, SPLIT, encoder, groups, silent)
    inputs = tables.digests(roots, ("sku_groups", "crops"), SPLIT)
    tables.write(roots, "evaluation", SPLIT, metrics, inputs)


@pytest.fixture
def groups(roots: Roots) -> pd.DataFrame:
    """Provide the rows of `sku_groups` of a split whose crops two encoders have encoded."""
    groups = _groups()
    _write_tables(roots, groups.astype(object).where(groups.notna(), None))
    for seed, encoder in enumerate(("b:b", "a:a")):
        _write(roots, groups, encoder, seed, version="1")
    return groups


def test_the_evaluations_of_several_encoders_stay_beside_each_other(
    roots: Roots, groups: pd.DataFrame
) -> None:
    assert read_evaluation(roots, SPLIT).encoders == []
    _evaluate_on_disk(roots, groups, "b:b")
    before = read_evaluation(roots, SPLIT)
    assert before.encoders == ["b:b"]
    _evaluate_on_disk(roots, groups, "a:a")
    both = read_evaluation(roots, SPLIT)
    assert both.encoders == ["a:a", "b:b"]
    for one, other in zip(both.of(["b:b"]), before, strict=True):
        assert one == other
    files_before = {asset: roots.table(asset, SPLIT).read_bytes() for asset in TABLES}
    _evaluate_on_disk(roots, groups, "b:b")
    assert {asset: roots.table(asset, SPLIT).read_bytes() for asset in TABLES} == files_before


def test_an_evaluation_is_dropped_when_its_vectors_have_changed(
    roots: Roots, groups: pd.DataFrame
) -> None:
    for encoder in ("a:a", "b:b"):
        _evaluate_on_disk(roots, groups, encoder)
    _write(roots, groups, "a:a", 7, version="2")
    assert read_evaluation(roots, SPLIT).encoders == ["b:b"]
    _evaluate_on_disk(roots, groups, "a:a")
    assert read_evaluation(roots, SPLIT).encoders == ["a:a", "b:b"]


def test_an_evaluation_is_dropped_when_the_crops_have_changed(
    roots: Roots, groups: pd.DataFrame
) -> None:
    _evaluate_on_disk(roots, groups, "a:a")
    fewer = groups.iloc[1:]
    _write_tables(roots, fewer.astype(object).where(fewer.notna(), None))
    assert read_evaluation(roots, SPLIT).encoders == []
    with pytest.raises(ProvenanceError, match=f"df2-assets embed --split {SPLIT} --encoder a:a"):
        evaluate_split(roots, SPLIT, "a:a", fewer, silent)


def test_an_encoder_without_vectors_is_refused_with_the_command(
    roots: Roots, groups: pd.DataFrame
) -> None:
    with pytest.raises(MissingTableError, match=f"df2-assets embed --split {SPLIT} --encoder c:c"):
        evaluate_split(roots, SPLIT, "c:c", groups, silent)

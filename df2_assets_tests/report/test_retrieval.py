"""What reports say about an evaluation: figures, the best, worst and confused queries."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from df2_assets.dataset.tables import SCHEMAS
from df2_assets.report import retrieval
from df2_assets.report.gallery.retrieval import retrieval_page, similar_skus
from df2_assets.retrieval.evaluation import TABLES, VIEWS, Evaluation
from df2_assets.retrieval.metrics import METRICS
from df2_assets.store import tables
from df2_assets.store.layout import Roots

SPLIT = "validation"


def _path(domain: str, sku: int, image: int = 1) -> str:
    return f"{SPLIT}/{domain}/{sku:06d}_01_01/{image:06d}_item1.jpg"


def _query(sku: int, image: int, rank: int, first: int, score: float) -> dict[str, Any]:
    """Return a query of a SKU, which found a crop of the SKU `first`."""
    return {
        "encoder": "a:a",
        "crop_path": _path("query", sku, image),
        "sku_uid": f"{SPLIT}/{sku:06d}_01_01",
        "rank": rank,
        "sku_rank": rank,
        "answer": _path("catalog", sku),
        "first": _path("catalog", first),
        "score": score,
    }


QUERIES = [
    _query(1, 1, 1, 1, 0.9),
    _query(1, 2, 9, 2, 0.8),
    _query(2, 3, 4, 1, 0.7),
    _query(2, 4, 1, 2, 0.95),
    _query(3, 5, 30, 4, 0.85),
    _query(4, 6, 2, 1, 0.6),
]


@pytest.fixture
def queries() -> pd.DataFrame:
    return pd.DataFrame(QUERIES)


def _images(rows: pd.DataFrame) -> list[int]:
    return [int(path.split("/")[3][:6]) for path in rows["crop_path"]]


def test_the_best_are_the_most_similar_of_those_that_find_their_sku(queries: pd.DataFrame) -> None:
    assert _images(retrieval.choose_best(queries)) == [4, 1]
    assert _images(retrieval.choose_best(queries, 1)) == [4]


def test_the_worst_are_those_that_find_their_sku_last(queries: pd.DataFrame) -> None:
    assert _images(retrieval.choose_worst(queries)) == [5, 2, 3, 6]


def test_skus_are_confused_in_both_directions(queries: pd.DataFrame) -> None:
    confused = retrieval.count_confused(queries)
    assert list(zip(_images(confused), confused["queries"], strict=True)) == [
        (2, 2),
        (5, 1),
        (6, 1),
    ]
    assert confused["like_sku_uid"].iloc[0] == f"{SPLIT}/000002_01_01"


def test_nothing_is_drawn_of_a_split_without_queries(roots: Roots, queries: pd.DataFrame) -> None:
    draws = (retrieval.draw_best, retrieval.draw_worst, retrieval.draw_confused)
    assert [draw(roots, queries.head(0)) for draw in draws] == [None] * 3


def test_the_queries_are_drawn_beside_what_they_found(roots: Roots, queries: pd.DataFrame) -> None:
    for row in QUERIES:
        for name in ("crop_path", "answer", "first"):
            path = roots.crop(row[name])
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 60), "red").save(path)
    for draw in (retrieval.draw_best, retrieval.draw_worst, retrieval.draw_confused):
        picture = draw(roots, queries)
        assert picture is not None
        assert picture.data.startswith(b"\xff\xd8")


def _evaluation(*encoders: str) -> Evaluation:
    """Return an evaluation in which every metric of an encoder has another value."""
    metrics = [
        {
            "encoder": encoder,
            "view": view,
            "metric": metric,
            "slice": name,
            "label": label,
            "value": (value := 0.01 * number + 0.5 * (view == VIEWS[1])),
            "low": value - 0.01,
            "high": value + 0.01,
            "queries": 6,
            "skus": 4,
            "embeddings": "digest",
        }
        for encoder in encoders
        for name, label in (("all", None), ("zoom_in", "large"))
        for view in VIEWS
        for number, metric in enumerate(METRICS, 1)
    ]
    queries = [row | {"encoder": encoder} for encoder in encoders for row in QUERIES]
    similar = [
        {
            "encoder": encoder,
            "sku_uid": f"{SPLIT}/{sku:06d}_01_01",
            "place": place,
            "like_sku_uid": f"{SPLIT}/{like:06d}_01_01",
            "score": 0.5,
        }
        for encoder in encoders
        for sku, others in ((1, (3, 2)), (2, (1, 3)), (3, (2, 1)))
        for place, like in enumerate(others, 1)
    ]
    parts = zip((metrics, queries, similar), TABLES, strict=True)
    return Evaluation(*(pa.Table.from_pylist(rows, SCHEMAS[asset]) for rows, asset in parts))


def test_figures_are_those_of_all_queries_by_view() -> None:
    metrics = tables.frame(_evaluation("a:a").metrics)
    figures = retrieval.read_figures(metrics)
    assert figures["recall@1"] == pytest.approx(0.01)
    assert figures["mean_view_recall@1"] == pytest.approx(0.51)
    assert len(figures) == 2 * len(METRICS)
    table = retrieval.tabulate_metrics(metrics)
    assert table["metric"].tolist() == [*METRICS]
    assert table["best_view"].iloc[1] == "0.020 (0.010 to 0.030)"
    assert retrieval.read_figures(metrics.head(0)) == {}


def test_the_page_has_each_encoder_with_its_slices() -> None:
    first, second = retrieval_page(_evaluation("b:b", "a:a"))
    assert (first["name"], second["name"]) == ("a:a", "b:b")
    assert (first["queries"], first["skus"]) == (6, 4)
    best, mean = first["views"]
    assert [figure["value"] for figure in best["figures"]] == pytest.approx(np.arange(1, 8) / 100)
    assert mean["figures"][0]["value"] == pytest.approx(0.51)
    (of_label,) = first["slices"]
    assert (of_label["name"], of_label["label"]) == ("zoom in", "large")
    assert first["worst"][0]["rank"] == 30
    assert first["worst"][0]["answer"] == {"path": _path("catalog", 3), "sku_id": "000003_01_01"}
    assert first["confused"][0]["count"] == 2
    assert first["best"][0]["query"]["path"] == _path("query", 2, 4)


def test_a_page_without_an_evaluation_is_empty() -> None:
    assert retrieval_page(_evaluation()) == []
    assert similar_skus(_evaluation(), ["000001_01_01"]) == {}


def test_similar_skus_are_places_in_the_list_of_the_gallery() -> None:
    ids = ["000001_01_01", "000002_01_01", "000003_01_01", "000009_01_01"]
    assert similar_skus(_evaluation("a:a"), ids) == {"a:a": [[2, 1], [0, 2], [1, 0], []]}
    assert similar_skus(_evaluation("a:a"), ids[1:]) == {"a:a": [[1], [0], []]}

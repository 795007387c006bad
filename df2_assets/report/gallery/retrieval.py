"""What the gallery shows of the evaluations of a split: a page, and SKUs that look alike."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from df2_assets.dataset.frames import rows
from df2_assets.report.retrieval import choose_best, choose_worst, count_confused
from df2_assets.retrieval.evaluation import ALL, VIEWS, Evaluation
from df2_assets.retrieval.metrics import METRICS
from df2_assets.store import tables


def retrieval_page(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return what the template shows of each encoder."""
    return [
        _describe_encoder(encoder, *map(tables.frame, evaluation.of([encoder])))
        for encoder in evaluation.encoders
    ]


def similar_skus(evaluation: Evaluation, ids: Sequence[str]) -> dict[str, list[list[int]]]:
    """Return the similar SKUs of each SKU of `ids`, by encoder, as positions in `ids`."""
    places = {sku_id: place for place, sku_id in enumerate(ids)}
    similar: dict[str, list[list[int]]] = {name: [[] for _ in ids] for name in evaluation.encoders}
    for encoder, uid, like in zip(
        *(evaluation.similar[name].to_pylist() for name in ("encoder", "sku_uid", "like_sku_uid")),
        strict=True,
    ):
        place, other = (places.get(of.partition("/")[2]) for of in (uid, like))
        if place is not None and other is not None:
            similar[encoder][place].append(other)
    return similar


def _describe_encoder(
    encoder: str, metrics: pd.DataFrame, queries: pd.DataFrame, _similar: pd.DataFrame
) -> dict[str, Any]:
    figures: dict[tuple[str, str | None, str, str], dict[str, float]] = {}
    sizes: dict[tuple[str, str | None], dict[str, int]] = {}
    columns = ("slice", "label", "view", "metric", "value", "low", "high", "queries", "skus")
    for name, label, view, metric, value, low, high, count, skus in rows(metrics, *columns):
        figures[name, label, view, metric] = {"value": value, "low": low, "high": high}
        sizes[name, label] = {"queries": count, "skus": skus}
    return {
        "name": encoder,
        **sizes[ALL, None],
        "views": [
            {"name": view, "figures": [figures[ALL, None, view, metric] for metric in METRICS]}
            for view in VIEWS
        ],
        "slices": [
            {
                "name": name.replace("_", " "),
                "label": label,
                **size,
                "figures": [figures[name, label, VIEWS[0], metric] for metric in METRICS],
            }
            for (name, label), size in sizes.items()
            if name != ALL
        ],
        "best": [
            {"query": _crop(path), "first": _crop(first), "score": score}
            for path, first, score in rows(choose_best(queries), "crop_path", "first", "score")
        ],
        "worst": [
            {"query": _crop(path), "first": _crop(first), "answer": _crop(answer), "rank": rank}
            for path, first, answer, rank in rows(
                choose_worst(queries), "crop_path", "first", "answer", "rank"
            )
        ],
        "confused": [
            {"query": _crop(path), "first": _crop(first), "count": count}
            for path, first, count in rows(count_confused(queries), "crop_path", "first", "queries")
        ],
    }


def _crop(path: str) -> dict[str, str]:
    return {"path": path, "sku_id": path.split("/")[2]}

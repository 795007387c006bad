"""What people look at in an evaluation: its figures, and its best, worst and confused queries.

Functions take the tables of one encoder as frames.
"""

from typing import Final

import pandas as pd

from df2_assets.dataset.frames import rows
from df2_assets.report.tiles import Picture, Row, Tile, arrange_rows, draw_sheet, load_thumbnail
from df2_assets.retrieval.evaluation import ALL, VIEWS
from df2_assets.retrieval.metrics import METRICS
from df2_assets.store.layout import Roots

SHOWN: Final = 12
_WORST: Final = 5
MEAN_VIEW: Final = "mean_view_"
"""Begins the names of the numbers of the view of SKUs. Those of crops have the metric's name."""


def read_figures(metrics: pd.DataFrame) -> dict[str, float]:
    """Return the metrics over all queries, by name. The names of `mean_view` begin with it."""
    prefixes = dict(zip(VIEWS, ("", MEAN_VIEW), strict=True))
    overall = metrics[metrics["slice"] == ALL]
    return {
        f"{prefixes[view]}{metric}": float(value)
        for view, metric, value in rows(overall, "view", "metric", "value")
    }


def tabulate_metrics(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return one row per metric over all queries, with a column for each view."""
    overall = metrics[metrics["slice"] == ALL]
    cells = {
        (view, metric): f"{value:.3f} ({low:.3f} to {high:.3f})"
        for view, metric, value, low, high in rows(
            overall, "view", "metric", "value", "low", "high"
        )
    }
    named = {view: [cells.get((view, metric), "") for metric in METRICS] for view in VIEWS}
    return pd.DataFrame({"metric": [*METRICS], **named})


def choose_best(queries: pd.DataFrame, limit: int = SHOWN) -> pd.DataFrame:
    """Return the queries that find their SKU first, the most similar crops first."""
    hits = queries[queries["rank"] == 1]
    return hits.sort_values(["score", "crop_path"], ascending=[False, True]).head(limit)


def choose_worst(queries: pd.DataFrame, limit: int = SHOWN) -> pd.DataFrame:
    """Return the queries that find their SKU last, the highest rank first."""
    misses = queries[queries["rank"] > 1]
    return misses.sort_values(["rank", "crop_path"], ascending=[False, True]).head(limit)


def count_confused(queries: pd.DataFrame, limit: int = SHOWN) -> pd.DataFrame:
    """Return the pairs of SKUs whose queries find the other one first, the most often first.

    One row per pair, with the number of these `queries` and the most similar of them: the columns
    of `queries`, and `like_sku_uid`, the SKU that it found.
    """
    misses = queries[queries["rank"] > 1]
    like = ["{0}/{2}".format(*path.split("/")) for path in misses["first"].tolist()]
    pairs = [" ".join(sorted(uids)) for uids in zip(misses["sku_uid"].tolist(), like, strict=True)]
    misses = misses.assign(like_sku_uid=like, pair=pairs)
    counts = misses.groupby("pair").size().rename("queries")
    ordered = misses.sort_values(["score", "crop_path"], ascending=[False, True])
    confused = ordered.drop_duplicates("pair").join(counts, on="pair")
    confused = confused.sort_values(["queries", "score"], ascending=False, kind="stable")
    return confused.drop(columns="pair").head(limit)


def draw_best(roots: Roots, queries: pd.DataFrame) -> Picture | None:
    """Draw the best queries, each next to the catalog crop that it found."""
    tiles = [
        tile
        for path, first, score in rows(choose_best(queries), "crop_path", "first", "score")
        for tile in (_tile(roots, path, "query"), _tile(roots, first, f"first, {score:.2f}"))
    ]
    return draw_sheet(arrange_rows(tiles, 4, together=2), "queries that found their SKU first")


def draw_worst(roots: Roots, queries: pd.DataFrame) -> Picture | None:
    """Draw the worst queries, each next to the first catalog crop and that of its own SKU."""
    sheet = [
        Row(
            [
                _tile(roots, path, "query"),
                _tile(roots, first, "first"),
                _tile(roots, answer, f"its SKU, rank {rank:,}"),
            ]
        )
        for path, first, answer, rank in rows(
            choose_worst(queries, _WORST), "crop_path", "first", "answer", "rank"
        )
    ]
    return draw_sheet(sheet, "queries that found their SKU last")


def draw_confused(roots: Roots, queries: pd.DataFrame) -> Picture | None:
    """Draw the SKUs that are confused most often, by a query and the crop that it found."""
    tiles = [
        tile
        for path, first, count in rows(count_confused(queries), "crop_path", "first", "queries")
        for tile in (_tile(roots, path, "query"), _tile(roots, first, f"first, {count} confused"))
    ]
    return draw_sheet(arrange_rows(tiles, 4, together=2), "SKUs that are confused most often")


def _tile(roots: Roots, path: str, what: str) -> Tile:
    sku_id = path.split("/")[2]
    return Tile(load_thumbnail(roots.crop(path)), (sku_id, what))

"""Ranking by vectors: the score of an encoder equals that of sorting each query's gallery."""

import math

import numpy as np
import pandas as pd
import pytest

from df2_assets.retrieval.benchmark import rank_gallery
from df2_assets.retrieval.protocol import COLUMNS, Protocol, make_protocol
from df2_assets.retrieval.results import Detection, score_results
from df2_assets.retrieval.search import search

Row = tuple[str, int, str, int, int, int]
"""Image, number of the item, source, pair id, style and category."""


def protocol_of(rows: list[Row]) -> Protocol:
    index = pd.DataFrame([(*row, *BOX, None) for row in rows], columns=COLUMNS)
    return make_protocol("validation", index, [])


def path_of(row: Row) -> str:
    image, number, source, pair_id, style, category = row
    domain = {"shop": "catalog", "user": "query"}[source]
    sku = f"{pair_id:06d}_{style:02d}_{category:02d}"
    return f"validation/{domain}/{sku}/{image}_item{number}.jpg"


BOX = (0, 0, 9, 9)
QUERY: Row = ("000001", 1, "user", 1, 1, 1)
HIT: Row = ("000012", 1, "shop", 1, 1, 2)
OTHER: Row = ("000011", 1, "shop", 2, 1, 1)
STYLE_0: Row = ("000013", 1, "shop", 1, 0, 1)


def ranks(rows: list[Row], vectors: dict[Row, list[float]]) -> list[int]:
    paths = [path_of(row) for row in vectors]
    score = rank_gallery(protocol_of(rows), paths, np.array([*vectors.values()], np.float32))
    assert len(score.ranks) == sum(row[2] == "user" and row[4] > 0 for row in rows)
    ranked: list[int] = score.ranks.tolist()
    return ranked


def test_the_rank_of_the_nearest_positive_counts_whatever_its_category() -> None:
    rows = [QUERY, HIT, OTHER, STYLE_0]
    assert ranks(rows, {QUERY: [1, 0], HIT: [2, 1], OTHER: [3, 1], STYLE_0: [0, 1]}) == [2]


def test_an_item_of_style_0_is_a_distractor() -> None:
    rows = [QUERY, HIT, STYLE_0]
    assert ranks(rows, {QUERY: [1, 0], HIT: [1, 1], STYLE_0: [1, 0]}) == [2]


def test_equal_similarities_are_ordered_by_image() -> None:
    rows = [QUERY, HIT, OTHER]
    assert ranks(rows, {QUERY: [1, 0], HIT: [1, 0], OTHER: [1, 0]}) == [2]


def test_a_query_without_a_crop_is_missed_and_a_shop_item_without_one_not_retrieved() -> None:
    rows = [QUERY, ("000002", 1, "user", 2, 1, 1), HIT, OTHER]
    vectors = {QUERY: [1.0, 0.0], HIT: [0.0, 1.0]}
    assert ranks(rows, vectors) == [1, 0]
    paths = [path_of(row) for row in vectors]
    score = rank_gallery(protocol_of(rows), paths, np.eye(2, dtype=np.float32))
    assert (score.missed, score.gallery) == (1, 2)


@pytest.mark.parametrize("rows", [[], [QUERY], [HIT]], ids=["nothing", "query", "shop item"])
def test_without_queries_or_gallery_nothing_is_found(rows: list[Row]) -> None:
    vectors = {QUERY: [1.0, 0.0], HIT: [1.0, 0.0]}
    assert ranks(rows, vectors) == [0 for row in rows if row is QUERY]


def test_scores_equal_those_of_sorting_every_gallery() -> None:
    draw = np.random.default_rng(0)
    rows: list[Row] = [
        (f"{image:06d}", 1, source, int(draw.integers(1, 9)), int(draw.integers(0, 3)), 1)
        for source, images in (("user", range(1, 60)), ("shop", range(100, 240)))
        for image in images
    ]
    vectors = {row: draw.normal(size=4).tolist() for row in rows if draw.random() < 0.9}
    plain = []
    for query in (row for row in rows if row[2] == "user" and row[4] > 0):
        gallery = [row for row in rows if row[2] == "shop" and row in vectors]
        if query in vectors:
            gallery.sort(key=lambda row: -cosine(vectors[query], vectors[row]))
            hits = [row[3:5] == query[3:5] for row in gallery[:20]]
            plain.append(hits.index(True) + 1 if any(hits) else 0)
        else:
            plain.append(0)
    assert ranks(rows, vectors) == plain


def test_the_score_is_that_of_the_same_ranking_as_a_file_of_results() -> None:
    """The annotated boxes stand for detected ones. They are the only items of their images."""
    draw = np.random.default_rng(1)
    rows: list[Row] = [
        (f"{image:06d}", 1, source, image % 7, int(draw.integers(0, 3)), 1 + image % 3)
        for source, images in (("user", range(1, 50)), ("shop", range(100, 160)))
        for image in images
    ]
    protocol, vectors = protocol_of(rows), draw.normal(size=(len(rows), 5))
    of_users, of_shops = vectors[:49], vectors[49:]
    _, positions = search(of_users, of_shops, 20)
    shops = [row[0] for row in rows[49:]]
    detections = [
        Detection(row[0], BOX, row[5], 1.0, [(shops[place], BOX) for place in places])
        for row, places in zip(rows, positions.tolist(), strict=False)
    ]
    ranked = rank_gallery(protocol, [*map(path_of, rows)], vectors)
    assert ranked.numbers == score_results(protocol, detections).numbers
    assert 0 < ranked.numbers["top-20"] < 1


def cosine(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.hypot(*one) / math.hypot(*other)

"""`df2-assets evaluate`: the metrics of an encoder, and a gallery that shows them."""

import math
import re

import pyarrow.parquet as pq
import pytest

from df2_assets.dataset.frames import frame
from df2_assets.embeddings.files import read_embeddings
from df2_assets.retrieval.evaluation import read_evaluation
from df2_assets.retrieval.metrics import METRICS
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support.site import SPLIT, Site

QUERIES = 9
"""The query crops of the split."""


def test_without_vectors_it_names_the_command_that_makes_them(desk: Desk, site: Site) -> None:
    result = desk.run("evaluate")
    assert result.exit_code == 1
    assert f"run df2-assets embed --split {SPLIT} --encoder histogram" in result.output


@pytest.mark.slow
def test_it_prints_the_metrics_and_the_gallery_shows_them(desk: Desk, site: Site) -> None:
    page = site.roots.gallery(SPLIT)
    for command in ("embed", "report"):
        assert desk.run(command).exit_code == 0
    assert "Retrieval" not in page.read_text(encoding="utf-8")

    (split,) = desk.json("evaluate")["splits"]
    numbers = split["numbers"]["evaluation"]
    assert numbers["queries"] == QUERIES
    assert numbers["recall@1"] == _recall_at_1(site)
    assert all(
        isinstance(numbers[f"{view}{m}"], float) for m in METRICS for view in ("", "mean_view_")
    )
    table = pq.read_table(split["table"])
    assert set(table["encoder"].to_pylist()) == {"histogram"}

    result = desk.run("evaluate")
    assert re.search(rf"^{SPLIT} +histogram +{QUERIES} +\d\.\d{{3}} ", result.output, re.MULTILINE)
    assert pq.read_table(split["table"]) == table

    assert desk.run("report").exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert '<section id="retrieval"' in text
    assert 'href="#/retrieval"' in text
    assert len([*page.parent.glob("data/similar-*.js")]) == 1
    pictures = {path.parent.parent.name for path in site.roots.own.glob("report/pictures/*/*/*")}
    assert {"evaluation.best"} <= pictures


def _recall_at_1(site: Site) -> float:
    """Return the recall of the vectors on disk, by plain loops, rounded as in the UI."""
    embeddings = read_embeddings(site.roots, SPLIT, "histogram")
    crops = [*zip(embeddings.crop_paths, embeddings.vectors.tolist(), strict=True)]
    hits = []
    for query, vector in crops:
        if "/query/" in query:
            scores = {
                path: sum(a * b for a, b in zip(vector, other, strict=True)) / math.hypot(*other)
                for path, other in crops
                if "/catalog/" in path
            }
            first = max(scores, key=lambda path: scores[path])
            hits.append(first.split("/")[2] == query.split("/")[2])
    ranks = frame(read_evaluation(site.roots, SPLIT).queries)["rank"]
    assert int((ranks == 1).sum()) == sum(hits)
    return round(sum(hits) / len(hits), 4)

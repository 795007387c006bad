"""Exact search: agreement with a plain implementation, ties, blocks, and vectors it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from df2_assets.retrieval.search import rank, search


def _vectors(seed: int, count: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, size), dtype=np.float32)


def _cosines(queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Return all cosine similarities in double precision."""
    units = [
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for vectors in (queries.astype(float), gallery.astype(float))
    ]
    product: np.ndarray = units[0] @ units[1].T
    return product


@given(
    seed=st.integers(0, 1000),
    size=st.integers(1, 3000),
    k=st.integers(1, 40),
    memory=st.sampled_from([1, 20_000, 2**20]),
)
def test_search_finds_the_same_as_sorting_every_score(
    seed: int, size: int, k: int, memory: int
) -> None:
    queries, gallery = _vectors(seed, 7), _vectors(seed + 1, size)
    scores, positions = search(queries, gallery, k, memory=memory)
    cosines = _cosines(queries, gallery)
    expected = -np.sort(-cosines, axis=1)[:, :k]
    assert scores.shape == positions.shape == expected.shape
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(cosines, positions, axis=1), expected, atol=1e-6)


def test_the_length_of_a_vector_does_not_matter() -> None:
    queries, gallery = _vectors(1, 5), _vectors(2, 300)
    stretched = gallery * np.linspace(1, 64, 300, dtype=np.float32)[:, None]
    assert (search(queries, gallery, 5)[1] == search(3 * queries, stretched, 5)[1]).all()


@pytest.mark.parametrize("queries", [1, 2, 70])
@pytest.mark.parametrize("size", [20, 777, 5000])
def test_equal_vectors_come_in_the_order_of_the_gallery(queries: int, size: int) -> None:
    gallery = _vectors(3, size, 96)
    copies = np.sort(np.random.default_rng(0).choice(size, 12, replace=False))
    gallery[copies] = gallery[copies[0]]
    nearby = gallery[copies[0]] + 0.01 * _vectors(4, queries, 96)
    scores, positions = search(nearby, gallery, 10)
    assert (positions == copies[:10]).all()
    assert (scores == scores[:, :1]).all()


def test_equal_vectors_tie_however_the_product_is_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some processors round the scores of the last vectors of a block differently."""
    multiply = np.matmul

    def round_by_position(one: np.ndarray, other: np.ndarray, out: np.ndarray) -> None:
        multiply(one, other, out=out)
        out += np.float32(1e-5) * np.random.default_rng(0).standard_normal(out.shape, np.float32)

    monkeypatch.setattr(np, "matmul", round_by_position)
    gallery = _vectors(3, 800, 96)
    gallery[20::100] = gallery[20]
    labels = np.arange(800) % 100
    nearby = gallery[[20]] + 0.01 * _vectors(4, 1, 96)
    ranking = rank(nearby, gallery, np.array([20]), labels, 10)
    assert ranking.positions[0, :8].tolist() == [*range(20, 800, 100)]
    assert ranking.ranks.values.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert ranking.answers.tolist() == [20]


def test_a_gallery_of_equal_vectors_is_ranked_by_position() -> None:
    gallery = np.ones((5000, 8), np.float32)
    assert (search(_vectors(5, 3), gallery, 6)[1] == np.arange(6)).all()


def test_a_vector_of_zeros_scores_zero() -> None:
    gallery = np.array([[0, 0], [-1, 0], [1, 0]], np.float32)
    scores, positions = search(np.array([[2.0, 0]]), gallery, 3)
    assert positions.tolist() == [[2, 0, 1]]
    assert scores.tolist() == [[1, 0, -1]]


@pytest.mark.parametrize("memory", [1, 2**20])
def test_ranks_count_the_better_vectors_and_the_equal_ones_before(memory: int) -> None:
    queries, gallery = _vectors(6, 40), _vectors(7, 500)
    gallery[100:110] = gallery[0]  # ties
    of_queries = np.arange(40) % 20
    of_gallery = np.random.default_rng(8).integers(0, 20, 500)
    ranking = rank(queries, gallery, of_queries, of_gallery, 500, memory=memory)
    for query, ranked in enumerate(ranking.positions):
        expected = 1 + np.flatnonzero(of_gallery[ranked] == of_queries[query])
        start, end = ranking.ranks.starts[query : query + 2]
        assert ranking.ranks.values[start:end].tolist() == expected.tolist()
        assert ranking.ranks.first[query] == expected[0]
        assert ranking.answers[query] == ranked[expected[0] - 1]


def test_a_search_has_as_many_columns_as_the_gallery_has_vectors() -> None:
    scores, positions = search(_vectors(9, 4), _vectors(9, 3), 10)
    assert scores.shape == positions.shape == (4, 3)
    assert search(_vectors(9, 0), _vectors(9, 3), 2)[1].shape == (0, 2)
    assert search(_vectors(9, 4), _vectors(9, 0), 2)[1].shape == (4, 0)


@pytest.mark.exports
def test_the_results_are_those_of_a_flat_index_of_faiss() -> None:
    import faiss

    queries, gallery = _vectors(10, 200, 64), _vectors(11, 5000, 64)
    scores, positions = search(queries, gallery, 20)
    faiss.normalize_L2(queries)
    faiss.normalize_L2(gallery)
    index = faiss.IndexFlatIP(64)
    index.add(gallery)
    expected, at = index.search(queries, 20)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    differs = positions != at  # only where two scores are equal but for rounding
    assert differs.mean() < 0.01
    np.testing.assert_allclose(scores[differs], expected[differs], atol=1e-6)


def test_vectors_that_cannot_be_compared_are_refused() -> None:
    broken = _vectors(1, 3)
    broken[1, 2] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        search(_vectors(2, 2), broken, 1)
    with pytest.raises(ValueError, match="not finite"):
        search(broken, _vectors(2, 2), 1)
    with pytest.raises(ValueError, match=r"\(3, 8\) cannot be compared with \(2, 9\)"):
        search(_vectors(1, 3), _vectors(2, 2, 9), 1)
    with pytest.raises(ValueError, match="no relevant vector"):
        rank(_vectors(1, 1), _vectors(2, 2), np.array([5]), np.array([4, 6]), 1)

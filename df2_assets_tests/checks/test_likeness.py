"""Crops compared by their vectors: the same picture, and crops unlike their SKU."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from df2_assets.checks import crop_quality, likeness
from df2_assets.checks.label_outliers import unlike_crops
from df2_assets.checks.likeness import (
    find_same_pictures,
    find_vectors,
    share_of_nearer_strangers,
)
from df2_assets.checks.registry import CheckContext
from df2_assets.embeddings.encoders import resolve_encoder
from df2_assets.embeddings.files import Embeddings
from df2_assets.embeddings.histogram import Histogram
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.embedding import embed_split
from df2_assets.pipeline.quality import measure_crops
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.looks import jpeg, path, picture, seen

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Pairs = set[tuple[int, int]]


def unit(vectors: Any) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, np.float32)


def names(numbers: Any) -> "pd.Series[str]":
    return pd.Series([f"train/{number}" for number in numbers])


def pairs(vectors: Vectors, skus: "pd.Series[str]") -> Pairs:
    first, second = find_same_pictures(vectors, skus)
    assert len(first) == len({*zip(first.tolist(), second.tolist(), strict=True)})
    return {*zip(first.tolist(), second.tolist(), strict=True)}


def planted(count: int) -> tuple[Vectors, Pairs]:
    """Return vectors of which each tenth is nearly that of its successor."""
    rng = np.random.default_rng(count)
    vectors = rng.normal(size=(count, 40)) * rng.uniform(0.1, 2, 40)
    near = range(0, count - 1, 10)
    for row in near:
        vectors[row + 1] = vectors[row] + rng.normal(size=40) * 0.001
    return unit(vectors), {(row, row + 1) for row in near}


@pytest.mark.parametrize("sizes", [(512, 1 << 16), (32, 64)], ids=["one block", "many blocks"])
def test_all_pairs_nearer_than_the_limit_are_found(
    sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likeness, "_ROWS", sizes[0])
    monkeypatch.setattr(likeness, "_COLUMNS", sizes[1])
    vectors, near = planted(200)
    assert pairs(vectors, names(np.arange(200) // 2)) == near
    vectors[10] = np.nan
    assert pairs(vectors, names(np.arange(200) // 2)) == near - {(10, 11)}


def test_the_limit_follows_the_distances_between_skus() -> None:
    """An encoder that finds everything alike has the same pairs as one that does not."""
    vectors, near = planted(200)
    alike = unit(vectors + 10 / np.sqrt(40))
    assert pairs(alike, names(range(200))) == pairs(vectors, names(range(200))) == near


def test_vectors_of_one_sku_have_nothing_to_be_compared_with() -> None:
    vectors, _ = planted(20)
    assert pairs(vectors, names([1] * 20)) == set()
    assert pairs(vectors[:0], names([])) == set()


def test_a_crowd_of_equal_pictures_has_a_bounded_number_of_pairs() -> None:
    vectors, _ = planted(500)
    vectors[:300] = vectors[0]
    first, _ = find_same_pictures(vectors, names(range(500)))
    assert 300 <= len(first) <= 300 * 64 + 50


def test_the_share_of_nearer_strangers_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    vectors = unit(rng.normal(size=(90, 6)))
    skus, categories = names(rng.integers(0, 25, 90)), pd.Series(rng.integers(1, 3, 90))
    shares, nearest = share_of_nearer_strangers(vectors, skus, categories)
    similar = vectors @ vectors.T
    for row in range(90):
        own = [n for n in range(90) if skus[n] == skus[row] and n != row]
        if not own:
            assert (shares[row], nearest[row]) == (0, -1)
            continue
        best = max(own, key=lambda n: similar[row, n])
        others = [n for n in range(90) if skus[n] != skus[row] and categories[n] == categories[row]]
        nearer = sum(similar[row, n] > similar[row, best] for n in others)
        assert nearest[row] == best
        assert shares[row] == pytest.approx(nearer / len(others))


def test_a_picture_that_was_cut_is_found_by_its_vector() -> None:
    """The hash, which every split has, does not find it."""
    pictures = [picture(number, (200, 260)) for number in range(12)]
    width, height = pictures[0].size
    pictures.append(pictures[0].crop((2, 2, width - 2, height - 2)))
    files = [jpeg(each) for each in pictures]
    crops = seen((path(n, sku=f"{n:06d}_01_01"), data) for n, data in enumerate(files))
    assert crop_quality.near_duplicates(crops).empty
    vectors = unit(Histogram()([Image.open(io.BytesIO(data)).convert("RGB") for data in files]))
    (row,) = crop_quality.near_duplicates(crops, vectors).itertuples(index=False)
    assert (row.first, row.second, row.exact) == (0, 12, False)


def test_a_crop_that_is_nearer_to_strangers_than_to_its_sku_is_named() -> None:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(10, 16))
    vectors = np.concatenate([centre + rng.normal(size=(4, 16)) * 0.2 for centre in centres])
    vectors[13] = rng.normal(size=16)
    files = [jpeg(picture(number)) for number in range(40)]
    crops = seen((path(n, sku=f"{n // 4:06d}_01_01"), data) for n, data in enumerate(files))
    groups = crops[["crop_path"]].assign(occlusion=1, category_id=1)
    finding = unlike_crops(crops, groups, unit(vectors))
    assert finding.offenders["crop_path"].tolist() == [path(13, sku="000003_01_01")]
    assert finding.checked_count == 10
    assert finding.offenders["distance"].tolist()[0] > 33
    vectors[13] = np.nan
    assert unlike_crops(crops, groups, np.asarray(vectors, np.float32)).passed


@pytest.mark.slow
def test_checks_compare_vectors_where_the_crops_on_disk_have_them(disk: Roots) -> None:
    def vectors() -> Any:
        manifest = tables.read(disk, "crops", "train")
        measured = measure_crops(disk, "train", tables.frame(manifest), SerialEngine(), silent)
        made_of = tables.digests(disk, ("crops",), "train")
        tables.write(disk, "crop_quality", "train", measured.table, made_of)
        context = CheckContext(disk, "train")
        assert len(context.alike) >= 0
        return context.vectors

    assert vectors() is None
    embed_split(disk, "train", resolve_encoder("histogram"), SerialEngine(), silent)
    found = vectors()
    assert found.shape == (52, 1020)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    DataSet(disk.df2_root).image("train", 3, clean.SIZE, seed="another picture")
    clean.build(disk)
    assert vectors() is None


def test_a_split_without_crops_has_no_vectors_to_compare(
    roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Embeddings([], [], [], np.empty((0, 0), np.float32))
    monkeypatch.setattr(likeness, "read_embeddings", lambda *_: nothing)
    assert find_vectors(roots, "test", "histogram", pd.Series([], dtype=object)) is None

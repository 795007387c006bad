"""Embeddings of a split in a bucket: the same bytes as on a disk."""

from pathlib import Path

from df2_assets.embeddings.encoders import resolve_encoder
from df2_assets.embeddings.files import find_encoders, read_embeddings
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.embedding import embed_split
from df2_assets.store.layout import Roots
from df2_assets.store.location import locate
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.object_store import Place

TOP = "_df2_assets/embeddings"
SPLIT = "train"


def embed(roots: Roots) -> int:
    encoder = resolve_encoder("histogram")
    return embed_split(roots, SPLIT, encoder, SerialEngine(), silent).encoded


def on_disk(roots: Roots) -> dict[str, bytes]:
    folder = Path(roots.all_embeddings)
    return {
        f"{TOP}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*.*")
    }


def in_bucket(place: Place) -> dict[str, bytes]:
    return {path: data for path, data in place.contents().items() if path.startswith(TOP)}


def test_embeddings_have_the_bytes_that_they_have_on_a_disk(place: Place, roots: Roots) -> None:
    data = DataSet(roots.df2_root)
    clean.write(data, SPLIT, looks=2)
    there = Roots(roots.df2_root, locate(place.url), place.url)
    for each in (roots, there):
        clean.build(each)
        assert embed(each) == 52
        assert embed(each) == 0
    assert in_bucket(place) == on_disk(roots)
    assert find_encoders(there, SPLIT) == ["histogram"]
    assert len(read_embeddings(there, SPLIT, "histogram").vectors) == 52
    data.image(SPLIT, 3, clean.SIZE, seed="another picture")
    for each in (roots, there):
        clean.build(each)
        assert embed(each) == 13
    assert in_bucket(place) == on_disk(roots)

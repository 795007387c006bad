"""Embeddings of a split: incremental, the same after a stop, and never wrong without an error."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from df2_assets.embeddings import files
from df2_assets.embeddings.encoders import folder_name, resolve_encoder
from df2_assets.embeddings.encoding import Batch
from df2_assets.embeddings.files import find_encoders, folder_of, read_embeddings
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import (
    EncoderError,
    MissingTableError,
    NewerReleaseError,
    ProvenanceError,
)
from df2_assets.pipeline import embedding
from df2_assets.pipeline.embedding import Embedded, embed_split
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.support import encoders
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.engines import Deadly, Observing

SPLIT = "train"
CROPS = 52
OF_AN_IMAGE = 13
CROP = "train/query/000001_01_08/000003_item8.jpg"
MEAN = encoders.setting(encoders.mean)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let 52 crops be several parts of several batches."""
    monkeypatch.setattr(embedding, "_MOST", 20)
    monkeypatch.setattr(embedding, "_ENOUGH", 10)
    monkeypatch.setattr(embedding, "_MARK", "0")
    monkeypatch.setattr(embedding, "_BATCH", 8)
    encoders.batches.clear()
    yield
    resolve_encoder.cache_clear()


@pytest.fixture(scope="module")
def shared(small: tuple[Roots, clean.Built], tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Copy the built split once, for tests that only add vectors."""
    return clean.copied(small[0], tmp_path_factory.mktemp("shared"))


def embed(roots: Roots, name: str = MEAN, engine: Any = None) -> Embedded:
    return embed_split(roots, SPLIT, resolve_encoder(name), engine or SerialEngine(), silent)


def bytes_of(roots: Roots, name: str = MEAN) -> dict[str, bytes]:
    """Return every file of an encoder by its name."""
    folder = roots.all_embeddings / folder_name(name)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def inodes(roots: Roots, name: str = MEAN) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in Path(folder_of(roots, SPLIT, name)).iterdir()}


def test_every_crop_on_disk_gets_the_vector_of_its_picture(disk: Roots) -> None:
    assert embed(disk).encoded == CROPS
    read = read_embeddings(disk, SPLIT, MEAN)
    manifest = tables.read(disk, "crops", SPLIT).to_pandas()
    assert read.crop_paths == manifest["crop_path"].tolist()
    assert read.sku_uids == manifest["sku_uid"].tolist()
    assert read.digests == manifest["sha256"].tolist()
    pictures = [Image.open(disk.crop(path)).convert("RGB") for path in read.crop_paths]
    assert np.array_equal(read.vectors, encoders.means(pictures).astype(np.float32))
    assert max(encoders.batches) == 8


@pytest.mark.parametrize(("encoder", "kind"), [("mean", "float"), ("half", "halffloat")])
def test_parts_are_plain_parquet_of_a_bounded_size(disk: Roots, encoder: str, kind: str) -> None:
    name = encoders.setting(getattr(encoders, encoder))
    record = embed(disk, name).record
    folder = folder_of(disk, SPLIT, name)
    parts = sorted(Path(folder).iterdir())
    assert [part.name for part in parts] == record.parts
    assert len(parts) >= 3
    assert max(pq.read_metadata(part).num_rows for part in parts) <= 20
    schema = pq.read_schema(parts[0])
    assert schema.names == ["crop_path", "sku_uid", "digest", "vector"]
    assert str(schema.field("vector").type).startswith("fixed_size_list<")
    assert str(schema.field("vector").type.value_type) == kind
    frame = pd.read_parquet(folder)
    vectors = np.stack(frame["vector"].tolist())
    assert np.array_equal(vectors.astype(np.float32), read_embeddings(disk, SPLIT, name).vectors)


def test_a_second_run_encodes_and_writes_nothing(disk: Roots) -> None:
    embed(disk)
    before = inodes(disk)
    again = embed(disk)
    assert (again.encoded, again.before) == (0, again.record)
    assert inodes(disk) == before


def test_only_crops_with_new_bytes_are_encoded(disk: Roots) -> None:
    embed(disk)
    before = inodes(disk)
    DataSet(disk.df2_root).image(SPLIT, 3, clean.SIZE, seed="another picture")
    clean.build(disk)
    with pytest.raises(ProvenanceError, match=f"embed --split {SPLIT} --encoder {MEAN}$"):
        read_embeddings(disk, SPLIT, MEAN)
    assert embed(disk).encoded == OF_AN_IMAGE
    assert before.items() & inodes(disk).items()
    incremental = bytes_of(disk)
    shutil.rmtree(disk.all_embeddings)
    assert embed(disk).encoded == CROPS
    assert bytes_of(disk) == incremental


@pytest.mark.slow
def test_crops_with_equal_bytes_are_encoded_once(disk: Roots) -> None:
    data = DataSet(disk.df2_root)
    for image_id in (1, 2, 3, 4):
        data.image(SPLIT, image_id, clean.SIZE, seed="the same picture")
    clean.build(disk)
    assert embed(disk).encoded == OF_AN_IMAGE
    vectors = read_embeddings(disk, SPLIT, MEAN).vectors
    assert len(vectors) == CROPS
    assert len(np.unique(vectors, axis=0)) == OF_AN_IMAGE


@pytest.mark.slow
def test_crops_that_are_gone_lose_their_vectors(disk: Roots) -> None:
    embed(disk)
    (disk.annotations(SPLIT) / "000004.json").unlink()
    clean.build(disk)
    assert embed(disk).encoded == 0
    paths = read_embeddings(disk, SPLIT, MEAN).crop_paths
    assert paths == tables.read(disk, "crops", SPLIT)["crop_path"].to_pylist()
    assert len(paths) == CROPS - OF_AN_IMAGE


def test_another_version_of_an_encoder_encodes_everything_again(
    disk: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = embed(disk).record
    monkeypatch.setattr(encoders.mean, "version", "2")
    resolve_encoder.cache_clear()
    after = embed(disk)
    assert (after.encoded, after.before) == (CROPS, before)
    assert not set(after.record.parts) & set(before.parts)
    assert {part.name for part in Path(folder_of(disk, SPLIT, MEAN)).iterdir()} == {
        *after.record.parts
    }


@pytest.mark.slow
def test_each_encoder_has_its_own_vectors(disk: Roots) -> None:
    assert find_encoders(disk, SPLIT) == []
    names = [encoders.setting(encoders.half), MEAN, "histogram"]
    for name in names:
        assert embed(disk, name).encoded == CROPS
    assert find_encoders(disk, SPLIT) == sorted(names)
    assert find_encoders(disk, "validation") == []


def test_a_run_that_is_stopped_continues_after_its_finished_parts(disk: Roots) -> None:
    whole = clean.copied(disk, disk.sku_root.parent / "whole")
    embed(whole)

    def stop() -> None:
        if len(encoders.batches) == 5:
            raise KeyboardInterrupt

    encoders.batches.clear()
    with pytest.raises(KeyboardInterrupt):
        embed(disk, engine=Observing(stop))
    finished = inodes(disk)
    assert finished
    with pytest.raises(MissingTableError, match=f"df2-assets embed --split {SPLIT} --encoder"):
        read_embeddings(disk, SPLIT, MEAN)
    unfinished = Path(folder_of(disk, SPLIT, MEAN)) / ".part-00009-0123456789abcdef.parquet.tmp"
    unfinished.write_bytes(b"half of a part")
    assert 0 < embed(disk).encoded < CROPS
    assert finished.items() <= inodes(disk).items()
    assert bytes_of(disk) == bytes_of(whole)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_a_damaged_part_is_named_and_made_again(
    disk: Roots, damage: Callable[[Path], object]
) -> None:
    record = embed(disk).record
    whole = bytes_of(disk)
    part = Path(folder_of(disk, SPLIT, MEAN)) / record.parts[1]
    damage(part)
    with pytest.raises(ProvenanceError, match=f"{part.name} is missing or damaged: run df2-assets"):
        read_embeddings(disk, SPLIT, MEAN)
    assert 0 < embed(disk).encoded <= 20
    assert bytes_of(disk) == whole


def test_embeddings_of_a_newer_release_are_not_read(disk: Roots) -> None:
    embed(disk)
    path = Path(files.record_path(folder_of(disk, SPLIT, MEAN)))
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(NewerReleaseError, match="newer release"):
        read_embeddings(disk, SPLIT, MEAN)


@pytest.mark.slow
def test_a_split_without_crops_has_no_vectors(disk: Roots) -> None:
    for path in Path(disk.annotations(SPLIT)).iterdir():
        path.unlink()
    clean.build(disk)
    assert embed(disk).record.parts == []
    assert read_embeddings(disk, SPLIT, MEAN).vectors.shape == (0, 0)


WRONG: dict[str, tuple[Any, str]] = {
    "raises": (encoders.picky, rf"raised RuntimeError: this is \\x1b\[31mugly for {CROP}"),
    "raises for a batch": (encoders.crowded, "raised MemoryError: out of memory"),
    "returns NaN": (encoders.undefined, f"returned NaN or infinity for {CROP}"),
    "returns too much": (
        encoders.enormous,
        rf"returned NaN or infinity for {SPLIT}/\S+ and 7 more",
    ),
    "returns no rows": (encoders.flat, "returned 24 for 8 crops, instead of one row per crop"),
    "returns few rows": (
        encoders.short,
        "returned 7 by 3 for 8 crops, instead of one row per crop",
    ),
    "returns words": (encoders.wordy, r"returned no array \(ValueError: could not convert.*\)"),
    "changes its dimension": (
        encoders.growing,
        "returned vectors of . values of float32, and of 8 values of float32 before: give it a new "
        "version if this is meant",
    ),
    "changes its type": (
        encoders.doubtful,
        "returned vectors of 3 values of float16, and of 3 values of float32 before: give it a new "
        "version if this is meant",
    ),
}


@pytest.mark.parametrize(("encoder", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_encoder_is_named_with_the_batch_and_the_crop(
    shared: Roots, encoder: Any, message: str
) -> None:
    with Image.open(shared.crop(CROP)) as image:
        encoders.hated[:] = [image.convert("RGB").tobytes()]
    name = encoders.setting(encoder)
    with pytest.raises(EncoderError) as error:
        embed(shared, name)
    batch = rf"This is batch \d+: \d crops from {SPLIT}/\S+\.jpg to {SPLIT}/\S+\.jpg"
    remedy = r"What is encoded is kept\. Fix the encoder, and run df2-assets embed"
    whole = rf"The encoder {name} {message}\. {batch}\. {remedy}"
    assert re.fullmatch(whole, str(error.value)), error.value


def test_what_was_encoded_before_an_error_is_kept(disk: Roots) -> None:
    with Image.open(disk.crop(CROP)) as image:
        encoders.hated[:] = [image.convert("RGB").tobytes()]
    name = encoders.setting(encoders.picky)
    with pytest.raises(EncoderError):
        embed(disk, name)
    finished = inodes(disk, name)
    assert finished
    encoders.hated.clear()
    assert 0 < embed(disk, name).encoded < CROPS
    assert finished.items() <= inodes(disk, name).items()


def test_an_encoder_that_ends_its_process_is_named(disk: Roots) -> None:
    engine = Deadly("000003", Batch)
    with pytest.raises(EncoderError, match=r"ended the process that ran it \(.*SIGSEGV\).*batch"):
        embed(disk, "histogram", engine)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"no picture")])
def test_a_crop_that_is_missing_or_changed_is_named_with_the_remedy(
    disk: Roots, damage: Callable[[Path], object]
) -> None:
    damage(Path(disk.crop(CROP)))
    with pytest.raises(ProvenanceError, match=f"{CROP} is missing.*build --split {SPLIT}$"):
        embed(disk)


@pytest.mark.slow
def test_a_picture_is_prepared_before_it_is_in_a_batch(disk: Roots) -> None:
    embed(disk)
    name = encoders.setting(encoders.Prepared)
    embed(disk, name, LocalEngine(2))
    first, second = (read_embeddings(disk, SPLIT, each).vectors for each in (MEAN, name))
    assert np.array_equal(first, second)

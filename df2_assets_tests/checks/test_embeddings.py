"""The check of embeddings: a vector for each crop, none of them useless."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from df2_assets.checks.finding import Finding
from df2_assets.checks.registry import exists_on_disk
from df2_assets.embeddings import files
from df2_assets.embeddings.encoders import resolve_encoder
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.embedding import embed_split
from df2_assets.store.layout import Roots
from df2_assets.verification.verify import verify
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import fails, passes
from df2_assets_tests.support import encoders
from df2_assets_tests.support.builder import DataSet

SPLIT = "train"
CROPS = 52
MEAN = encoders.setting(encoders.mean)
AGAIN = f"Run df2-assets embed --split {SPLIT} --encoder {MEAN}"


@pytest.fixture
def embedded(disk: Roots) -> Roots:
    for name in ("histogram", MEAN):
        embed_split(disk, SPLIT, resolve_encoder(name), SerialEngine(), silent)
    return disk


def find(roots: Roots) -> Finding:
    return clean.find("vectors_match_crops", roots)


def rewrite(roots: Roots, row: int, vector: list[float]) -> str:
    """Change the vector of a crop of `MEAN`, and return the path of the crop."""
    folder = files.folder_of(roots, SPLIT, MEAN)
    (name,) = files.find_parts(roots, folder)
    part: Any = files.find_part(roots, folder / name)
    vectors = files.vectors_of(part).copy()
    vectors[row] = vector
    files.write_part(roots, folder / name, part, vectors, resolve_encoder(MEAN))
    return str(part["crop_path"][row])


def test_embeddings_as_they_were_written_pass(embedded: Roots) -> None:
    finding = find(embedded)
    assert passes(finding)
    assert finding.checked_count == 2 * CROPS
    assert finding.summary == "2 encoders, 104 vectors: one for each crop, all finite."


@pytest.mark.parametrize(
    ("vector", "what"),
    [
        ([0, 0, 0], "a vector of length 0"),
        ([1, float("nan"), 1], "a vector with NaN or infinity"),
        ([1, float("inf"), 1], "a vector with NaN or infinity"),
    ],
)
def test_a_useless_vector_is_named(embedded: Roots, vector: list[float], what: str) -> None:
    path = rewrite(embedded, 7, vector)
    finding = find(embedded)
    assert fails(finding, "error")
    assert clean.named(finding.offenders, "crop_path", "encoder", "what") == [(path, MEAN, what)]
    assert f"1 wrong. The first is {what} ({path}). {AGAIN}" in finding.summary


def test_crops_without_a_vector_are_named(embedded: Roots) -> None:
    folder = files.folder_of(embedded, SPLIT, MEAN)
    (name,) = files.find_parts(embedded, folder)
    part: pa.Table = files.find_part(embedded, folder / name)
    fewer = part.slice(2)
    files.write_part(embedded, folder / name, fewer, files.vectors_of(fewer), resolve_encoder(MEAN))
    finding = find(embedded)
    assert fails(finding, "error")
    assert finding.offenders["what"].tolist() == ["without a vector"] * 2
    assert finding.offenders["crop_path"].tolist() == part["crop_path"].to_pylist()[:2]


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_a_damaged_part_is_named(embedded: Roots, damage: Any) -> None:
    folder = files.folder_of(embedded, SPLIT, MEAN)
    (name,) = files.find_parts(embedded, folder)
    damage(Path(folder / name))
    finding = find(embedded)
    assert fails(finding, "error")
    first = finding.offenders.iloc[0]
    assert first["crop_path"].endswith(f"/{name}")
    assert first["what"] == "missing or damaged"


def test_embeddings_without_their_record_are_a_warning(embedded: Roots) -> None:
    """As after a run that was killed before its end, or where the record is damaged."""
    record = Path(files.record_path(files.folder_of(embedded, SPLIT, MEAN)))
    record.write_text("{")
    finding = find(embedded)
    assert fails(finding, "warn")
    assert f"The embeddings of {MEAN} are half-written. {AGAIN}" in finding.summary
    Path(files.record_path(files.folder_of(embedded, SPLIT, "histogram"))).unlink()
    assert exists_on_disk("embeddings", embedded, SPLIT)


def problems(roots: Roots, *, deep: bool) -> list[tuple[str, str | None, str]]:
    found = verify(roots, SPLIT, SerialEngine() if deep else None)
    own = [problem for problem in found.problems if problem.check.startswith("embeddings: ")]
    return [(problem.what, problem.path, problem.repair) for problem in own]


def test_verify_names_the_encoder_whose_vectors_are_wrong(embedded: Roots) -> None:
    """Vectors are read only if every byte is."""
    assert problems(embedded, deep=True) == []
    path = rewrite(embedded, 7, [0, 0, 0])
    assert problems(embedded, deep=False) == []
    again = f"embed --encoder {MEAN}"
    assert problems(embedded, deep=True) == [("a vector of length 0", path, again)]
    folder = files.folder_of(embedded, SPLIT, MEAN)
    (name,) = files.find_parts(embedded, folder)
    part = (folder / name).relative_to(embedded.sku_root).as_posix()
    Path(folder / name).unlink()
    assert problems(embedded, deep=False) == [("missing or damaged", part, again)]
    embed_split(embedded, SPLIT, resolve_encoder(MEAN), SerialEngine(), silent)
    assert problems(embedded, deep=True) == []


@pytest.mark.slow
def test_embeddings_of_earlier_crops_are_a_warning(embedded: Roots) -> None:
    DataSet(embedded.df2_root).image(SPLIT, 3, clean.SIZE, seed="another picture")
    clean.build(embedded)
    embed_split(embedded, SPLIT, resolve_encoder("histogram"), SerialEngine(), silent)
    finding = find(embedded)
    assert fails(finding, "warn")
    assert finding.numbers["outdated_encoders"] == 1
    assert f"The embeddings of {MEAN} are made from earlier crops. {AGAIN}" in finding.summary
    assert np.isclose(finding.numbers["vectors"], CROPS)

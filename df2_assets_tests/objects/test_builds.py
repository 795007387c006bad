"""A data set has the same bytes wherever it is read from and written to."""

import json
from pathlib import Path

import click
import pytest

from df2_assets.engines.local import LocalEngine
from df2_assets.settings import make_roots
from df2_assets.verification.verify import verify
from df2_assets_tests.objects.conftest import Source, on
from df2_assets_tests.objects.outputs import crops, digest, digests, in_folder
from df2_assets_tests.support.builder import headless, item, jpeg
from df2_assets_tests.support.object_servers import SERVERS
from df2_assets_tests.support.object_store import Place
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.run import build

_LONG_HEADER = 3 * (b"\xff\xfe\xff\xff" + 65533 * b" ")
"""Comments that move the size of an image out of the block that is read first."""


@pytest.mark.parametrize(
    ("read", "written"), [("folder", "bucket"), ("bucket", "folder"), ("bucket", "bucket")]
)
def test_a_build_gives_the_same_bytes_wherever_it_reads_and_writes(
    source: Source,
    expected: dict[str, str],
    tmp_path: Path,
    place: Place,
    read: str,
    written: str,
) -> None:
    df2_root = source.folder if read == "folder" else source.url
    sku_root = tmp_path / "sku" if written == "folder" else place.root
    built = build(df2_root, sku_root)
    assert built.problems == []
    assert len(built.runs[0].passed) == 18
    files = in_folder(sku_root) if written == "folder" else place.contents()
    assert digests(files) == expected
    document = json.loads(files["train_sku_metadata.json"])
    assert (document["df2_root"], document["out_root"]) == (str(df2_root), str(sku_root))


@on(*SERVERS)
def test_a_build_has_the_same_digest_on_each_store(
    source: Source,
    expected: dict[str, str],
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert build(source.url, place.root).problems == []
    left = digests(place.contents())
    with capsys.disabled():
        click.echo(f"\n{place.store.kind}, local: {digest(left)} (folder: {digest(expected)})")
    assert left == expected


def test_what_cannot_be_used_is_refused_in_the_same_words(tmp_path: Path, place: Place) -> None:
    data = random_dataset(tmp_path / "df2", 5, images=80, bad=0.3)
    data.raw_image("train", 900_001, b"")
    data.annotation("train", 900_001, "shop", 1, {1: item(1, 1, [0, 0, 9, 9])})
    data.raw_annotation("train", 900_002, b"")
    data.raw_image("train", 900_002, headless(jpeg()))
    data.raw_image("train", 900_003, b"\xff\xd8" + _LONG_HEADER + jpeg((300, 200))[2:])
    data.annotation("train", 900_003, "shop", 1, {1: item(1, 1, [0, 0, 90, 90])})
    df2, sku = place / "df2", place / "sku"
    df2.upload(data.root)
    assert build(data.root, tmp_path / "sku", max_refused=1.0).problems == []
    assert build(df2.root, sku.root, max_refused=1.0).problems == []
    assert digests(sku.contents()) == digests(in_folder(tmp_path / "sku"))


def test_verify_names_a_damaged_crop_and_a_build_only_repairs_that(
    source: Source, place: Place
) -> None:
    assert build(source.url, place.root).problems == []
    roots = make_roots(str(source.url), place.url)
    checked = verify(roots, "train", LocalEngine(2))
    assert (checked.problems, checked.notes) == ([], [])
    path = min(crops(place.tags()))
    whole = place.get(path)
    place.put(path, whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:])
    assert {problem.path for problem in verify(roots, "train").problems} == {path}
    assert {problem.path for problem in verify(roots, "train", LocalEngine(2)).problems} == {path}
    mended = build(source.url, place.root).runs[0].numbers["crops"]
    assert (mended["remade"], mended["added"]) == (1, 0)
    assert place.get(path) == whole

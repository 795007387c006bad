"""A data set is the same one wherever it is read from and written to."""

import json
from pathlib import Path

import pytest

from df2_assets.engines.local import LocalEngine
from df2_assets.explain.explain import explain_image
from df2_assets.settings import make_roots
from df2_assets.store.location import locate
from df2_assets.verify.verify import verify
from df2_assets_tests.objects.conftest import BUCKET, Source
from df2_assets_tests.objects.outputs import crops, digests, in_bucket, in_folder
from df2_assets_tests.support.builder import headless, item, jpeg
from df2_assets_tests.support.object_store import ObjectStore
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.run import build

_LONG_HEADER = 3 * (b"\xff\xfe\xff\xff" + 65533 * b" ")
"""Comments that push an image's size out of the block that is read first."""


@pytest.mark.parametrize("read", ["folder", "bucket"])
@pytest.mark.parametrize("written", ["folder", "bucket"])
def test_a_build_gives_the_same_bytes_wherever_it_reads_and_writes(
    store: ObjectStore,
    source: Source,
    local: Path,
    tmp_path: Path,
    prefix: str,
    read: str,
    written: str,
) -> None:
    df2_root = source.folder if read == "folder" else source.url
    sku_root = tmp_path / "sku" if written == "folder" else locate(f"s3://{BUCKET}/{prefix}")
    built = build(df2_root, sku_root)
    assert built.problems == []
    assert len(built.runs[0].passed) == 14
    files = in_folder(sku_root) if written == "folder" else in_bucket(store, prefix)
    assert digests(files) == digests(in_folder(local))
    document = json.loads(files["train_sku_metadata.json"])
    assert (document["df2_root"], document["out_root"]) == (str(df2_root), str(sku_root))


def test_what_cannot_be_used_is_refused_in_the_same_words(
    store: ObjectStore, tmp_path: Path, prefix: str
) -> None:
    data = random_dataset(tmp_path / "df2", 5, images=80, bad=0.3)
    data.raw_image("train", 900_001, b"")
    data.annotation("train", 900_001, "shop", 1, {1: item(1, 1, [0, 0, 9, 9])})
    data.raw_annotation("train", 900_002, b"")
    data.raw_image("train", 900_002, headless(jpeg()))
    data.raw_image("train", 900_003, b"\xff\xd8" + _LONG_HEADER + jpeg((300, 200))[2:])
    data.annotation("train", 900_003, "shop", 1, {1: item(1, 1, [0, 0, 90, 90])})
    store.upload(data.root, BUCKET, f"{prefix}/df2")
    assert build(data.root, tmp_path / "sku", max_refused=1.0).problems == []
    df2_root, sku_root = (locate(f"s3://{BUCKET}/{prefix}/{name}") for name in ("df2", "sku"))
    assert build(df2_root, sku_root, max_refused=1.0).problems == []
    found = digests(in_bucket(store, f"{prefix}/sku"))
    assert found == digests(in_folder(tmp_path / "sku"))


def test_verify_explain_and_gallery_work_there(
    store: ObjectStore, source: Source, prefix: str
) -> None:
    import dagster as dg

    from df2_assets.cli.runs import run_split
    from df2_assets.definitions import build_defs
    from df2_assets.settings import Settings

    url = f"s3://{BUCKET}/{prefix}"
    settings = Settings(df2_root=source.url, sku_root=url, workers=2)
    defs = build_defs(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        for job in ("build_dataset", "refresh_reports"):
            outcome = run_split(defs, instance, "train", job=job)
            assert outcome.success, outcome.problems
    roots = make_roots(str(source.url), url)
    found = verify(roots, "train", LocalEngine(2))
    assert (found.faults, found.notes) == ([], [])
    files = in_bucket(store, prefix)
    path = min(crops(files))
    image_id = path.rpartition("/")[2][:6]
    answers = explain_image(roots, "train", image_id, None, {})
    assert "in" in {answer.fate for answer in answers}
    assert not any("changed" in step.said for answer in answers for step in answer.steps)
    page = files["_df2_assets/report/train/index.html"].decode()
    assert 'data-crops="../../.."' in page
    drawn = [name for name in files if name.startswith("_df2_assets/report/train/thumbs/")]
    assert len(drawn) == json.loads(files["train_sku_metadata.json"])["num_skus"]

    flipped = bytearray(files[path])
    flipped[-40] ^= 1
    store.put(BUCKET, f"{prefix}/{path}", bytes(flipped))
    assert {fault.path for fault in verify(roots, "train").faults} == {path}
    assert {fault.path for fault in verify(roots, "train", LocalEngine(2)).faults} == {path}
    only_it = build(source.url, locate(url)).runs[0].numbers["crops"]
    assert (only_it["remade"], only_it["added"]) == (1, 0)
    assert in_bucket(store, prefix)[path] == files[path]

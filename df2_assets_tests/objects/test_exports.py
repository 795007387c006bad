"""Exports of a split in a bucket: the same bytes as on a disk, with few requests."""

import threading
from itertools import count
from pathlib import Path

import pytest

from df2_assets.checks.exports import exports_on_disk
from df2_assets.checks.finding import Problem
from df2_assets.exports import EXPORTS
from df2_assets.exports.build import export
from df2_assets.exports.folder import crop_file_name
from df2_assets.store.layout import Roots
from df2_assets.store.location import locate
from df2_assets_tests.checks import clean
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SMALL, SPLIT
from df2_assets_tests.objects.conftest import on
from df2_assets_tests.support import processes
from df2_assets_tests.support.object_store import PICTURES, Place

TOP = "_df2_assets/exports"
SHARDS = ("webdataset", "huggingface")


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Write all exports of all splits on disk. Tests must not change them."""
    roots = splits.write_and_build(tmp_path_factory.mktemp("disk"))
    for split in splits.SPLITS:
        splits.export_all(roots, split)
    return roots


def build_into(url: str, roots: Roots, *splits: str) -> Roots:
    """Build the same source into a store."""
    there = Roots(roots.df2_root, locate(url), url)
    for split in splits or (SPLIT,):
        clean.build(there, split)
    return there


@pytest.fixture
def site(on_disk: Roots, place: Place) -> Roots:
    """Provide a split in the bucket, for a test to change."""
    return build_into(place.url, on_disk)


def exported(files: dict[str, bytes], split: str = SPLIT) -> dict[str, bytes]:
    """Return every file of every export, and the lists of digests, by path below the exports."""
    found = {path.removeprefix(f"{TOP}/"): data for path, data in files.items()}
    wanted = tuple(f"{name}/{split}{end}" for name in EXPORTS for end in ("/", ".sha256"))
    return {path: data for path, data in found.items() if path.startswith(wanted)}


def problems(roots: Roots, split: str = SPLIT) -> list[Problem]:
    """Return the problems that `verify --deep` finds in all exports."""
    return [f for seen in exports_on_disk(roots, split, deep=True).values() for f in seen.problems]


def test_all_exports_have_the_bytes_that_they_have_on_a_disk(on_disk: Roots, place: Place) -> None:
    there = build_into(place.url, on_disk, *splits.SPLITS)
    for split in splits.SPLITS:
        made = splits.export_all(there, split)
        assert {one.foreign == [] for one in made.values()} == {True}
        files = exported(place.contents(), split)
        assert files == splits.content(on_disk, split)
        for name in EXPORTS:
            finding, known = splits.check(there, name, split), splits.check(on_disk, name, split)
            assert (finding.passed, finding.numbers) == (True, known.numbers)
        assert problems(there, split) == []
    assert len(exported(place.contents())) > 100


@pytest.mark.parametrize("operation", ["get", "put"])
def test_several_crops_are_fetched_and_copied_at_the_same_time(
    site: Roots, place: Place, operation: str
) -> None:
    underway, several, waited = count(1), threading.Event(), []

    def hold(asked: str, path: str) -> None:
        """Answer the first requests only when there are more of them."""
        if asked == operation and path.endswith(".jpg"):
            if next(underway) == 8:
                several.set()
            waited.append(several.wait(timeout=10))

    with place.store.failing(hold):
        export(site, SPLIT, "huggingface")
    assert len(waited) >= len(splits.lines(site))
    assert all(waited)


def test_damage_is_found_and_the_next_export_only_repairs_that(
    on_disk: Roots, site: Roots, place: Place
) -> None:
    splits.export_all(site)
    exports = place / TOP
    before = exports.tags()
    (picture,) = sorted(path for path in before if "/imagefolder/catalog/" in path)[:1]
    overwritten = {f"webdataset/{SPLIT}/train-000003.tar", picture, f"coco/{SPLIT}/README.md"}
    removed = {f"webdataset/{SPLIT}/train-000001.tar", f"pairs/{SPLIT}/pairs.parquet"}
    left_over = {f"webdataset/{SPLIT}/train-000099.tar"}
    for path in overwritten:
        data = bytearray(exports.get(path))
        data[len(data) // 2] ^= 1
        exports.put(path, bytes(data))
    for path in removed:
        exports.delete(path)
    for path in left_over:
        exports.put(path, b"of a larger data set")
    expected = {
        **dict.fromkeys(overwritten, "its bytes differ from those that were written"),
        **dict.fromkeys(removed, "missing"),
        **dict.fromkeys(left_over, "left over: no longer part of the export"),
    }
    found = problems(site)
    assert {
        str(problem.path).removeprefix(f"{TOP}/"): problem.what for problem in found
    } == expected
    assert {problem.repair for problem in found} == {
        f"export {path.partition('/')[0]}" for path in expected
    }
    for name in ("webdataset", "huggingface", "coco", "pairs"):
        assert not splits.check(site, name).passed
    splits.export_all(site)
    after = exports.tags()
    touched = {path for path in after if after[path] != before.get(path)}
    records = {path for path in touched if path.endswith(f"/{SPLIT}.json")}
    assert touched - records <= overwritten | removed
    assert problems(site) == []
    assert exported(place.contents()) == splits.content(on_disk)


def test_renumbered_shards_are_copied_within_the_store(
    on_disk: Roots, tmp_path: Path, place: Place
) -> None:
    here = splits.copy_split(on_disk, tmp_path)
    there = build_into(place.url, here)
    for name in SHARDS:
        export(there, SPLIT, name, limits=SMALL)
    top = place / TOP / "webdataset" / SPLIT
    shards = [(path, tag) for path, (tag, _) in sorted(top.tags().items())]
    shards = [(path, tag) for path, tag in shards if path.endswith(".tar")]
    splits.drop_skus_of(here, here.export("webdataset", SPLIT) / shards[0][0])
    for roots in (here, there):
        clean.build(roots, SPLIT)
    with place.store.counting() as asked:
        made = [export(there, SPLIT, name, limits=SMALL) for name in SHARDS]
    assert asked[PICTURES] == 0
    assert made[0].removed == 0
    tags = top.tags()
    left = [tags[path][0] for path in sorted(tags) if path.endswith(".tar")]
    assert left == [tag for _, tag in shards[1:]]
    for name in SHARDS:
        export(here, SPLIT, name, limits=SMALL)
        assert splits.check(there, name).passed
    assert of_shards(exported(place.contents())) == of_shards(splits.content(here))


def of_shards(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if path.startswith(SHARDS)}


@on("azure")
def test_copies_with_new_entity_tags_are_recognized(on_disk: Roots, place: Place) -> None:
    """Stores that encrypt, or put the time of creation into tags, do this."""
    there = build_into(place.url, on_disk)
    splits.export_all(there)
    picture = there.export("huggingface", SPLIT) / crop_file_name(
        splits.lines(there)[0]["image_path"]
    )
    crop = there.sku_root / splits.lines(there)[0]["image_path"]
    assert picture.read_bytes() == crop.read_bytes()
    assert picture.stat().st_mtime_ns != crop.stat().st_mtime_ns
    assert splits.check(there, "huggingface").passed
    assert {one.written for one in splits.export_all(there).values()} == {0}
    with there.sku.atomic(picture) as temporary:
        temporary.write_bytes(crop.read_bytes()[:-1] + b"?")
    (problem,) = problems(there)
    assert problem.path == picture.relative_to(there.sku_root).as_posix()
    assert export(there, SPLIT, "huggingface", limits=SMALL).written == 1
    assert problems(there) == []


@on("s3", "azure", "gcs")
def test_the_commands_export_and_verify_what_is_in_a_bucket(
    on_disk: Roots, tmp_path: Path, place: Place
) -> None:
    env = processes.environment(tmp_path / "home", DF2_ROOT=on_disk.df2_root, SKU_ROOT=place.url)

    def run_command(*words: str, fails: bool = False) -> str:
        command = (*processes.DF2_ASSETS, *words, "--split", "validation")
        done = processes.run(command, env, tmp_path)
        assert done.returncode == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    run_command("build")
    assert run_command("export", "all").count("passed") == len(EXPORTS)
    assert f"Files: {place.url}/{TOP}" in run_command("export", "coco")
    run_command("verify", "--deep")
    path = f"{TOP}/open_clip/validation/validation.tsv"
    place.delete(path)
    assert path in run_command("verify", fails=True)

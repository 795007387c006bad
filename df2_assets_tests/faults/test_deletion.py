"""Attacks with links, names, roots and edited records on what builds delete or overwrite."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from df2_assets.engines.local import LocalEngine
from df2_assets.pipeline.planning import mark_damaged
from df2_assets.verification.verify import verify
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.faults.mounts import in_namespace
from df2_assets_tests.support import processes
from df2_assets_tests.support.compare import assert_same_output
from df2_assets_tests.support.run import build
from df2_assets_tests.support.site import OTHER_TOP, SHOP_TOP, SPLIT, Site
from df2_assets_tests.support.snapshots import Stamp, contract, stamp

Tree = dict[str, tuple[bytes, Stamp]]
VALIDATION = "validation/catalog/000001_01_01/000001_item1.jpg"
TREASURES = (
    "000099_item1.jpg",
    "000001_01_01/000099_item1.jpg",
    "catalog/000001_01_01/000099_item1.jpg",
    "crops/train.parquet",
    "crops/train.journal",
    "tables/crops/train.parquet",
    "state/train.json",
    "train.parquet",
    "train.json",
    "train.lock",
)
"""Foreign files, with the names that ours would have if a link led to their folder."""


@pytest.fixture
def site(original: Site, tmp_path: Path) -> Site:
    """Build a split, next to foreign files and a crop of a split that is not built here."""
    for name in TREASURES:
        path = tmp_path / "outside" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"a treasure: {name}".encode())
    copy = original.copy(tmp_path)
    (copy.sku / VALIDATION).parent.mkdir(parents=True)
    (copy.sku / VALIDATION).write_bytes(b"of another split")
    return copy


@pytest.fixture
def outside(site: Site, faults: Faults) -> Iterator[Path]:
    """Return the foreign files, and those of the other split, which no test may change."""
    folder, other = site.sku.with_name("outside"), site.sku / "validation"
    before = content(folder), content(other)
    yield folder
    faults.count("deletion_attacks")
    assert (content(folder), content(other)) == before


def content(folder: Path) -> Tree:
    """Return every file under a folder, with its bytes and stamp."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.read_bytes(), stamp(path)) for path in files}


def problems(site: Site) -> list[str]:
    """Return why a build failed, or nothing if it succeeded."""
    return build(site.data.root, site.sku, workers=1).problems


def spoil(site: Site) -> None:
    """Give the next build something to make, to write and to delete."""
    site.crop(SHOP_TOP).unlink()
    shutil.copy(site.crop(OTHER_TOP), site.crop(OTHER_TOP).with_name("000099_item1.jpg"))


FOLDERS = [
    *(SPLIT, f"{SPLIT}/catalog", f"{SPLIT}/catalog/000001_01_01", "_df2_assets"),
    *("_df2_assets/tables", "_df2_assets/tables/crops", "_df2_assets/state", "_df2_assets/locks"),
    *("_df2_assets/checks", "_df2_assets/checks/crops.files_match"),
    *("_df2_assets/report", "_df2_assets/report/pictures"),
    "_df2_assets/report/pictures/crops.contact_sheet/train",
]
OWN_FILES = [
    "_df2_assets/tables/crops/train.parquet",
    "_df2_assets/tables/crops/train.journal",
    "_df2_assets/tables/sku_groups/.train.parquet.tmp",
    "_df2_assets/runs/crops/train.json",
    "_df2_assets/state/train.json",
    "_df2_assets/locks/train.lock",
    "_df2_assets/locks/train.json",
]


@pytest.mark.parametrize("name", FOLDERS + OWN_FILES)
def test_an_own_folder_or_record_that_is_a_link_is_refused(
    name: str, site: Site, outside: Path, original: Site
) -> None:
    spoil(site)
    kept, path = site.sku.with_name("kept"), site.sku / name
    target = outside if name in FOLDERS else outside / TREASURES[0]
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        path.rename(kept)
    path.symlink_to(target)

    (problem,) = problems(site)

    assert f"{path} is a link" in problem
    assert path.readlink() == target
    path.unlink()
    if kept.is_dir():
        kept.rename(path)
    assert problems(site) == []
    assert_same_output(site.sku, original.sku)


CONTRACT_FILES = [
    f"{SPLIT}/{SHOP_TOP}",
    f"{SPLIT}/{Path(SHOP_TOP).parent}/.{Path(SHOP_TOP).name}.tmp",
    "train_sku_metadata.json",
    ".train_sku_metadata.json.tmp",
    "train_image_text.jsonl",
    ".train_image_text.jsonl.tmp",
    "_df2_assets/train.sha256",
    "_df2_assets/.train.sha256.tmp",
]


@pytest.mark.parametrize("how", [Path.symlink_to, Path.hardlink_to])
@pytest.mark.parametrize("name", CONTRACT_FILES)
def test_a_link_to_a_foreign_file_is_replaced_and_the_file_is_kept(
    name: str, how: Callable[[Path, Path], None], site: Site, outside: Path, original: Site
) -> None:
    spoil(site)
    (site.sku / name).unlink(missing_ok=True)
    how(site.sku / name, outside / TREASURES[0])
    assert problems(site) == []
    assert_same_output(site.sku, original.sku)
    assert not any(path.is_symlink() for path in site.sku.rglob("*"))


LOOKALIKES = [
    f"{SPLIT}/notes.txt",
    f"{SPLIT}/catalog/000001_01_01.jpg",
    f"{SPLIT}/catalog/000002_01_01 ",
    f"{SPLIT}/catalog/\uff10\uff10\uff10\uff10\uff10\uff11_01_01/000001_item1.jpg",
    f"{SPLIT}/catalog/000001_01_01\n/000001_item1.jpg",
    f"{SPLIT}/query/000001_01_01/000012_item1.JPG",
    f"{SPLIT}/query/000001_01_01/000012_item1.jpg\n",
    f"{SPLIT}/query/000001_01_01/000012_item1.jpg.tmp",
    f"{SPLIT}/query/000001_01_01/.000012_item1.jpg.tmp.tmp",
    f"{SPLIT}/query/000001_01_01/.000012_item01.jpg.tmp",
    f"{SPLIT}/query/000001_01_01/000012_item1/000012_item1.jpg",
    f"{SPLIT}/query/000001_01_01/\udcff.jpg",
    f"{SPLIT}/upper/000001_01_01/000012_item1.jpg",
    "trains/catalog/000001_01_01/000012_item1.jpg",
    "train_sku_metadata.json.bak",
    "_df2_assets/mine.txt",
    "_df2_assets/tables/crops/train.parquet.bak",
]


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_foreign_file_with_a_similar_name_is_kept_even_if_every_crop_is_removed(
    name: str, site: Site, outside: Path
) -> None:
    theirs = site.sku / name
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_bytes(b"somebody's")
    before = stamp(theirs)
    among_crops = name.startswith((f"{SPLIT}/catalog", f"{SPLIT}/query"))

    for annotation in (site.data.root / SPLIT / "annos").iterdir():
        annotation.unlink()
    said = problems(site)

    assert (theirs.read_bytes(), stamp(theirs)) == (b"somebody's", before)
    assert any("files_match" in problem for problem in said) == among_crops
    ours = [path for path in (site.sku / SPLIT).rglob("*_item?.jpg") if path != theirs]
    assert ours == []


@pytest.fixture(
    params=["../outside/000099_item1.jpg", "{outside}/000099_item1.jpg", VALIDATION],
    ids=["relative", "absolute", "of another split"],
)
def elsewhere(request: pytest.FixtureRequest, outside: Path) -> str:
    """Return a path that a record could have for a crop, but that is outside the split."""
    return str(request.param).format(outside=outside)


def edit_last_row(site: Site, asset: str, column: str, value: str) -> None:
    """Put a value into the last row of a table, and update its digest."""
    path = site.roots.table(asset, SPLIT)
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[-1] = value
    place = table.schema.get_field_index(column)
    field = table.schema.field(place)
    pq.write_table(table.set_column(place, field, pa.array(values, field.type)), path)


def test_an_edited_manifest_cannot_make_a_build_or_verify_use_another_file(
    elsewhere: str, site: Site, original: Site
) -> None:
    """This includes the case that the annotation of the crop is gone, and its row with it."""
    edit_last_row(site, "crops", "crop_path", elsewhere)
    with closing(LocalEngine(1)) as engine:
        found = verify(site.roots, SPLIT, engine)
    assert found.problems
    mark_damaged(site.roots, SPLIT, [elsewhere])
    assert problems(site) == []
    assert_same_output(site.sku, original.sku)

    edit_last_row(site, "crops", "crop_path", elsewhere)
    site.annotation(33).unlink()
    assert problems(site) == []
    assert contract(site.sku) == site.clean_build()


def test_an_edited_journal_cannot_make_a_build_use_another_file(
    elsewhere: str, site: Site, original: Site
) -> None:
    _, mtime_ns, size = stamp(site.sku / elsewhere)
    row = (elsewhere, size, mtime_ns, "0" * 64, 1, 1, "a fingerprint", None, "")
    site.roots.journal(SPLIT).write_bytes(msgspec.json.encode([row]) + b"\n")
    spoil(site)
    assert problems(site) == []
    assert_same_output(site.sku, original.sku)


def test_crops_of_edited_groups_are_refused(elsewhere: str, site: Site, original: Site) -> None:
    """If only `crops` is materialized, it reads the groups from disk."""
    site.build()  # the index knows where its input lies now
    edit_last_row(site, "sku_groups", "crop_path", elsewhere)
    said = site.materialize("crops")
    assert said is not None
    assert "which is not a crop of train: rerun sku_groups" in said
    assert problems(site) == []
    assert_same_output(site.sku, original.sku)


@pytest.mark.parametrize(
    ("asset", "column"),
    [
        ("raw_annotation_index", "image_id"),
        ("raw_annotation_index", "source"),
        ("raw_annotation_index", "category_name"),
        ("files", "image_id"),
    ],
)
def test_an_edited_index_cannot_make_a_build_use_another_file(
    asset: str, column: str, elsewhere: str, site: Site
) -> None:
    edit_last_row(site, asset, column, elsewhere)
    spoil(site)
    problems(site)


ROOTS: dict[str, Callable[[Site, Path], str]] = {
    "the same": lambda site, folder: str(site.data.root),
    "inside": lambda site, folder: str(site.data.root / "train" / "image" / "out"),
    "around": lambda site, folder: str(site.data.root.parent),
    "by a link": lambda site, folder: str(linked(folder / "link", site.data.root)),
    "inside a link": lambda site, folder: str(linked(folder / "link", site.data.root) / "new"),
    "by dots": lambda site, folder: f"{site.data.root}/train/../../{site.data.root.name}",
    "relative": lambda site, folder: os.path.relpath(site.data.root / "train"),
    "by a link of a link": lambda site, folder: str(
        linked(folder / "second", linked(folder / "first", site.data.root.parent))
    ),
}


def linked(path: Path, target: Path) -> Path:
    path.symlink_to(target, target_is_directory=True)
    return path


@pytest.mark.parametrize("way", ROOTS)
def test_roots_inside_each_other_are_refused_by_any_path(
    way: str, site: Site, outside: Path, tmp_path: Path
) -> None:
    before = content(site.data.root)
    (tmp_path / "links").mkdir()
    sku_root = ROOTS[way](site, tmp_path / "links")
    (problem,) = build(site.data.root, Path(sku_root), workers=1).problems
    assert "the same, or one is inside the other" in problem
    assert content(site.data.root) == before
    assert not list(site.data.root.rglob("_df2_assets"))


@pytest.mark.parametrize("inner", ["", "train"])
def test_roots_that_a_mount_makes_the_same_are_refused(
    inner: str, site: Site, outside: Path, tmp_path: Path
) -> None:
    """Containers have such roots, if their volumes are folders of one disk."""
    before = content(site.data.root)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    mount = ("mount", "--bind", str(site.data.root / inner), str(mounted))
    env = site.environment(SKU_ROOT=mounted)
    done = processes.run(in_namespace(mount, (*processes.DF2_ASSETS, "build")), env, tmp_path)
    assert done.returncode == 1, done
    assert "the same, or one is inside the other" in done.stderr
    assert content(site.data.root) == before

"""Only files with names of the contract belong to the project. Others are left alone."""

from pathlib import Path

import pytest

from df2_assets.errors import OutputError
from df2_assets.store import crop_tree
from df2_assets.store.crop_sets import contract_crops, crops_at, variant_crops
from df2_assets.store.layout import Roots

CROPS = contract_crops("train")
SKU = "train/catalog/000001_01_01"
CROP = f"{SKU}/000002_item1.jpg"
OTHER = "train/query/000001_01_01/000003_item1.jpg"


def put(roots: Roots, path: str, content: bytes = b"x") -> Path:
    file = roots.sku_root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def test_a_crop_is_found_with_its_size_and_time(roots: Roots) -> None:
    file = put(roots, CROP, b"four")
    tree = crop_tree.scan(roots, CROPS)
    assert tree.crops == {CROP: (4, file.stat().st_mtime_ns)}
    assert not tree.foreign


def test_a_split_that_was_never_built_is_empty(roots: Roots) -> None:
    assert crop_tree.scan(roots, CROPS) == crop_tree.CropTree()


@pytest.mark.parametrize(
    "name",
    [
        f"{SKU}/notes.txt",
        f"{SKU}/000002_item0.jpg",
        f"{SKU}/000002_item01.jpg",
        f"{SKU}/00002_item1.jpg",
        f"{SKU}/000002_item1.png",
        f"{SKU}/.hidden.tmp",
        "train/catalog/000002_item1.jpg",
        "train/catalog/readme",
        "train/query/1_01_01",
    ],
)
def test_a_name_that_is_not_of_the_contract_is_foreign(roots: Roots, name: str) -> None:
    put(roots, name)
    tree = crop_tree.scan(roots, CROPS)
    assert tree.foreign == [name]
    assert not tree.crops


def test_generated_views_beside_the_catalog_are_allowed(roots: Roots, tmp_path: Path) -> None:
    put(roots, CROP)
    put(roots, "train/catalog_dit/000001_01_01/0.png")
    (roots.sku_root / "train/catalog_sd_1.5").symlink_to(tmp_path)
    put(roots, "train/catalog_notes.txt")
    put(roots, "train/query_dit/000001_01_01/0.png")
    tree = crop_tree.scan(roots, CROPS)
    assert tree.views == ["train/catalog_dit", "train/catalog_sd_1.5"]
    assert list(tree.crops) == [CROP]
    assert not tree.foreign
    assert crop_tree.sort_entries(CROPS, [("catalog_x", None)]).views == ["train/catalog_x"]


def test_a_folder_and_a_link_with_a_crops_name_are_foreign(roots: Roots, tmp_path: Path) -> None:
    (roots.sku_root / SKU / "000002_item1.jpg").mkdir(parents=True)
    (roots.sku_root / SKU / "000003_item1.jpg").symlink_to(tmp_path)
    tree = crop_tree.scan(roots, CROPS)
    assert tree.foreign == [f"{SKU}/000002_item1.jpg", f"{SKU}/000003_item1.jpg"]


def test_half_written_files_are_distinguished(roots: Roots) -> None:
    put(roots, f"{SKU}/.000002_item1.jpg.tmp")
    assert crop_tree.scan(roots, CROPS).temporary == [f"{SKU}/.000002_item1.jpg.tmp"]


@pytest.mark.parametrize("link", ["train", "train/query", "train/query/000001_01_01"])
def test_a_link_that_leads_elsewhere_is_refused(roots: Roots, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = roots.sku_root / link
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere)
    with pytest.raises(OutputError, match="is a link"):
        crop_tree.scan(roots, CROPS)


def test_removing_the_last_crop_removes_the_folders_that_it_leaves_empty(roots: Roots) -> None:
    put(roots, CROP)
    kept = put(roots, OTHER)
    roots.sku.remove(roots.sku_root, [CROP])
    assert kept.exists()
    assert not (roots.sku_root / "train/catalog").exists()
    roots.sku.remove(roots.sku_root, [OTHER])
    assert not (roots.sku_root / "train").exists()


def test_a_folder_with_a_foreign_file_is_kept(roots: Roots) -> None:
    put(roots, CROP)
    stranger = put(roots, f"{SKU}/notes.txt")
    roots.sku.remove(roots.sku_root, [CROP])
    assert stranger.exists()


def test_a_variant_has_files_of_any_format_and_nothing_else_beside_its_domains(
    roots: Roots,
) -> None:
    crops = variant_crops(roots, "train", "square")
    folder = "_df2_assets/variants/square/train"
    names = [f"{folder}/catalog/000001_01_01/000002_item{n}" for n in (1, 2, 3)]
    mine = [
        f"{name}{suffix}" for name, suffix in zip(names, (".jpg", ".png", ".webp"), strict=True)
    ]
    foreign = [f"{folder}/catalog_dit/a.jpg", f"{names[0]}.gif", f"{folder}/notes.txt"]
    for path in (*mine, *foreign):
        put(roots, path)
    tree = crop_tree.scan(roots, crops)
    assert sorted(tree.crops) == mine
    assert tree.foreign == sorted(
        [f"{names[0]}.gif", f"{folder}/catalog_dit", f"{folder}/notes.txt"]
    )
    assert tree.views == []
    assert [crops_at(roots, "train", path).table for path in (mine[1], CROP)] == [
        "crop_variants/square",
        "crops",
    ]

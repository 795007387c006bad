"""Crop variants of a split: what is made, kept, made again and removed, and who may read it."""

import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

from df2_assets.checks.crop_variants import variants_match
from df2_assets.checks.finding import Finding
from df2_assets.dataset.boxes import size
from df2_assets.dataset.cropping import decode
from df2_assets.dataset.variants import Affine, CropVariant, plan_cut
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import IncompleteSplitError, MissingTableError, OutputError, ProvenanceError
from df2_assets.pipeline import cutting
from df2_assets.pipeline.planning import mark_damaged
from df2_assets.pipeline.variants import MadeVariants, make_variants
from df2_assets.store import tables
from df2_assets.store.crop_sets import variant_crops
from df2_assets.store.journal import journal
from df2_assets.store.layout import Roots
from df2_assets.store.variants import (
    count_files,
    declared_in,
    list_names,
    list_variants,
    read_variant,
)
from df2_assets_tests.checks.clean import Built
from df2_assets_tests.support.snapshots import contract

SPLIT = "train"
CROPS = 52
IMAGES = 4
SQUARE = CropVariant("square", square="pad", size=32)
CUT_OUT = CropVariant("cut", cut_out="alpha", format="png")
WEBP = CropVariant("small", size=16, format="webp")
PLAIN = CropVariant("plain")


def make(roots: Roots, *declared: CropVariant) -> MadeVariants:
    groups = tables.frame(tables.read(roots, "sku_groups", SPLIT))
    manifest = tables.read(roots, "crops", SPLIT)
    return make_variants(roots, SPLIT, declared, groups, manifest, SerialEngine(), silent)


def check(roots: Roots) -> Finding:
    index, groups, manifest = (
        tables.frame(tables.read(roots, asset, SPLIT))
        for asset in ("raw_annotation_index", "sku_groups", "crops")
    )
    return variants_match(roots, SPLIT, index, groups, manifest, SerialEngine())


def files(roots: Roots, name: str = "") -> dict[str, tuple[bytes, int]]:
    """Return bytes and time of every file of a variant, or of all."""
    folder = roots.variants / name
    return {
        path.relative_to(roots.sku_root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def whats(finding: Finding) -> list[tuple[str, str]]:
    return list(zip(finding.offenders["crop_path"], finding.offenders["what"], strict=True))


@pytest.fixture
def disk(small: tuple[Roots, Built], disk: Roots) -> Roots:
    """A copy of the output of the built split, over the data set that it was built from."""
    return replace(disk, df2_root=small[0].df2_root)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that are decoded from now on."""
    names: list[str] = []

    def noting(file: Any) -> Image.Image:
        names.append(os.path.basename(file.name))
        return decode(file)

    monkeypatch.setattr(cutting, "decode", noting)
    return names


def test_each_crop_gets_a_file_per_variant_and_the_contract_stays(
    disk: Roots, decoded: list[str]
) -> None:
    before = contract(disk.sku_root)
    made = make(disk, SQUARE, WEBP, PLAIN)
    assert contract(disk.sku_root) == before
    assert made.images_decoded == IMAGES
    assert {*Counter(decoded).values()} == {2}  # by the probe of what it takes, and for all files
    assert made.changes.added == 3 * CROPS
    assert check(disk).passed
    assert list_variants(disk, SPLIT) == ["plain", "small", "square"]
    for variant in (SQUARE, WEBP, PLAIN):
        manifest = read_variant(disk, SPLIT, variant.name)
        assert declared_in(manifest) == variant
        assert count_files(manifest)[:2] == (CROPS, 0)
        paths = [path.split("/", 4) for path in manifest["variant_path"].to_pylist()]
        folder = ["_df2_assets", "variants", variant.name, SPLIT]
        assert all(parts[:4] == folder for parts in paths)
        below = [f"{SPLIT}/{parts[4].removesuffix(variant.suffix)}.jpg" for parts in paths]
        assert manifest["crop_path"].to_pylist() == below == sorted(below)
    square = read_variant(disk, SPLIT, "square")
    assert {*square["width"].to_pylist(), *square["height"].to_pylist()} == {32}
    for row in square.slice(0, 3).to_pylist():
        with Image.open(disk.crop(row["variant_path"])) as image:
            assert image.size == (32, 32)
            assert image.format == "JPEG"


def test_a_plain_variant_has_the_bytes_of_the_contract(disk: Roots) -> None:
    make(disk, PLAIN)
    for row in read_variant(disk, SPLIT, "plain").to_pylist():
        assert (
            disk.crop(row["variant_path"]).read_bytes() == disk.crop(row["crop_path"]).read_bytes()
        )


def test_a_manifest_has_the_box_and_the_map_of_the_declaration(disk: Roots) -> None:
    make(disk, CropVariant("wide", margin=0.1, square="widen", size=48))
    groups = {row["crop_path"]: row for row in tables.read(disk, "sku_groups", SPLIT).to_pylist()}
    variant = declared_in(read_variant(disk, SPLIT, "wide"))
    for row in read_variant(disk, SPLIT, "wide").to_pylist():
        box = tuple(groups[row["crop_path"]][edge] for edge in ("x1", "y1", "x2", "y2"))
        cut = plan_cut(variant, box, 160, 160)
        assert (row["x1"], row["y1"], row["x2"], row["y2"]) == cut.box
        affine = Affine(row["scale_x"], row["scale_y"], row["shift_x"], row["shift_y"])
        assert affine == cut.affine
        assert (row["width"], row["height"]) == (cut.width, cut.height)
        assert affine.apply(*cut.box[:2]) == pytest.approx(cut.place[:2])
        assert size(cut.box) >= size(box)


def test_nothing_is_made_or_decoded_twice(disk: Roots, decoded: list[str]) -> None:
    make(disk, SQUARE, CUT_OUT)
    before = files(disk)
    decoded.clear()
    again = make(disk, SQUARE, CUT_OUT)
    assert (decoded, again.images_decoded, files(disk)) == ([], 0, before)
    assert str(again.changes) == "Nothing changed."


def test_adding_a_variant_makes_only_that_one(disk: Roots) -> None:
    make(disk, SQUARE)
    before = files(disk)
    made = make(disk, SQUARE, WEBP)
    assert made.of_each["made"].tolist() == [0, CROPS]
    assert files(disk, "square") == before


@pytest.mark.slow
def test_changing_a_variant_makes_only_that_one_again(disk: Roots) -> None:
    make(disk, SQUARE, WEBP)
    before = files(disk, "square")
    larger = CropVariant("small", size=20, format="png")
    made = make(disk, SQUARE, larger)
    assert made.of_each["made"].tolist() == [0, CROPS]
    assert files(disk, "square") == before
    assert {path.rpartition(".")[2] for path in files(disk, "small")} == {"png"}
    assert (made.changes.added, made.changes.removed, made.changes.unchanged) == (
        CROPS,
        CROPS,
        CROPS,
    )
    assert check(disk).passed


def test_changing_an_option_says_what_changed(disk: Roots) -> None:
    make(disk, SQUARE)
    made = make(disk, CropVariant("square", square="pad", size=24))
    (reason,) = made.notes.values()
    assert reason.startswith("square: ")
    assert "size=32" in reason.partition(" -> ")[0]
    assert "size=24" in reason.partition(" -> ")[2]
    assert made.changes.remade == CROPS


@pytest.mark.slow
def test_a_variant_that_is_not_declared_any_more_is_removed_and_foreign_files_stay(
    disk: Roots,
) -> None:
    make(disk, SQUARE, WEBP)
    foreign = disk.variant("small", SPLIT) / "catalog" / "notes.txt"
    foreign.write_text("mine")
    kept = files(disk, "square")
    made = make(disk, SQUARE)
    assert len(made.removed["small"]) == CROPS
    assert list(files(disk, "small")) == [foreign.relative_to(disk.sku_root).as_posix()]
    assert files(disk, "square") == kept
    assert list_variants(disk, SPLIT) == ["square"]
    assert not disk.variant_manifest("small", SPLIT).exists()
    finding = check(disk)
    assert whats(finding) == [
        ("_df2_assets/variants/small/train/catalog/notes.txt", "not a file of this project")
    ]
    foreign.unlink()
    assert make(disk).removed.keys() == {"square"}
    assert files(disk) == {}
    assert not disk.variants.exists()
    assert list_names(disk, SPLIT) == []


@pytest.mark.slow
def test_a_change_of_one_image_makes_its_crops_again_in_every_variant(disk: Roots) -> None:
    make(disk, SQUARE, WEBP)
    missing = disk.crop(read_variant(disk, SPLIT, "square")["variant_path"][0].as_py())
    before = files(disk)
    missing.unlink()
    made = make(disk, SQUARE, WEBP)
    assert (made.images_decoded, made.of_each["made"].tolist()) == (1, [1, 0])
    assert {path: data for path, (data, _) in files(disk).items()} == {
        path: data for path, (data, _) in before.items()
    }


def test_a_cut_out_whose_shape_cannot_be_used_is_refused_in_its_variant_only(disk: Roots) -> None:
    """The polygon of every item lies in the box of item 1."""
    make(disk, CUT_OUT, SQUARE)
    rows = read_variant(disk, SPLIT, "cut").to_pylist()
    made = [row["crop_path"] for row in rows if row["reason"] is None]
    assert {path.rpartition("_")[2] for path in made} == {"item1.jpg"}
    assert len(made) == IMAGES
    refused = [row for row in rows if row["reason"]]
    assert {(row["reason"], row["detail"]) for row in refused} == {
        ("no_area", "the polygons cover no pixel of the crop")
    }
    with Image.open(disk.crop(rows[0]["variant_path"])) as image:
        assert (image.mode, image.format) == ("RGBA", "PNG")
        assert image.getpixel((0, 0))[3] == 0  # type: ignore[index]
        assert image.getpixel((15, 20))[3] == 255  # type: ignore[index]
    assert count_files(read_variant(disk, SPLIT, "square"))[:2] == (CROPS, 0)
    assert check(disk).passed
    assert make(disk, CUT_OUT, SQUARE).images_decoded == 0


def test_a_variant_that_was_not_made_names_the_command(disk: Roots) -> None:
    make(disk, SQUARE)
    with pytest.raises(MissingTableError, match=r"no crop variant 'other' \(it has square\).*run "):
        read_variant(disk, SPLIT, "other")


def test_a_variant_of_other_crops_is_not_read(disk: Roots) -> None:
    make(disk, SQUARE)
    manifest = tables.read(disk, "crops", SPLIT)
    digests = tables.digests(disk, ("sku_groups",), SPLIT)
    tables.write(disk, "crops", SPLIT, manifest.slice(1), digests)
    with pytest.raises(ProvenanceError, match="run df2-assets variants --split train"):
        read_variant(disk, SPLIT, "square")
    assert ("", "it was made from other crops than the current ones") in whats(check(disk))
    gone = manifest["crop_path"][0].as_py()
    made = make(disk, SQUARE)
    assert made.changes.removed == 1
    assert gone not in read_variant(disk, SPLIT, "square")["crop_path"].to_pylist()
    assert check(disk).passed


class Stopping(SerialEngine):
    """An engine that stops after a number of shards."""

    def __init__(self, shards: int) -> None:
        self.shards = shards

    def map(self, function: Any, shards: Any) -> Any:
        for number, shard in enumerate(shards):
            if function is cutting.cut_shard and number >= self.shards:
                raise KeyboardInterrupt
            yield shard, function(shard)


@pytest.mark.slow
def test_a_stopped_run_continues_and_ends_in_the_same_bytes(
    disk: Roots, tmp_path: Path, decoded: list[str]
) -> None:
    make(disk, SQUARE, WEBP)
    expected = {path: data for path, (data, _) in files(disk).items()}
    make(disk)
    groups = tables.frame(tables.read(disk, "sku_groups", SPLIT))
    manifest = tables.read(disk, "crops", SPLIT)
    with pytest.raises(KeyboardInterrupt):
        make_variants(disk, SPLIT, (SQUARE, WEBP), groups, manifest, Stopping(2), silent)
    finished = len(files(disk))
    assert 0 < finished < 2 * CROPS
    with pytest.raises(MissingTableError):
        read_variant(disk, SPLIT, "square")
    decoded.clear()
    made = make(disk, SQUARE, WEBP)
    assert 0 < len(decoded) < IMAGES
    assert made.notes["taken_over"].startswith(f"Took over {finished} files")
    assert {path: data for path, (data, _) in files(disk).items()} == expected
    assert check(disk).passed


def test_a_variant_that_is_half_made_again_is_not_read(disk: Roots) -> None:
    make(disk, SQUARE)
    with journal(disk, variant_crops(disk, SPLIT, "square")) as lines:
        lines.add([])
    with pytest.raises(IncompleteSplitError, match=r"half-built.*df2-assets variants"):
        read_variant(disk, SPLIT, "square")
    assert not check(disk).passed
    make(disk, SQUARE)
    assert read_variant(disk, SPLIT, "square").num_rows == CROPS


def test_damaged_files_that_are_marked_are_made_again(disk: Roots) -> None:
    make(disk, SQUARE)
    path = read_variant(disk, SPLIT, "square")["variant_path"][5].as_py()
    before = disk.crop(path).read_bytes()
    disk.crop(path).write_bytes(b"x" * len(before))
    assert mark_damaged(disk, SPLIT, [path]) == [path]
    assert make(disk, SQUARE).images_decoded == 1
    assert disk.crop(path).read_bytes() == before


def damage(roots: Roots) -> Iterator[tuple[str, str]]:
    """Damage the files of a variant in several ways, and yield what a check must report."""
    missing, changed, extra, half, *_ = read_variant(roots, SPLIT, "square")[
        "variant_path"
    ].to_pylist()
    roots.crop(missing).unlink()
    yield missing, "the file is missing"
    roots.crop(changed).write_bytes(b"no image")
    yield changed, "its bytes differ from those that were written"
    other = extra.replace("_item", "_item9")
    roots.crop(other).write_bytes(b"x")
    yield other, "the manifest does not list it"
    folder, _, name = half.rpartition("/")
    roots.crop(f"{folder}/.{name}.tmp").write_bytes(b"x")
    yield f"{folder}/.{name}.tmp", "half-written by a run that was killed"


@pytest.mark.slow
def test_the_check_names_what_is_wrong_and_the_next_run_repairs_it(disk: Roots) -> None:
    make(disk, SQUARE)
    before = {path: data for path, (data, _) in files(disk).items()}
    expected = sorted(damage(disk))
    finding = check(disk)
    assert sorted(whats(finding)) == expected
    assert finding.summary.endswith("Run df2-assets variants --split train")
    assert finding.offenders["sku_id"].notna().sum() == 3
    make(disk, SQUARE)
    assert {path: data for path, (data, _) in files(disk).items()} == before
    assert check(disk).passed


def test_the_check_compares_the_manifest_with_the_declaration(disk: Roots) -> None:
    make(disk, SQUARE)
    table = read_variant(disk, SPLIT, "square")
    column = table.schema.get_field_index("shift_x")
    moved = pa.array([value + 1 for value in table["shift_x"].to_pylist()])
    inputs = tables.digests(disk, ("sku_groups", "crops"), SPLIT)
    table = table.set_column(column, table.schema.field(column), moved)
    tables.write(disk, "crop_variants/square", SPLIT, table, inputs)
    assert {what for _, what in whats(check(disk))} == {
        "box, map or size are not those of its declaration"
    }


def test_a_folder_that_is_a_link_is_refused(disk: Roots, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    Path(disk.variants).mkdir()
    Path(disk.variants / "square").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is a link"):
        make(disk, SQUARE)


def test_only_crops_that_are_on_disk_get_files(disk: Roots) -> None:
    manifest = tables.read(disk, "crops", SPLIT)
    reasons: Sequence[str | None] = ["unreadable_image", *[None] * (CROPS - 1)]
    column = manifest.schema.get_field_index("reason")
    refused = manifest.set_column(column, manifest.schema.field(column), pa.array(reasons))
    tables.write(disk, "crops", SPLIT, refused, tables.digests(disk, ("sku_groups",), SPLIT))
    make(disk, SQUARE)
    assert read_variant(disk, SPLIT, "square").num_rows == CROPS - 1


def test_a_file_of_a_variant_is_a_picture_of_its_own_format(disk: Roots) -> None:
    make(disk, WEBP, CUT_OUT)
    for name, form in (("small", "WEBP"), ("cut", "PNG")):
        for data, _ in files(disk, name).values():
            with Image.open(io.BytesIO(data)) as image:
                assert image.format == form

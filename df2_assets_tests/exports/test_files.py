"""The files of exports: the same bytes every time, and only changed files are written."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from df2_assets.errors import DiskFullError, IncompleteSplitError, OutputError, ProvenanceError
from df2_assets.exports import EXPORTS
from df2_assets.exports.build import export
from df2_assets.exports.source import Row, Source
from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SMALL, SPLIT
from df2_assets_tests.faults import full_disk
from df2_assets_tests.support.builder import DataSet, item


def add_item(roots: Roots) -> None:
    """Add a crop to a SKU of the data set, and build the split again."""
    row = splits.lines(roots)[40]
    data = DataSet(roots.df2_root)
    data.image(SPLIT, 990_000)
    fields = item(row["category_id"], row["style"], (5, 5, 60, 80))
    source = "shop" if row["domain"] == "catalog" else "user"
    data.annotation(SPLIT, 990_000, source, row["pair_id"], {1: fields})
    clean.build(roots, SPLIT)


def test_a_second_export_elsewhere_has_the_same_bytes(exported: Roots, site: Roots) -> None:
    for split in splits.SPLITS:
        splits.export_all(site, split)
        assert splits.content(site, split) == splits.content(exported, split)


def test_what_is_exported_again_is_not_written_again(exported: Roots) -> None:
    before = {name: splits.stamps(exported, name) for name in EXPORTS}
    records = [(exported.export(name, SPLIT).with_suffix(".json")).stat() for name in EXPORTS]
    made = splits.export_all(exported)
    assert {one.written for one in made.values()} == {0}
    assert {one.removed for one in made.values()} == {0}
    assert {name: splits.stamps(exported, name) for name in EXPORTS} == before
    after = [(exported.export(name, SPLIT).with_suffix(".json")).stat() for name in EXPORTS]
    assert [one.st_ino for one in after] == [one.st_ino for one in records]


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("webdataset", ".tar"),
        pytest.param("huggingface", ".parquet", marks=pytest.mark.slow),
    ],
)
def test_an_additional_crop_keeps_other_shards_and_ends_in_a_clean_export(
    site: Roots, tmp_path: Path, name: str, ending: str
) -> None:
    export(site, SPLIT, name, limits=SMALL)
    before = splits.stamps(site, name)
    add_item(site)
    made = export(site, SPLIT, name, limits=SMALL)
    after = splits.stamps(site, name)
    shards = [file for file in after if file.endswith(ending)]
    assert len(shards) > 6
    assert 1 <= len(splits.list_rewritten(before, after, ending)) <= 2
    assert made.rows == len(splits.lines(site)) == 9 * splits.PAIRS + 1
    assert splits.check(site, name).passed
    fresh = splits.copy_split(site, tmp_path / "fresh")
    shutil.rmtree(fresh.own / "exports")
    export(fresh, SPLIT, name, limits=SMALL)
    left = splits.stamps(fresh, name)
    assert left.keys() == after.keys()
    for file in left:
        one, other = (roots.export(name, SPLIT) / file for roots in (site, fresh))
        assert one.read_bytes() == other.read_bytes()


def test_shards_that_get_another_number_are_renamed(site: Roots) -> None:
    export(site, SPLIT, "webdataset", limits=SMALL)
    shards = sorted(site.export("webdataset", SPLIT).glob("*.tar"))
    inodes = [path.stat().st_ino for path in shards]
    splits.drop_skus_of(site, shards[0])
    clean.build(site, SPLIT)
    made = export(site, SPLIT, "webdataset", limits=SMALL)
    left = sorted(site.export("webdataset", SPLIT).glob("*.tar"))
    assert [path.name for path in left] == [path.name for path in shards[:-1]]
    assert [path.stat().st_ino for path in left] == inodes[1:]
    assert made.removed == 0
    assert splits.check(site, "webdataset").passed


def test_an_export_that_is_stopped_keeps_its_finished_shards(
    site: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, reads = Source.with_bytes, []

    def stopping(source: Source, rows: Iterable[Row]) -> Iterator[tuple[Row, bytes]]:
        for row, data in read(source, rows):
            reads.append(row)
            if len(reads) == 70:
                raise KeyboardInterrupt
            yield row, data

    monkeypatch.setattr(Source, "with_bytes", stopping)
    with pytest.raises(KeyboardInterrupt):
        export(site, SPLIT, "webdataset", limits=SMALL)
    monkeypatch.undo()
    before = splits.stamps(site, "webdataset")
    assert "half-written" in splits.check(site, "webdataset").summary
    made = export(site, SPLIT, "webdataset", limits=SMALL)
    after = splits.stamps(site, "webdataset")
    assert len(before) >= 2
    assert {name: after[name] for name in before} == before
    assert made.written == made.files - len(before)
    assert splits.check(site, "webdataset").passed


def test_an_empty_split_has_empty_and_well_formed_exports(exported: Roots) -> None:
    for name in EXPORTS:
        finding = splits.check(exported, name, "test")
        assert (finding.passed, finding.checked_count) == (True, 0)
    tops = {name: exported.export(name, "test") for name in EXPORTS}
    assert (tops["webdataset"] / "__len__").read_text() == "0\n"
    assert (tops["open_clip"] / "test.tsv").read_text() == "filepath\ttitle\tsku_uid\n"
    assert (tops["reid"] / "df2_reid_test.jsonl").read_bytes() == b""
    assert (tops["huggingface"] / "imagefolder" / "metadata.jsonl").read_bytes() == b""


def test_the_digests_are_listed_as_sha256sum_does(exported: Roots) -> None:
    for name in EXPORTS:
        listing = exported.export(name, SPLIT).with_suffix(".sha256")
        said = subprocess.run(
            ["sha256sum", "--strict", "--quiet", "-c", str(listing)],
            cwd=exported.sku_root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr
        listed = {line.split("  ")[1] for line in listing.read_text().splitlines()}
        top = f"_df2_assets/exports/{name}/{SPLIT}"
        assert listed == {f"{top}/{file}" for file in splits.stamps(exported, name)}


@pytest.mark.parametrize("name", EXPORTS)
def test_the_data_card_has_counts_rules_digests_and_terms(exported: Roots, name: str) -> None:
    text = (exported.export(name, SPLIT) / "README.md").read_text()
    rows = splits.lines(exported)
    skus = len({row["sku_id"] for row in rows})
    assert f"{skus} SKUs, {len(rows)} crops" in text
    jsonl = hashlib.sha256(exported.image_text(SPLIT).read_bytes()).hexdigest()
    assert jsonl in text
    assert "non-commercial research only" in text
    assert "may be redistributed" in text
    assert "`style` above 0" in text
    assert "```python" in text
    assert str(exported.sku_root) not in text
    assert not re.search(r"20[2-9]\d-\d\d|\d\d:\d\d", text)


def test_images_of_the_imagefolder_are_hard_links_to_the_crops(exported: Roots) -> None:
    for name in EXPORTS:
        images = [file for file in splits.stamps(exported, name) if file.endswith(".jpg")]
        assert bool(images) == (name == "huggingface")
    top = exported.export("huggingface", SPLIT) / "imagefolder"
    for row in splits.lines(exported):
        path = row["image_path"]
        assert os.path.samefile(top / path.removeprefix("train/"), exported.sku_root / path)


@pytest.mark.slow
def test_images_of_the_imagefolder_are_copies_where_there_can_be_no_links(
    site: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    export(site, SPLIT, "huggingface", limits=SMALL)
    row = splits.lines(site)[0]["image_path"]
    copy = site.export("huggingface", SPLIT) / "imagefolder" / row.removeprefix("train/")
    assert not os.path.samefile(copy, site.sku_root / row)
    assert splits.check(site, "huggingface").passed
    assert export(site, SPLIT, "huggingface", limits=SMALL).written == 0


def test_a_split_that_is_not_complete_is_not_exported(site: Roots) -> None:
    state.mark_incomplete(site, SPLIT)
    with pytest.raises(IncompleteSplitError, match="df2-assets build --split train"):
        export(site, SPLIT, "coco")
    assert not (site.own / "exports").exists()


def test_lines_that_were_edited_are_not_exported(site: Roots) -> None:
    path = site.image_text(SPLIT)
    path.write_text(path.read_text().replace("from the front", "from the\tfront", 1))
    with pytest.raises(ProvenanceError, match="was not built from the current crops"):
        export(site, SPLIT, "open_clip")


@pytest.mark.slow
def test_a_crop_of_other_bytes_is_not_packed(site: Roots) -> None:
    path = splits.lines(site)[3]["image_path"]
    with (site.sku_root / path).open("r+b") as file:
        file.seek(300)
        file.write(b"?")
    for name in ("webdataset", "huggingface"):
        with pytest.raises(OutputError, match=re.escape(path)):
            export(site, SPLIT, name)


@pytest.mark.parametrize("place", ["exports/coco/train", "exports"])
def test_a_link_in_place_of_a_folder_is_refused(site: Roots, tmp_path: Path, place: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = site.own / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    with pytest.raises(OutputError, match="is a link"):
        export(site, SPLIT, "coco")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.slow
def test_a_link_among_the_folders_below_is_refused(site: Roots, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    export(site, SPLIT, "huggingface")
    query = site.export("huggingface", SPLIT) / "imagefolder" / "query"
    shutil.rmtree(query)
    query.symlink_to(elsewhere)
    with pytest.raises(OutputError, match="is a link"):
        export(site, SPLIT, "huggingface")
    assert list(elsewhere.iterdir()) == []


def test_a_disk_without_room_for_the_shards_is_refused_before_any_is_written(
    site: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2000))
    with pytest.raises(DiskFullError, match=r"webdataset of train needs about .* free some space"):
        export(site, SPLIT, "webdataset")
    assert splits.stamps(site, "webdataset") == {}


@pytest.mark.slow
def test_a_disk_that_fills_up_keeps_finished_shards_and_is_reported(site: Roots) -> None:
    program = (
        "import sys; from pathlib import Path; from df2_assets.errors import Df2Error;"
        "from df2_assets.exports.build import export;"
        "from df2_assets_tests.exports.splits import SMALL, roots_in\n"
        "try: export(roots_in(Path(sys.argv[1])), 'train', 'webdataset', limits=SMALL)\n"
        "except Df2Error as problem: print(problem)"
    )
    folder = site.sku_root.parent
    said = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env=os.environ | full_disk.environment(folder / "hook", site.sku_root, after=14),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Cannot write webdataset of train" in said.stdout, said.stderr
    assert "No space left on device" in said.stdout
    left = [name for name in splits.stamps(site, "webdataset") if name.endswith(".tar")]
    assert left
    assert not [name for name in left if name.startswith(".")]
    assert export(site, SPLIT, "webdataset", limits=SMALL).rows == len(splits.lines(site))
    assert splits.check(site, "webdataset").passed

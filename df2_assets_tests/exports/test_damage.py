"""Exports that were edited, damaged or left behind: how they are reported and repaired."""

import os
import shutil
from dataclasses import replace
from itertools import islice, product
from pathlib import Path

import pytest

from df2_assets.checks.exports import CHECK, exports_on_disk
from df2_assets.checks.finding import Finding, Problem
from df2_assets.errors import ProvenanceError
from df2_assets.exports import EXPORTS, pairs
from df2_assets.exports.build import export
from df2_assets.exports.source import Source
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import named
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SMALL, SPLIT
from df2_assets_tests.support.site import touch

LEFT_OVER = "left over: no longer part of the export"


@pytest.fixture
def damaged(exported: Roots, tmp_path: Path) -> Roots:
    """Copy all exports, for a test to change. The data set does not change."""
    shutil.copytree(exported.sku_root, tmp_path / "sku")
    return replace(exported, sku_root=tmp_path / "sku")


def problems(roots: Roots, *, deep: bool) -> list[Problem]:
    seen = exports_on_disk(roots, SPLIT, deep=deep)
    assert {name for name, _ in seen} == set(EXPORTS)
    assert {check for _, check in seen} == {CHECK}
    return [problem for one in seen.values() for problem in one.problems]


def list_offenders(finding: Finding) -> list[str]:
    return [str(what) for (what,) in named(finding.offenders, "what")]


def flip(path: Path) -> None:
    """Change a byte, but neither size nor time."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(status.st_size // 2)
        byte = file.read(1)
        file.seek(status.st_size // 2)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_fresh_export_has_no_problems(exported: Roots) -> None:
    assert problems(exported, deep=False) == []
    assert problems(exported, deep=True) == []
    rows = len(splits.lines(exported))
    for name in set(EXPORTS) - {"pairs", "huggingface", "retrieval"}:
        assert splits.check(exported, name).numbers == {"rows": rows}
    assert splits.check(exported, "huggingface").numbers == {"rows": 2 * rows}


def test_damaged_files_are_named_and_only_they_are_repaired(damaged: Roots) -> None:
    folder = damaged.export("webdataset", SPLIT)
    before = splits.stamps(damaged, "webdataset")
    (folder / "train-000001.tar").unlink()
    (folder / "train-000003.tar").write_bytes(b"no tar")
    shutil.copy(folder / "train-000000.tar", folder / "train-000099.tar")
    (folder / ".train-000002.tar.tmp").write_bytes(b"")
    top = f"_df2_assets/exports/webdataset/{SPLIT}"
    assert {
        (problem.path, problem.what, problem.repair) for problem in problems(damaged, deep=False)
    } == {
        (f"{top}/train-000001.tar", "missing", "export webdataset"),
        (f"{top}/train-000003.tar", "changed since it was written", "export webdataset"),
        (f"{top}/train-000099.tar", LEFT_OVER, "export webdataset"),
        (f"{top}/.train-000002.tar.tmp", LEFT_OVER, "export webdataset"),
    }
    assert not splits.check(damaged, "webdataset").passed
    made = export(damaged, SPLIT, "webdataset", limits=SMALL)
    after = splits.stamps(damaged, "webdataset")
    assert (made.written, made.removed) == (2, 2)
    assert {name for name in after if after[name] != before[name]} == {
        "train-000001.tar",
        "train-000003.tar",
    }
    assert problems(damaged, deep=True) == []


def test_a_changed_byte_with_the_same_size_and_time_is_found_by_its_digest(damaged: Roots) -> None:
    flip(damaged.export("webdataset", SPLIT) / "train-000002.tar")
    flip(damaged.export("coco", SPLIT) / "instances_train.json")
    assert problems(damaged, deep=False) == []
    found = problems(damaged, deep=True)
    assert [Path(str(problem.path)).name for problem in found] == [
        "train-000002.tar",
        "instances_train.json",
    ]
    assert {problem.what for problem in found} == {"its bytes differ from those that were written"}


def test_a_copy_with_other_times_passes_and_is_counted(damaged: Roots) -> None:
    for path in damaged.sku_root.rglob("*"):
        if path.is_file():
            os.utime(path, ns=(0, 0))
    flip(damaged.export("webdataset", SPLIT) / "train-000002.tar")
    (damaged.export("coco", SPLIT) / ".DS_Store").touch()
    for deep in (False, True):
        (problem,) = problems(damaged, deep=deep)
        assert problem.path == f"_df2_assets/exports/webdataset/{SPLIT}/train-000002.tar"
        assert problem.what == "its bytes differ from those that were written"
    seen = exports_on_disk(damaged, SPLIT, deep=False)
    assert all(one.copied for (name, _), one in seen.items() if name != "webdataset")
    exported = splits.export_all(damaged)
    assert {name for name, made in exported.items() if made.written} == {"webdataset"}
    assert {tuple(made.foreign) for made in exported.values()} == {()}
    assert not any(one.copied for one in exports_on_disk(damaged, SPLIT, deep=False).values())


def test_a_foreign_file_is_named_and_left_alone(damaged: Roots) -> None:
    note = damaged.export("pairs", SPLIT) / "notes.txt"
    note.write_text("mine")
    (problem,) = problems(damaged, deep=False)
    assert (problem.path, problem.repair) == (f"_df2_assets/exports/pairs/{SPLIT}/notes.txt", "you")
    made = export(damaged, SPLIT, "pairs", limits=SMALL)
    assert made.foreign == [problem.path]
    assert note.read_text() == "mine"
    assert not splits.check(damaged, "pairs").passed


def test_a_link_in_place_of_a_file_is_replaced_by_the_file(damaged: Roots, tmp_path: Path) -> None:
    folder = damaged.export("webdataset", SPLIT)
    for name in ("sizes.json", "train-000002.tar"):
        shutil.move(folder / name, tmp_path / name)
        (folder / name).symlink_to(tmp_path / name)
    assert len(problems(damaged, deep=False)) == 2
    assert export(damaged, SPLIT, "webdataset", limits=SMALL).written == 2
    assert not [path for path in folder.iterdir() if path.is_symlink()]
    assert problems(damaged, deep=True) == []


def test_a_file_that_was_only_touched_is_kept(damaged: Roots) -> None:
    path = damaged.export("webdataset", SPLIT) / "train-000002.tar"
    touch(path)
    inode = path.stat().st_ino
    assert export(damaged, SPLIT, "webdataset", limits=SMALL).written == 0
    assert path.stat().st_ino == inode
    assert problems(damaged, deep=False) == []


def test_an_export_of_another_build_is_stale_until_it_is_made_again(site: Roots) -> None:
    splits.export_all(site)
    for path in (site.df2_root / SPLIT / "annos").iterdir():
        path.write_text(path.read_text().replace('"occlusion": 1', '"occlusion": 2', 1))
    clean.build(site, SPLIT)
    for name in EXPORTS:
        finding = splits.check(site, name)
        assert not finding.passed
        assert "was not made from the current build of train" in finding.summary
        assert f"Run df2-assets export {name} --split train" in finding.summary
    repairs = {problem.repair for problem in problems(site, deep=False)}
    assert repairs == {f"export {name}" for name in EXPORTS}
    splits.export_all(site)
    assert problems(site, deep=True) == []
    assert all(splits.check(site, name).passed for name in EXPORTS)


@pytest.mark.parametrize("name", EXPORTS)
def test_after_a_build_that_was_held_back_each_export_says_what_to_run(
    damaged: Roots, tmp_path: Path, name: str
) -> None:
    """The index is new and the groups are old: some of their images have no size in the index."""
    df2 = shutil.copytree(damaged.df2_root, tmp_path / "df2")
    held_back = replace(damaged, df2_root=df2)
    for path in sorted((df2 / SPLIT / "annos").iterdir())[:9]:
        path.write_text("{")
    clean.index(held_back, SPLIT)
    before = splits.stamps(damaged, name)
    message = "sku_groups of train was made from another raw_annotation_index than the current one"
    with pytest.raises(ProvenanceError, match=message):
        export(held_back, SPLIT, name, limits=SMALL)
    assert splits.stamps(damaged, name) == before
    finding = splits.check(damaged, name)
    assert finding.summary == f"{message}: rerun sku_groups, or build_dataset, for train."
    assert {problem.repair for problem in problems(damaged, deep=False)} == {"build"}


def test_an_export_is_stale_if_only_an_annotated_box_changed(site: Roots) -> None:
    export(site, SPLIT, "coco")
    lines = splits.lines(site)
    for path in (site.df2_root / SPLIT / "annos").iterdir():
        path.write_text(path.read_text().replace("[-3, 0, 40, 60]", "[-7, 0, 40, 60]"))
    clean.build(site, SPLIT)
    assert splits.lines(site) == lines
    assert "was not made from the current build of train" in splits.check(site, "coco").summary
    export(site, SPLIT, "coco")
    text = (site.export("coco", SPLIT) / "instances_train.json").read_text()
    assert text.count('"bbox":[-7,0,47,60]') == len(lines) // 3
    assert splits.check(site, "coco").passed


def test_a_missing_list_of_digests_is_reported(damaged: Roots) -> None:
    damaged.export("coco", SPLIT).with_suffix(".sha256").unlink()
    (problem,) = problems(damaged, deep=False)
    assert "list of its digests" in problem.what
    export(damaged, SPLIT, "coco")
    assert problems(damaged, deep=True) == []


def test_an_export_that_was_never_requested_is_not_a_problem(site: Roots) -> None:
    assert exports_on_disk(site, SPLIT, deep=True) == {}
    assert "does not exist" in splits.check(site, "coco").summary


@pytest.mark.parametrize(("name", "table"), [("coco", "rows"), ("huggingface", "imagefolder")])
def test_an_export_that_lacks_a_crop_does_not_pass(
    site: Roots, monkeypatch: pytest.MonkeyPatch, name: str, table: str
) -> None:
    crops, read = len(splits.lines(site)), Source.rows
    with monkeypatch.context() as patch:
        patch.setattr(Source, "rows", lambda source: islice(read(source), crops - 1))
        export(site, SPLIT, name)
    finding = splits.check(site, name)
    assert (finding.passed, finding.severity) == (False, "error")
    assert f"{table} has {crops - 1} rows, and train {crops} crops" in list_offenders(finding)
    export(site, SPLIT, name)
    assert splits.check(site, name).passed


def test_an_export_that_lacks_a_pair_does_not_pass(
    site: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pairs, "product", lambda *both: islice(product(*both), 1))
        export(site, SPLIT, "pairs")
    (what,) = list_offenders(splits.check(site, "pairs"))
    assert what == f"pairs has {3 * splits.PAIRS} rows, and train {6 * splits.PAIRS} pairs"

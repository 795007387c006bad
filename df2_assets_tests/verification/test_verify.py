"""Every kind of damage on disk: `verify` reports it, and a build repairs it."""

import os
import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

import msgspec
import pytest

from df2_assets.checks.finding import Finding
from df2_assets.dataset.skus import collect_refusals
from df2_assets.dataset.tables import INPUTS, REFUSALS
from df2_assets.engines.base import Lost, R, S
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.planning import mark_damaged
from df2_assets.store import checksums, state, tables
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets.verification.generated_views import GeneratedView
from df2_assets.verification.rereading import RereadShard
from df2_assets.verification.verify import Verified, compare_digest, verify
from df2_assets_tests.checks import clean
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.snapshots import contract, crop_stamps, stamp

SPLIT = "train"
CATALOG = "train/catalog/000001_01_01/000001_item1.jpg"
QUERY = "train/query/000001_01_01/000003_item1.jpg"
ORPHAN = "train/query/000001_01_01/000099_item1.jpg"
HALF = "train/query/000001_01_01/.000099_item1.jpg.tmp"
EMPTY = "train/query/000077_01_01"
FOREIGN = "train/catalog/\x1b[31mnotes.txt"
METADATA, LINES = "train_sku_metadata.json", "train_image_text.jsonl"
LIST = "_df2_assets/train.sha256"

Report = tuple[str, str, str | None, str]
"""Of a problem: the check, what is wrong, where, and what repairs it."""


def build(roots: Roots) -> None:
    """Do what a build does, without Dagster."""
    built = clean.build(roots, SPLIT)
    index = tables.frame(tables.read(roots, "raw_annotation_index", SPLIT))
    refused = tables.from_frame(
        collect_refusals(SPLIT, index, built.groups, built.manifest), REFUSALS
    )
    inputs = tables.digests(roots, INPUTS["refusals"], SPLIT)
    tables.write(roots, "refusals", SPLIT, refused, inputs)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    base = tmp_path_factory.mktemp("verify")
    roots = Roots(base / "df2", base / "sku", "sku")
    clean.write(DataSet(roots.df2_root), SPLIT, looks=2)
    build(roots)
    return roots


@pytest.fixture
def copy(original: Roots, tmp_path: Path) -> Roots:
    """A copy of the build with all times, which tests may change."""
    shutil.copytree(original.sku_root, tmp_path / "sku")
    return Roots(original.df2_root, tmp_path / "sku", "sku")


def reported(roots: Roots, found: Verified) -> set[Report]:
    return {
        (
            problem.check,
            problem.what.replace(str(roots.sku_root), "SKU_ROOT"),
            problem.path,
            problem.repair,
        )
        for problem in found.problems
    }


def overwrite(path: Path, data: bytes) -> None:
    """Overwrite a file with as many bytes, and keep its time."""
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def flip(path: Path) -> None:
    """Change one bit of a file, but neither its size nor its time."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    overwrite(path, bytes(data))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def made_from_another(asset: str, source: str) -> str:
    return (
        f"{asset} of train was made from another {source} than the current one: "
        f"rerun {asset}, or build_dataset, for train"
    )


CROPS = [
    f"train/{domain}/000001_01_{category:02d}/{image:06d}_item{category}.jpg"
    for category in range(1, 14)
    for domain, images in (("catalog", (1, 2)), ("query", (3, 4)))
    for image in images
]

FILES = "crops: files_match"
CONTRACT = "sku_metadata: contract"
MATCHES = "image_text: matches_metadata"
PROMPTS = "image_text: prompt_coverage"

HALF_WRITTEN = "half-written by a build that was killed"
OTHER_BYTES = "its bytes differ from those that were written"
UNLISTED = "it does not list the files of the split"
UNFINISHED = "it is half-built: a build is running or was stopped, or crops are to be remade"
OTHER_GROUPS = "the metadata was made from groups or crops that have changed since"

Damage = Callable[[Roots], object]

DAMAGES: dict[str, tuple[Damage, set[tuple[str, str, str | None]]]] = {
    "a crop is deleted": (
        lambda roots: (roots.sku_root / CATALOG).unlink(),
        {(FILES, "the file is missing", CATALOG)},
    ),
    "a crop is cut short": (
        lambda roots: os.truncate(roots.sku_root / CATALOG, 100),
        {(FILES, "its bytes differ from those that were written", CATALOG)},
    ),
    "a crop that nothing wants": (
        lambda roots: shutil.copy2(roots.sku_root / QUERY, roots.sku_root / ORPHAN),
        {(FILES, "the manifest does not list it", ORPHAN)},
    ),
    "a half-written crop": (
        lambda roots: (roots.sku_root / HALF).write_bytes(b"half"),
        {(FILES, HALF_WRITTEN, HALF)},
    ),
    "an empty folder": (
        lambda roots: (roots.sku_root / EMPTY).mkdir(),
        {(FILES, "an empty folder", EMPTY)},
    ),
    "the metadata is deleted": (
        lambda roots: roots.sku_metadata(SPLIT).unlink(),
        {
            (
                CONTRACT,
                f"SKU_ROOT/{METADATA}: No such file or directory. Materialize sku_metadata.",
                METADATA,
            ),
            (
                MATCHES,
                f"SKU_ROOT/{METADATA} is not there: materialize sku_metadata for train.",
                LINES,
            ),
        },
    ),
    "the metadata is cut short": (
        lambda roots: os.truncate(roots.sku_metadata(SPLIT), 1000),
        {
            (
                CONTRACT,
                f"SKU_ROOT/{METADATA} does not follow the contract: Input data was truncated. "
                "Rerun sku_metadata.",
                METADATA,
            ),
            (
                MATCHES,
                f"SKU_ROOT/{METADATA} is not whole (Input data was truncated): "
                "materialize sku_metadata for train.",
                LINES,
            ),
        },
    ),
    "an occlusion out of range": (
        lambda roots: replace(roots.sku_metadata(SPLIT), '"occlusion": 1', '"occlusion": 9'),
        {
            (CONTRACT, "Expected `int` <= 3 - at `$.catalog[0].occlusion`", None),
            (MATCHES, "differs in occlusion", CATALOG),
        },
    ),
    "a label is another": (
        lambda roots: replace(roots.sku_metadata(SPLIT), '"occlusion": 1', '"occlusion": 2'),
        {(CONTRACT, OTHER_BYTES, METADATA), (MATCHES, "differs in occlusion", CATALOG)},
    ),
    "half-written metadata": (
        lambda roots: (roots.sku_root / f".{METADATA}.tmp").write_bytes(b"{"),
        {(CONTRACT, HALF_WRITTEN, f".{METADATA}.tmp")},
    ),
    "the lines are deleted": (
        lambda roots: roots.image_text(SPLIT).unlink(),
        {
            (
                MATCHES,
                f"SKU_ROOT/{LINES}: No such file or directory. Materialize image_text for train.",
                LINES,
            )
        },
    ),
    "a line is missing": (
        lambda roots: roots.image_text(SPLIT).write_text(
            "".join(lines_of(roots.image_text(SPLIT))[1:])
        ),
        {(MATCHES, "the crop has no line", CATALOG)},
    ),
    "a line is no JSON": (
        lambda roots: replace(roots.image_text(SPLIT), '{"split"', '"split"'),
        {(MATCHES, "not a JSON object", LINES), (MATCHES, "the crop has no line", CATALOG)},
    ),
    "a prompt names another view": (
        lambda roots: replace(roots.image_text(SPLIT), "not being worn", "being worn"),
        {(MATCHES, OTHER_BYTES, LINES), (PROMPTS, "not a sentence of the contract", CATALOG)},
    ),
    "no manifest": (
        lambda roots: roots.table("crops", SPLIT).unlink(),
        {
            ("state", "the table of crops is not there", None),
            ("state", made_from_another("refusals", "crops"), None),
            ("state", OTHER_GROUPS, None),
            ("state", UNLISTED, LIST),
        },
    ),
    "no groups": (
        lambda roots: roots.table("sku_groups", SPLIT).unlink(),
        {
            ("state", "the table of sku_groups is not there", None),
            ("state", made_from_another("crops", "sku_groups"), None),
            ("state", made_from_another("refusals", "sku_groups"), None),
            ("state", OTHER_GROUPS, None),
        },
    ),
    "no refusals": (
        lambda roots: roots.table("refusals", SPLIT).unlink(),
        {("state", "the table of refusals is not there", None)},
    ),
    "an index that cannot be read": (
        lambda roots: roots.table("raw_annotation_index", SPLIT).write_bytes(b"PAR1"),
        {
            ("state", "the table of raw_annotation_index cannot be read", None),
            ("state", made_from_another("sku_groups", "raw_annotation_index"), None),
            ("state", made_from_another("refusals", "raw_annotation_index"), None),
        },
    ),
    "no state": (lambda roots: roots.state(SPLIT).unlink(), {("state", UNFINISHED, None)}),
    "a build that was killed": (
        lambda roots: state.mark_incomplete(roots, SPLIT),
        {("state", UNFINISHED, None)},
    ),
    "prompts of other metadata": (
        lambda roots: state.save(
            roots, SPLIT, msgspec.structs.replace(state.load(roots, SPLIT), image_text_of="another")
        ),
        {("state", "the prompts were made from metadata that has changed since", None)},
    ),
    "no checksums": (lambda roots: roots.checksums(SPLIT).unlink(), {("state", UNLISTED, LIST)}),
    "a checksum is another": (
        lambda roots: replace(roots.checksums(SPLIT), "  train/catalog", "0  train/catalog"),
        {("state", UNLISTED, LIST)},
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_as_it_was_built_is_found_and_a_build_repairs_it(
    damage: str, copy: Roots, original: Roots
) -> None:
    do, expected = DAMAGES[damage]
    do(copy)
    assert reported(copy, verify(copy, SPLIT)) == {(*problem, "build") for problem in expected}
    build(copy)
    assert verify(copy, SPLIT, SerialEngine()).problems == []
    assert contract(copy.sku_root) == contract(original.sku_root)


def test_a_data_set_as_it_was_built_has_no_fault_and_is_not_touched(original: Roots) -> None:
    before = {path: stamp(path) for path in original.sku_root.rglob("*")}
    for deep in (False, True):
        found = verify(original, SPLIT, SerialEngine() if deep else None)
        assert (found.problems, found.notes, found.damaged) == ([], [], [])
        assert (found.crops, found.deep) == (len(CROPS), deep)
        assert {finding.severity for finding in found.findings.values() if not finding.passed} <= {
            "warn"
        }
    assert {path: stamp(path) for path in original.sku_root.rglob("*")} == before


def test_what_is_not_the_projects_is_for_a_person_to_move_and_stays(copy: Roots) -> None:
    """And its name cannot act in a terminal."""
    (copy.sku_root / FOREIGN).write_text("mine")
    (problem,) = verify(copy, SPLIT).problems
    assert (problem.check, problem.what, problem.repair) == (
        FILES,
        "not a file of this project",
        "you",
    )
    assert problem.path is not None
    assert "notes.txt" in problem.path
    assert problem.path.isprintable()
    build(copy)
    assert verify(copy, SPLIT).problems == [problem]
    assert (copy.sku_root / FOREIGN).read_text() == "mine"


def test_generated_views_are_listed_and_otherwise_left_alone(copy: Roots, tmp_path: Path) -> None:
    (copy.sku_root / "train/catalog_sd").symlink_to(tmp_path)
    written = [
        "train/catalog_dit/000001_01_01/0.png",
        "train/catalog_dit/000001_01_01/1.png",
        "train/catalog_dit/000001_01_02/0.png",
        "train/catalog_dit/log.txt",
        "train_image_text.dit.jsonl",
        "train_sku_metadata.dit.json",
    ]
    beside = ["validation_image_text.dit.jsonl", "train_image_text.jsonl.orig", "notes.dit.json"]
    for name in written + beside:
        (copy.sku_root / name).parent.mkdir(parents=True, exist_ok=True)
        (copy.sku_root / name).write_text("theirs")
    for engine in (None, SerialEngine()):
        verified = verify(copy, SPLIT, engine)
        assert verified.problems == []
        assert verified.generated_views == [
            GeneratedView("train/catalog_dit", 3, 4),
            GeneratedView("train/catalog_sd", None, None),
            GeneratedView("train_image_text.dit.jsonl", 0, 1),
            GeneratedView("train_sku_metadata.dit.json", 0, 1),
        ]
        (note,) = verified.notes
        assert "train/catalog_dit (4 files), train/catalog_sd (a link)" in note
    build(copy)
    assert verify(copy, SPLIT).problems == []
    assert {(copy.sku_root / name).read_text() for name in written + beside} == {"theirs"}


def retime(folder: Path) -> None:
    """Give every file below a folder another time, as a copy does."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, ns=(path.stat().st_atime_ns, 10**18))


def test_a_copy_with_other_times_is_well_and_only_a_plain_look_says_so(
    copy: Roots, original: Roots
) -> None:
    retime(copy.sku_root)
    found = verify(copy, SPLIT)
    assert found.problems == []
    (note,) = found.notes
    assert note.startswith(f"{len(CROPS)} files of crops have the bytes that were written")
    assert note.endswith("df2-assets build --split train")
    deep = verify(copy, SPLIT, SerialEngine())
    assert (deep.problems, deep.notes, deep.damaged) == ([], [], [])
    before = crop_stamps(copy.sku_root)
    build(copy)
    assert crop_stamps(copy.sku_root) == before  # the times are recorded, and no crop is made
    assert verify(copy, SPLIT).notes == []


def test_damage_behind_another_time_is_found_by_a_plain_look(copy: Roots) -> None:
    flip(copy.sku_root / CATALOG)
    retime(copy.sku_root)
    for engine in (None, SerialEngine()):
        found = verify(copy, SPLIT, engine)
        assert reported(copy, found) == {(FILES, OTHER_BYTES, CATALOG, "build")}
        assert found.damaged == []  # a build sees it by itself


def test_files_of_systems_are_listed_and_no_problem(copy: Roots) -> None:
    names = [
        "train/.DS_Store",
        "train/catalog/Thumbs.db",
        "train/catalog/000001_01_01/._000001_item1.jpg",
        "train/query/@eaDir",
    ]
    for name in names:
        (copy.sku_root / name).touch()
    found = verify(copy, SPLIT)
    assert found.problems == []
    assert found.notes == [
        f"Ignored 4 files of operating systems or file servers: {', '.join(sorted(names))}"
    ]
    build(copy)
    assert all((copy.sku_root / name).exists() for name in names)


def test_a_link_that_leads_elsewhere_is_for_a_person_to_remove(copy: Roots) -> None:
    (copy.sku_root / EMPTY).symlink_to(copy.df2_root)
    (problem,) = verify(copy, SPLIT).problems
    assert (problem.check, problem.repair) == (FILES, "you")
    assert str(copy.sku_root / EMPTY) in problem.what


def test_a_split_that_was_never_built_is_reported(original: Roots) -> None:
    (problem,) = verify(original, "validation").problems
    assert (problem.check, problem.what) == ("state", "it has not been built")


def test_a_data_set_that_was_moved_away_from_its_originals_is_still_well(copy: Roots) -> None:
    moved = Roots(copy.df2_root / "nowhere", copy.sku_root, "another name")
    found = verify(moved, SPLIT)
    assert found.problems == []
    assert found.notes == []
    (copy.sku_root / METADATA).write_text(
        (copy.sku_root / METADATA).read_text().replace(str(copy.df2_root), "/nowhere", 1)
    )
    checksums.write(copy, SPLIT, lambda: None)
    found = verify(moved, SPLIT)
    assert found.problems == []
    (note,) = found.notes
    assert "the original images were not checked" in note


def test_a_missing_original_is_said_where_the_others_are_there(copy: Roots, tmp_path: Path) -> None:
    shutil.copytree(copy.df2_root, tmp_path / "df2")
    moved = Roots(tmp_path / "df2", copy.sku_root, "sku")
    build(moved)
    (moved.images(SPLIT) / "000003.jpg").unlink()
    found = verify(moved, SPLIT)
    assert {problem.what for problem in found.problems} == {"the original image is missing"}
    assert {problem.image_id for problem in found.problems} == {"000003"}


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (flip, f"{OTHER_BYTES}, although size and time are the same"),
        (
            lambda path: overwrite(path, bytes(path.stat().st_size)),
            "the file is not a readable JPEG",
        ),
    ],
)
def test_only_a_deep_look_finds_damage_behind_an_unchanged_size_and_time(
    copy: Roots, damage: Callable[[Path], object], what: str
) -> None:
    damage(copy.sku_root / CATALOG)
    assert verify(copy, SPLIT).problems == []
    found = verify(copy, SPLIT, SerialEngine())
    assert reported(copy, found) == {(FILES, what, CATALOG, "build")}
    assert found.damaged == [CATALOG]
    assert not found.findings["crops", "files_match"].passed
    (problem,) = found.problems
    assert (problem.sku_id, problem.image_id, problem.item_idx) == ("000001_01_01", "000001", 1)


def test_workers_that_read_crops_back_load_neither_tables_nor_dagster(tmp_path: Path) -> None:
    module = "df2_assets.verification.rereading"
    loaded = processes.loaded_modules(f"import {module}", processes.environment(tmp_path), tmp_path)
    assert module.partition(".")[0] in loaded
    assert loaded & {"dagster", "pandas", "pyarrow", "numpy"} == set()


class Fragile(SerialEngine):
    """An engine whose worker ends whenever it reads one of the crops."""

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        for shard, result in super().map(function, shards):
            assert isinstance(shard, RereadShard)
            yield shard, Lost("killed") if CATALOG in shard.crop_paths else result


def test_a_crop_that_kills_its_reader_is_named_and_no_other(copy: Roots) -> None:
    found = verify(copy, SPLIT, Fragile())
    assert reported(copy, found) == {(FILES, "the file is not a readable JPEG", CATALOG, "build")}


@pytest.mark.parametrize("damage", [flip, Path.unlink])
def test_a_damaged_crop_is_marked_and_the_next_build_makes_it_and_no_other(
    copy: Roots, original: Roots, damage: Callable[[Path], None]
) -> None:
    assert mark_damaged(copy, SPLIT, [CATALOG, ORPHAN]) == []
    assert not copy.journal(SPLIT).exists()
    before = crop_stamps(copy.sku_root)
    damage(copy.sku_root / CATALOG)
    with writer(copy, SPLIT, "test"):
        assert mark_damaged(copy, SPLIT, [CATALOG, QUERY]) == [CATALOG]
    assert ("state", UNFINISHED, None, "build") in reported(copy, verify(copy, SPLIT))
    build(copy)
    after = crop_stamps(copy.sku_root)
    assert {f"train/{path}" for path in before if before[path] != after[path]} == {CATALOG}
    assert verify(copy, SPLIT, SerialEngine()).problems == []
    assert contract(copy.sku_root) == contract(original.sku_root)
    assert not copy.journal(SPLIT).exists()


def test_what_a_build_sees_by_itself_need_not_be_marked(copy: Roots) -> None:
    os.truncate(copy.sku_root / CATALOG, 100)
    found = verify(copy, SPLIT, SerialEngine())
    assert CATALOG in {problem.path for problem in found.problems}
    assert found.damaged == []


def test_a_file_that_a_build_writes_while_it_is_looked_at_is_no_problem(copy: Roots) -> None:
    listing, finding = checksums.read(copy, SPLIT), Finding(True, "error", 1, "well")
    assert compare_digest(finding, SPLIT, METADATA, listing, {}) == finding
    assert not compare_digest(finding, SPLIT, METADATA, listing, {METADATA: "another"}).passed


def test_sha256sum_holds_every_file_of_the_split_against_the_list(copy: Roots) -> None:
    names = [line.split("  ")[1].strip() for line in lines_of(copy.checksums(SPLIT))]
    assert names == sorted([*CROPS, METADATA, LINES])
    command = ("sha256sum", "--check", "--quiet", LIST)
    for expected in ((0, ""), (1, f"{QUERY}: FAILED\n")):
        done = processes.run(command, os.environ, copy.sku_root)
        assert (done.returncode, done.stdout) == expected
        flip(copy.sku_root / QUERY)


def test_the_list_is_not_touched_by_a_build_that_changes_nothing(copy: Roots) -> None:
    before = stamp(copy.checksums(SPLIT))
    build(copy)
    assert stamp(copy.checksums(SPLIT)) == before

"""What a build does over an older one: no more than has changed, and the same bytes in the end."""

import os
import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pandas as pd
import pytest

from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.engines.base import Engine, R, S
from df2_assets.resources import EngineChoice
from df2_assets.settings import Settings
from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets_tests.support.builder import (
    CATEGORY_NAMES,
    DataSet,
    Item,
    item,
    jpeg,
    png,
    random_dataset,
    truncated,
)
from df2_assets_tests.support.compare import metadata
from df2_assets_tests.support.run import BuildResult, build, read_table
from df2_assets_tests.support.snapshots import contract, crop_stamps, stamps

SPLIT = "train"
SIZE = (160, 120)
TOP: Item = item(1, 1, [5, 5, 70, 100])
TROUSERS: Item = item(8, 2, [60, 10, 150, 110])
PAIRS = (1, 2, 3)

SHOP_TOP = "catalog/000001_01_01/000011_item1.jpg"
SHOP_TROUSERS = "catalog/000001_02_08/000011_item2.jpg"
USER_TOP = "query/000001_01_01/000012_item1.jpg"
USER_TROUSERS = "query/000001_02_08/000012_item3.jpg"
OTHER_TOP = "query/000001_01_01/000013_item2.jpg"
"""The crops of pair 1; those of pairs 2 and 3 are alike."""


class Site(NamedTuple):
    """A data set, and what was built of it."""

    data: DataSet
    sku: Path

    def build(self) -> Outcome:
        return only(build(self.data.root, self.sku))

    @property
    def roots(self) -> Roots:
        return Roots(self.data.root, self.sku, str(self.sku))

    def crop(self, path: str) -> Path:
        return self.sku / SPLIT / path


def only(result: BuildResult) -> Outcome:
    """The run of a build of one split, which has gone well."""
    assert result.success, result.problems
    (run,) = result.runs
    return run


def describe(data: DataSet, image: int, items: dict[int | str, Any], **fields: Any) -> None:
    """Annotate an image of pair 1, 2 or 3: the first of each is a shop's, the others a user's."""
    source = "shop" if image % 10 == 1 else "user"
    annotation = {"source": source, "pair_id": image // 10, **fields}
    data.annotation(SPLIT, image, annotation["source"], annotation["pair_id"], items)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Three pairs of two SKUs each, and an image that no SKU needs; built once."""
    folder = tmp_path_factory.mktemp("original")
    data = DataSet(folder / "df2")
    for first in (10 * pair for pair in PAIRS):
        for image in (first + 1, first + 2, first + 3):
            data.image(SPLIT, image, SIZE)
        describe(data, first + 1, {1: TOP, 2: TROUSERS})
        describe(data, first + 2, {1: TOP, 3: TROUSERS})
        describe(data, first + 3, {2: TOP})
    data.image(SPLIT, 41, SIZE)
    describe(data, 41, {1: TOP | {"style": 0}})
    site = Site(data, folder / "sku")
    made = site.build().numbers["crops"]
    assert (made["added"], made["images_decoded"]) == (15, 9)
    return site


@pytest.fixture
def site(original: Site, tmp_path: Path) -> Site:
    """A copy of the data set and of what was built of it, with all sizes and times."""
    shutil.copytree(original.data.root, tmp_path / "df2")
    shutil.copytree(original.sku, tmp_path / "sku")
    return Site(DataSet(tmp_path / "df2"), tmp_path / "sku")


def clean_build(site: Site) -> dict[str, bytes | None]:
    """The bytes that a build from nothing gives."""
    fresh = site.sku.with_name("fresh")
    only(build(site.data.root, fresh))
    return contract(fresh)


def spoil_sources(data: DataSet, *, but: Iterable[int] = ()) -> None:
    """Make files unreadable, for anybody, in a way that only opening them shows."""
    spared = {f"{image:06d}" for image in but}
    for path in (data.root / SPLIT).glob("*/*"):
        if path.stem not in spared:
            status = path.stat()
            path.write_bytes(b"\0" * status.st_size)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def touch(path: Path) -> None:
    """Give a file another time, and leave its bytes."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_007))


def test_a_second_build_writes_nothing_and_opens_no_source_file(original: Site) -> None:
    before, bytes_before = stamps(original.sku), contract(original.sku)
    kept = {path: path.read_bytes() for path in (original.data.root / SPLIT).glob("*/*")}
    times = {path: path.stat() for path in kept}
    spoil_sources(original.data)
    try:
        run = original.build()
    finally:
        for path, data in kept.items():
            path.write_bytes(data)
            os.utime(path, ns=(times[path].st_atime_ns, times[path].st_mtime_ns))

    assert not run.changed
    assert run.numbers["raw_annotation_index"]["annotations_read"] == 0
    made = run.numbers["crops"]
    assert (made["images_decoded"], made["unchanged"]) == (0, 15)
    assert stamps(original.sku) == before
    assert contract(original.sku) == bytes_before


class Edit(NamedTuple):
    """A change to pair 1, which files it allows to be opened, and what becomes of the crops."""

    what: str
    edit: Callable[[DataSet], object]
    opened: tuple[int, ...]
    made: frozenset[str]
    gone: frozenset[str]
    decoded: int


def edited(
    what: str,
    edit: Callable[[DataSet], object],
    opened: tuple[int, ...],
    *,
    made: Iterable[str] = (),
    gone: Iterable[str] = (),
    decoded: int = 0,
) -> Edit:
    return Edit(what, edit, opened, frozenset(made), frozenset(gone), decoded)


def of_same_size(old: bytes) -> bytes:
    """Another picture in as many bytes."""
    others = (jpeg(SIZE, seed=f"another {number}") for number in range(100))
    shorter = next(other for other in others if len(other) < len(old))
    return shorter + b"\0" * (len(old) - len(shorter))


def replace_by_same_size(data: DataSet) -> None:
    path = data.root / SPLIT / "image" / "000011.jpg"
    data.raw_image(SPLIT, 11, of_same_size(path.read_bytes()))


def remove_annotation(data: DataSet) -> None:
    (data.root / SPLIT / "annos" / "000013.json").unlink()


def remove_image(data: DataSet) -> None:
    (data.root / SPLIT / "image" / "000013.jpg").unlink()


def add_image(data: DataSet) -> None:
    data.image(SPLIT, 14, SIZE)
    describe(data, 14, {1: TOP})


SKIRT = TROUSERS | {"category_id": 9, "category_name": CATEGORY_NAMES[8]}
ADDED = "query/000001_01_01/000014_item1.jpg"

EDITS = [
    edited(
        "another box",
        lambda data: describe(
            data, 11, {1: TOP | {"bounding_box": [5, 5, 71, 100]}, 2: TROUSERS}
        ),
        (11,),
        made=[SHOP_TOP],
        decoded=1,
    ),
    edited(
        "a box further past the edge, clamped to what it was",
        lambda data: describe(data, 13, {2: TOP | {"bounding_box": [5, 5, 70, 100.0]}}),
        (13,),
    ),
    edited(
        "other labels",
        lambda data: describe(data, 12, {1: TOP | {"occlusion": 3, "viewpoint": 3}, 3: TROUSERS}),
        (12,),
    ),
    edited(
        "style 0",
        lambda data: describe(data, 13, {2: TOP | {"style": 0}}),
        (13,),
        gone=[OTHER_TOP],
    ),
    edited(
        "another category, which leaves a SKU without query crops",
        lambda data: describe(data, 12, {1: TOP, 3: SKIRT}),
        (12,),
        gone=[SHOP_TROUSERS, USER_TROUSERS],
    ),
    edited(
        "another source",
        lambda data: describe(data, 13, {2: TOP}, source="shop"),
        (13,),
        made=["catalog/000001_01_01/000013_item2.jpg"],
        gone=[OTHER_TOP],
        decoded=1,
    ),
    edited(
        "another pair",
        lambda data: describe(data, 13, {2: TOP}, pair_id=2),
        (13,),
        made=["query/000002_01_01/000013_item2.jpg"],
        gone=[OTHER_TOP],
        decoded=1,
    ),
    edited("an added image", add_image, (14,), made=[ADDED], decoded=1),
    edited("a removed annotation", remove_annotation, (), gone=[OTHER_TOP]),
    edited("a removed image", remove_image, (13,), gone=[OTHER_TOP]),
    edited(
        "another image in as many bytes",
        replace_by_same_size,
        (11,),
        made=[SHOP_TOP, SHOP_TROUSERS],
        decoded=1,
    ),
    edited(
        "a smaller image, to which boxes are clamped",
        lambda data: data.image(SPLIT, 12, (100, 90)),
        (12,),
        made=[USER_TOP, USER_TROUSERS],
        decoded=1,
    ),
    edited(
        "an image that is none",
        lambda data: data.raw_image(SPLIT, 13, png(SIZE)),
        (13,),
        gone=[OTHER_TOP],
    ),
    edited(
        "an annotation that is none",
        lambda data: data.raw_annotation(SPLIT, 13, b"{"),
        (13,),
        gone=[OTHER_TOP],
    ),
]


@pytest.mark.parametrize("edit", EDITS, ids=[edit.what for edit in EDITS])
def test_only_what_has_changed_is_done_again_and_the_bytes_are_those_of_a_clean_build(
    site: Site, edit: Edit
) -> None:
    edit.edit(site.data)
    expected = clean_build(site)
    before = crop_stamps(site.sku)
    spoil_sources(site.data, but=edit.opened)

    run = site.build()

    after = crop_stamps(site.sku)
    assert {path for path in after if before.get(path) != after[path]} == edit.made
    assert before.keys() - after.keys() == edit.gone
    assert run.numbers["crops"]["images_decoded"] == edit.decoded
    assert run.numbers["raw_annotation_index"]["annotations_read"] == len(edit.opened)
    assert contract(site.sku) == expected


def test_labels_reach_the_metadata_and_the_prompts_without_a_crop_being_made(site: Site) -> None:
    describe(site.data, 12, {1: TOP | {"occlusion": 3, "viewpoint": 3}, 3: TROUSERS})
    site.build()

    (crop, _) = metadata(site.sku, SPLIT)["skus"]["000001_01_01"]["query"]
    assert (crop["occlusion"], crop["viewpoint"]) == (3, 3)
    text = (site.sku / f"{SPLIT}_image_text.jsonl").read_text()
    assert text.count("a heavily occluded short sleeve top from the side or back.") == 1


def test_many_changes_at_once_give_the_bytes_of_a_clean_build(site: Site) -> None:
    describe(site.data, 11, {1: TOP | {"bounding_box": [0, 0, 90, 90]}, 2: TROUSERS})
    describe(site.data, 22, {1: TOP, 3: SKIRT})
    add_image(site.data)
    remove_annotation(site.data)
    site.data.image(SPLIT, 31, SIZE, seed="another")
    site.build()
    assert contract(site.sku) == clean_build(site)


def test_a_touched_image_has_its_crops_remade_to_the_same_bytes(site: Site) -> None:
    before, bytes_before = crop_stamps(site.sku), contract(site.sku)
    touch(site.data.root / SPLIT / "image" / "000012.jpg")

    run = site.build()

    after = crop_stamps(site.sku)
    assert {path for path in after if before[path] != after[path]} == {USER_TOP, USER_TROUSERS}
    assert run.numbers["crops"]["images_decoded"] == 1
    assert run.numbers["crops"]["remade"] == 2
    assert contract(site.sku).items() >= {
        path: data for path, data in bytes_before.items() if path.startswith(SPLIT + "/")
    }.items()


def test_a_touched_crop_is_kept_by_its_digest(site: Site) -> None:
    touch(site.crop(USER_TOP))
    before = crop_stamps(site.sku)
    spoil_sources(site.data)

    run = site.build()

    assert crop_stamps(site.sku) == before
    assert (run.numbers["crops"]["images_decoded"], run.numbers["crops"]["unchanged"]) == (0, 15)
    assert not site.build().numbers["crops"]["remade"]


def edit_crop(path: Path) -> None:
    """Change a byte of a crop, which leaves its size."""
    data = bytearray(path.read_bytes())
    data[-20] ^= 0xFF
    path.write_bytes(data)


def truncate_crop(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [Path.unlink, edit_crop, truncate_crop])
def test_a_crop_that_was_deleted_or_changed_is_remade_and_no_other(
    site: Site, harm: Callable[[Path], None]
) -> None:
    bytes_before = contract(site.sku)[f"{SPLIT}/{USER_TOP}"]
    harm(site.crop(USER_TOP))
    before = crop_stamps(site.sku)
    spoil_sources(site.data, but=[12])

    run = site.build()

    after = crop_stamps(site.sku)
    assert {path for path in after if before.get(path) != after[path]} == {USER_TOP}
    assert run.numbers["crops"]["images_decoded"] == 1
    assert contract(site.sku)[f"{SPLIT}/{USER_TOP}"] == bytes_before


def test_what_is_the_projects_own_and_not_wanted_disappears(site: Site) -> None:
    expected = crop_stamps(site.sku)
    site.crop("catalog/000009_01_01").mkdir()
    site.crop("query/000008_01_01").mkdir()
    shutil.copy(site.crop(USER_TOP), site.crop("query/000008_01_01/000012_item1.jpg"))
    shutil.copy(site.crop(USER_TOP), site.crop("query/000001_01_01/000012_item7.jpg"))
    site.crop("query/000001_01_01/.000012_item1.jpg.tmp").write_bytes(b"half a crop")
    site.crop("query/000007_01_01").mkdir()
    site.crop("query/000007_01_01/.000012_item1.jpg.tmp").write_bytes(b"half a crop")
    spoil_sources(site.data)

    site.build()

    assert crop_stamps(site.sku) == expected
    folders = {path.name for path in (site.sku / SPLIT).glob("*/*")}
    assert folders == {f"00000{pair}_{kind}" for pair in PAIRS for kind in ("01_01", "02_08")}
    assert state.load(site.roots, SPLIT).complete


def test_without_a_manifest_every_crop_is_remade(site: Site) -> None:
    """Also in a folder that other scripts have left, whose crops may be anything."""
    site.crop(USER_TOP).write_bytes(site.crop(SHOP_TOP).read_bytes())
    shutil.rmtree(site.sku / "_df2_assets")
    before = crop_stamps(site.sku)

    run = site.build()

    assert run.numbers["crops"]["images_decoded"] == 9
    after = crop_stamps(site.sku)
    assert after.keys() == before.keys()
    assert {path for path in after if before[path] == after[path]} == set()
    assert contract(site.sku) == clean_build(site)


def test_a_folder_that_was_moved_is_not_built_again(site: Site, tmp_path: Path) -> None:
    before = crop_stamps(site.sku)
    site.sku.rename(tmp_path / "moved")
    moved = Site(site.data, tmp_path / "moved")
    spoil_sources(site.data)

    run = moved.build()

    assert run.numbers["crops"]["images_decoded"] == 0
    assert crop_stamps(moved.sku) == before
    text = (moved.sku / f"{SPLIT}_sku_metadata.json").read_text()
    assert f'"out_root": "{moved.sku}"' in text


FOREIGN = (
    "catalog/notes.txt",
    "catalog/my crops/000011_item1.jpg",
    "query/000001_01_01/000012_item1 (copy).jpg",
    "query/000001_01_01/12_item1.jpg",
    "query/000001_01_01/.hidden",
    "query/000005_01_01/list.csv",
)
LISTED = {
    "train/catalog/notes.txt",
    "train/catalog/my crops",
    "train/query/000001_01_01/000012_item1 (copy).jpg",
    "train/query/000001_01_01/12_item1.jpg",
    "train/query/000001_01_01/.hidden",
    "train/query/000005_01_01/list.csv",
}


def test_foreign_files_stay_are_listed_and_hold_back_what_follows(site: Site) -> None:
    expected = contract(site.sku)
    for path in FOREIGN:
        site.crop(path).parent.mkdir(exist_ok=True)
        site.crop(path).write_bytes(b"mine")
    before = stamps(site.sku)
    describe(site.data, 12, {1: TOP | {"occlusion": 3}, 3: TROUSERS})

    result = build(site.data.root, site.sku)

    assert not result.success
    (run,) = result.runs
    (complaint,) = run.failed
    assert complaint.startswith("crops: files_match")
    assert not {"sku_metadata", "image_text"} & run.numbers.keys()
    assert stamps(site.sku).items() >= {p: before[f"train/{p}"] for p in ()}.items()
    assert {path: at for path, at in crop_stamps(site.sku).items() if path in FOREIGN} == {
        path: before[f"{SPLIT}/{path}"] for path in FOREIGN
    }
    listed = site.sku / "_df2_assets" / "checks" / "crops.files_match" / "train.parquet"
    assert set(pd.read_parquet(listed)["crop_path"]) == LISTED

    for path in FOREIGN:
        site.crop(path).unlink()
    for folder in ("catalog/my crops", "query/000005_01_01"):
        if site.crop(folder).exists():
            site.crop(folder).rmdir()
    describe(site.data, 12, {1: TOP, 3: TROUSERS})
    site.build()
    assert contract(site.sku).keys() == expected.keys()
    assert not listed.exists()


class Observing(Engine):
    """An engine that calls `look` before each map."""

    def __init__(self, engine: Engine, look: Callable[[], object]) -> None:
        self.engine, self.look = engine, look

    @property
    def workers(self) -> int:
        return self.engine.workers

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, Any], None, None]:
        self.look()
        return self.engine.map(function, shards)


def test_a_split_is_incomplete_from_before_its_first_change(site: Site) -> None:
    seen: list[tuple[bool, bool]] = []
    before = crop_stamps(site.sku)

    def look() -> None:
        seen.append((state.load(site.roots, SPLIT).complete, crop_stamps(site.sku) == before))

    class ObservingChoice(EngineChoice):
        def start(self) -> Engine:
            return Observing(super().start(), look)

    describe(site.data, 12, {1: TOP | {"bounding_box": [0, 0, 90, 90]}, 3: TROUSERS})
    defs = build_defs(settings(site), resource_overrides={"engine": ObservingChoice(workers=2)})
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_split(defs, instance, SPLIT).success

    # To read annotations, to cut crops, to read the headers of new crops.
    assert seen == [(True, True), (False, True), (False, False)]
    assert state.load(site.roots, SPLIT).complete


def settings(site: Site) -> Settings:
    return Settings(df2_root=site.data.root, sku_root=str(site.sku), workers=2)


def materialize(site: Site, *assets: str) -> str | None:
    """Materialize some assets of the split alone, as from the UI; why it failed, if it did."""
    job = build_defs(settings(site)).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance,
            partition_key=SPLIT,
            asset_selection=[dg.AssetKey(asset) for asset in assets],
            raise_on_error=False,
        )
    if result.success:
        return None
    (failure,) = (e for e in result.all_events if e.is_step_failure)
    error = failure.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    assert error is not None
    return error.message


def test_a_split_is_incomplete_until_its_prompts_are_written(site: Site) -> None:
    remove_annotation(site.data)
    told = []
    for asset in ("raw_annotation_index", "sku_groups", "crops", "sku_metadata", "image_text"):
        assert materialize(site, asset) is None
        told.append(state.load(site.roots, SPLIT).complete)
    assert told == [True, True, False, False, True]
    assert contract(site.sku) == clean_build(site)


def test_a_split_whose_metadata_alone_changes_is_incomplete_until_its_prompts_follow(
    site: Site,
) -> None:
    site.build()
    describe(site.data, 12, {1: TOP | {"occlusion": 3}, 3: TROUSERS})
    told = []
    for asset in ("raw_annotation_index", "sku_groups", "crops", "sku_metadata", "image_text"):
        assert materialize(site, asset) is None
        told.append(state.load(site.roots, SPLIT).complete)
    assert told == [True, True, True, False, True]


STALE = [
    (("raw_annotation_index",), "crops", "sku_groups"),
    (("raw_annotation_index", "sku_groups"), "sku_metadata", "crops"),
    (("raw_annotation_index", "sku_groups"), "refusals", "crops"),
    (("raw_annotation_index", "sku_groups"), "image_text", "crops"),
    (("raw_annotation_index", "sku_groups", "crops"), "image_text", "sku_metadata"),
]


@pytest.mark.parametrize(("fresh", "asset", "remedy"), STALE)
def test_an_asset_refuses_input_that_was_made_from_something_else_and_says_what_to_rerun(
    site: Site, fresh: tuple[str, ...], asset: str, remedy: str
) -> None:
    site.build()
    describe(site.data, 13, {2: TOP}, pair_id=2)
    assert materialize(site, *fresh) is None
    before = stamps(site.sku)

    message = materialize(site, asset)

    assert message is not None
    assert f"rerun {remedy}" in message
    assert len(message.strip().splitlines()) <= 2
    assert stamps(site.sku) == before

    site.build()
    assert contract(site.sku) == clean_build(site)


def test_metadata_that_was_edited_is_refused_by_the_prompts(site: Site) -> None:
    site.build()
    path = site.sku / f"{SPLIT}_sku_metadata.json"
    path.write_text(path.read_text().replace('"occlusion": 1', '"occlusion": 2', 1))
    message = materialize(site, "image_text")
    assert message is not None
    assert "rerun sku_metadata" in message


def test_an_asset_without_its_input_says_what_to_materialize(site: Site) -> None:
    shutil.rmtree(site.sku / "_df2_assets")
    for asset, needed in (
        ("sku_groups", "raw_annotation_index"),
        ("crops", "sku_groups"),
        ("sku_metadata", "sku_groups"),
    ):
        message = materialize(site, asset)
        assert message is not None
        assert f"materialize {needed}" in message.lower()


def test_a_truncated_image_takes_its_sku_along_until_it_is_mended(site: Site) -> None:
    """Image 11 is the only catalog image of both SKUs of pair 1."""
    expected = contract(site.sku)
    path = site.data.root / SPLIT / "image" / "000011.jpg"
    whole = path.read_bytes()
    path.write_bytes(truncated(whole))

    run = site.build()
    assert run.numbers["crops"]["images_decoded"] == 1
    refused = read_table(site.sku, "refusals", SPLIT)
    assert list(zip(refused["image_id"], refused["item_idx"], refused["stage"], strict=True)) == [
        ("000011", 1, "crops"),
        ("000011", 2, "crops"),
    ]
    assert {path[:12] for path in metadata(site.sku, SPLIT)["skus"]} == {
        f"00000{pair}_{kind}" for pair in (2, 3) for kind in ("01_01", "02_08")
    }
    assert contract(site.sku) == clean_build(site)

    before = stamps(site.sku)
    spoil_sources(site.data, but=[11])
    again = site.build()
    assert not again.changed
    assert again.numbers["crops"]["images_decoded"] == 0
    assert stamps(site.sku) == before

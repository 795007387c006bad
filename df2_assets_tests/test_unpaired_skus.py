"""SKUs with crops of only one domain: kept, left out again, remembered, and shown."""

import dataclasses
import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from click.testing import CliRunner

import df2_assets
from df2_assets.checks.exports import matches_image_text
from df2_assets.checks.registry import CHECKS, CheckContext
from df2_assets.cli import main
from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.explanation.explain import explain_crop, explain_sku
from df2_assets.exports import EXPORTS
from df2_assets.exports.build import export
from df2_assets.settings import Settings
from df2_assets.store import declaration, state, tables
from df2_assets.verification.verify import verify
from df2_assets_tests.support import oracle, processes
from df2_assets_tests.support.builder import DataSet, item, jpeg, truncated
from df2_assets_tests.support.compare import assert_same_output, metadata
from df2_assets_tests.support.site import CROPS, QUIET, SPLIT, TOP, Site
from df2_assets_tests.support.snapshots import contract, crop_stamps, stamps

SHOP_ONLY, USER_ONLY, LOST = "000007_01_01", "000008_01_08", "000009_01_01"
SHOP_CROP = f"{SPLIT}/catalog/{SHOP_ONLY}/000071_item1.jpg"
LOST_CROP = f"{SPLIT}/query/{LOST}/000092_item1.jpg"
UNPAIRED = 4
"""Crops of SKUs with one domain."""

KEPT = (
    "kept the SKUs with one domain, since DF2_ONLY_PAIRS is not set (DF2_ONLY_PAIRS=on leaves them "
    "out)"
)
LEFT_OUT_NOW = "SKUs with one domain are left out now, and were kept before"
KEPT_NOW = "SKUs with one domain are kept now, and were left out before"


def selecting(site: Site, only_pairs: bool | None) -> Settings:
    return dataclasses.replace(site.settings, only_pairs=only_pairs)


def build(site: Site, only_pairs: bool | None = None) -> Outcome:
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = run_split(build_defs(selecting(site, only_pairs)), instance, SPLIT)
    assert outcome.ok, outcome.problems + outcome.failed
    return outcome


def write(site: Site) -> None:
    """Add a SKU of one catalog crop, one of two query crops, and one that loses its catalog crop.

    The image of the last has damage that only decoding shows.
    """
    for image, source, pair in ((71, "shop", 7), (81, "user", 8), (82, "user", 8), (92, "user", 9)):
        site.data.image(SPLIT, image)
        items: dict[int | str, Any] = {1: TOP if pair != 8 else item(8, 1, [5, 5, 70, 100])}
        site.data.annotation(SPLIT, image, source, pair, items)
    site.data.raw_image(SPLIT, 91, truncated(jpeg((160, 120))))
    site.data.annotation(SPLIT, 91, "shop", 9, {1: TOP})


@pytest.fixture(scope="module")
def paired(original: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build a site without the SKUs that have one domain. Tests must not change it."""
    site = original.copy(tmp_path_factory.mktemp("paired"))
    write(site)
    build(site)
    return site


@pytest.fixture(scope="module")
def unpaired(paired: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build the same site with them. Tests must not change it."""
    site = paired.copy(tmp_path_factory.mktemp("unpaired"))
    outcome = build(site, only_pairs=False)
    assert outcome.notes == [f"sku_groups rebuilt: {KEPT_NOW}"]
    return site


@pytest.fixture
def site(unpaired: Site, tmp_path: Path) -> Site:
    return unpaired.copy(tmp_path)


def independent(site: Site, *, only_pairs: bool) -> Path:
    fresh = site.sku.with_name(f"fresh {only_pairs}")
    oracle.build(site.data.root, fresh, [SPLIT], only_pairs=only_pairs)
    return fresh


def assert_is_as(site: Site, *, only_pairs: bool) -> None:
    """Assert that a site has what an independent reading has, and that nothing is wrong."""
    assert_same_output(site.sku, independent(site, only_pairs=only_pairs))
    assert verify(site.roots, SPLIT).problems == []
    assert state.load(site.roots, SPLIT).only_pairs is only_pairs


def test_a_build_keeps_skus_with_one_domain_as_an_independent_reading_does(
    paired: Site, unpaired: Site
) -> None:
    for site, only_pairs in ((paired, True), (unpaired, False)):
        assert_is_as(site, only_pairs=only_pairs)
    skus, fewer = (metadata(site.sku, SPLIT)["skus"] for site in (unpaired, paired))
    assert skus.keys() - fewer.keys() == {SHOP_ONLY, USER_ONLY, LOST}
    assert [len(skus[SHOP_ONLY][domain]) for domain in ("catalog", "query")] == [1, 0]
    assert [len(skus[USER_ONLY][domain]) for domain in ("catalog", "query")] == [0, 2]
    assert {sku_id: skus[sku_id] for sku_id in fewer} == fewer
    document = (unpaired.sku / f"{SPLIT}_sku_metadata.json").read_text()
    assert json.dumps(json.loads(document), indent=2) == document


def test_back_and_forth_only_the_skus_with_one_domain_change(site: Site, paired: Site) -> None:
    build(site)  # where it lies: the metadata names its folder
    before, kept = contract(site.sku), crop_stamps(site.sku)
    left_out = build(site, only_pairs=True)
    assert f"sku_groups rebuilt: {LEFT_OUT_NOW}" in left_out.notes
    assert left_out.numbers["crops"]["removed"] == UNPAIRED
    assert left_out.numbers["crops"]["unchanged"] == CROPS
    assert not (site.sku / SPLIT / "catalog" / SHOP_ONLY).exists()
    assert_is_as(site, only_pairs=True)
    added = build(site, only_pairs=False)
    assert added.numbers["crops"]["added"] == UNPAIRED
    assert added.numbers["crops"]["unchanged"] == CROPS
    assert contract(site.sku) == before
    for path, stamp in crop_stamps(site.sku).items():
        assert stamp == kept[path] or path.split("/")[1] in (SHOP_ONLY, USER_ONLY, LOST)
    assert not build(site, only_pairs=False).changed


def test_a_build_without_the_setting_keeps_what_the_last_one_kept_and_says_so(site: Site) -> None:
    build(site, only_pairs=False)  # where it lies
    before = stamps(site.sku)
    again = build(site)
    assert (again.notes[:1], again.changed) == ([KEPT], False)
    assert stamps(site.sku) == before
    build(site, only_pairs=True)
    assert build(site).notes == []
    assert_is_as(site, only_pairs=True)


@pytest.mark.slow
def test_a_data_set_without_a_declaration_does_as_its_splits(site: Site) -> None:
    for content in (None, b"{"):
        site.roots.declaration.unlink(missing_ok=True)
        if content:
            site.roots.declaration.write_bytes(content)
        assert declaration.load_only_pairs(site.roots) is False
        none = dataclasses.replace(site.settings, prompts="none")
        with dg.DagsterInstance.ephemeral() as instance:
            outcome = run_split(build_defs(none), instance, SPLIT)
        assert outcome.notes[:1] == [KEPT]
        assert_is_as(site, only_pairs=False)
        assert build(site, only_pairs=False).ok


@pytest.mark.slow
def test_records_of_earlier_releases_stand_for_pairs_only(paired: Site, tmp_path: Path) -> None:
    """They have no field for it, and no declaration was written."""
    site = paired.copy(tmp_path)
    build(site)
    assert not site.roots.declaration.exists()
    path = site.roots.state(SPLIT)
    recorded = json.loads(path.read_bytes())
    assert recorded.pop("only_pairs") is True
    path.write_text(json.dumps(recorded))
    site.roots.declaration.write_text('{"prompts_file": null, "templates": []}')
    before = stamps(site.sku)
    outcome = build(site)
    assert (outcome.notes, outcome.changed) == ([], False)
    assert {name for name, stamp in stamps(site.sku).items() if before.get(name) != stamp} == set()
    assert build(site, only_pairs=False).numbers["crops"]["added"] == UNPAIRED
    assert_is_as(site, only_pairs=False)


KILLED_AT = {
    "df2_assets.store.tables.write": "args[1] == 'sku_groups'",
    "df2_assets.pipeline.crops.as_unpaired": "True",  # the new crops are made
    "df2_assets.pipeline.crops.count_changes": "True",  # the others are removed
    "df2_assets.defs.assets.sku_metadata.publish_metadata": "True",
    "df2_assets.defs.assets.image_text.publish_image_text": "True",
}
"""The functions at which a process kills itself, and when, in the order of a build."""

KILLED = """
import functools, os, signal, sys
from unittest.mock import patch
from df2_assets.cli import main

def die(original, *args, **kwargs):
    if {condition}:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*args, **kwargs)

from importlib import import_module
module, _, name = "{place}".rpartition(".")
module = import_module(module)
with patch.object(module, name, functools.partial(die, getattr(module, name))):
    main(["build", *sys.argv[1:]])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("only_pairs", "first", "others"),
    [(False, ("--keep-unpaired",), ()), (True, ("--only-pairs",), ("--only-pairs",))],
    ids=["off", "on"],
)
def test_a_switch_that_is_killed_again_and_again_ends_as_a_clean_build(
    paired: Site,
    unpaired: Site,
    tmp_path: Path,
    only_pairs: bool,
    first: tuple[str, ...],
    others: tuple[str, ...],
) -> None:
    """The choice is recorded before the first table changes: later builds need not repeat it."""
    site = (unpaired if only_pairs else paired).copy(tmp_path)
    for number, (place, condition) in enumerate(KILLED_AT.items()):
        program = KILLED.format(place=place, condition=condition)
        options = others if number else first
        done = processes.run(
            (sys.executable, "-c", program, *options), site.environment(), tmp_path
        )
        assert done.returncode == -signal.SIGKILL, done
        if number:
            status = CliRunner().invoke(main, ["status"], env=site.environment())
            assert (status.exit_code, "is incomplete" in status.output) == (1, True)
    assert build(site, only_pairs if others else None).changed
    assert_is_as(site, only_pairs=only_pairs)
    assert contract(site.sku) == contract(clean(site, only_pairs=only_pairs))
    assert not build(site).changed


def clean(site: Site, *, only_pairs: bool) -> Path:
    """Return a build from scratch under the name of the site's, which the metadata repeats."""
    fresh = site.sku.with_name("clean") / site.sku.name
    build(Site(site.data, fresh), only_pairs)
    return fresh


def test_a_first_build_that_is_stopped_early_decides_for_the_next_one(
    paired: Site, tmp_path: Path
) -> None:
    site = paired.copy(tmp_path)
    shutil.rmtree(site.sku)
    images = site.data.root / SPLIT / "image"
    images.rename(images.with_name("away"))
    with dg.DagsterInstance.ephemeral() as instance:
        assert not run_split(build_defs(selecting(site, False)), instance, SPLIT).success
    images.with_name("away").rename(images)
    assert build(site).notes[:1] == [KEPT]
    assert_is_as(site, only_pairs=False)


def test_parts_of_a_build_do_not_mix_the_two(site: Site, paired: Site) -> None:
    """In the UI, `sku_groups` alone changes. Everything after it then asks to be built again."""
    build(site, only_pairs=False)
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(selecting(site, True)).resolve_implicit_global_asset_job_def()
        chosen = [dg.AssetKey("sku_groups")]
        result = job.execute_in_process(
            run_config=QUIET, instance=instance, partition_key=SPLIT, asset_selection=chosen
        )
    assert result.success
    assert "was made from another sku_groups" in str(site.materialize("sku_metadata"))
    problems = [problem.what for problem in verify(site.roots, SPLIT).problems]
    assert any("crops of train was made from another sku_groups" in what for what in problems)
    assert build(site).notes == ["sku_groups rebuilt: " + LEFT_OUT_NOW]
    assert_is_as(site, only_pairs=True)


def test_the_choice_counts_as_content_even_where_no_sku_has_one_domain(
    original: Site, tmp_path: Path
) -> None:
    site = original.copy(tmp_path)
    build(site)
    before = contract(site.sku), tables.digests(site.roots, ["sku_groups"], SPLIT)
    status = CliRunner().invoke(main, ["status"], env=site.environment(DF2_ONLY_PAIRS="off"))
    assert f"is stale: {KEPT_NOW}" in status.output
    assert not build(site, only_pairs=False).changed
    assert contract(site.sku) == before[0]
    assert tables.digests(site.roots, ["sku_groups"], SPLIT) != before[1]
    assert json_status(site)["only_pairs"] is False
    build(site, only_pairs=True)
    assert (contract(site.sku), tables.digests(site.roots, ["sku_groups"], SPLIT)) == before


def json_status(site: Site, **settings: object) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["status", "--json"], env=site.environment(**settings))
    (split,) = json.loads(done.stdout)["splits"]
    assert isinstance(split, dict)
    return split


def test_status_and_plan_say_what_a_build_would_change(site: Site) -> None:
    build(site, only_pairs=False)
    assert json_status(site)["condition"] == "current"
    stale = json_status(site, DF2_ONLY_PAIRS="on")
    assert (stale["condition"], stale["only_pairs"]) == ("stale", False)
    assert stale["reasons"] == [LEFT_OUT_NOW]
    before = stamps(site.sku)
    (plan,) = df2_assets.plan(
        site.data.root, site.sku, splits=SPLIT, only_pairs=True, workers=1
    ).values()
    assert plan.notes == [f"sku_groups rebuilt: {LEFT_OUT_NOW}"]
    assert (plan.files_to_remove, plan.crops_to_make, plan.crops_to_keep) == (UNPAIRED, 0, CROPS)
    (plan,) = df2_assets.plan(site.data.root, site.sku, splits=SPLIT, workers=1).values()
    assert (plan.notes, plan.files_to_remove) == ([KEPT], 0)
    assert stamps(site.sku) == before


def test_every_check_passes_and_names_no_sku_for_its_one_domain(site: Site) -> None:
    build(site, only_pairs=False)
    site.materialize("crop_quality")
    context = CheckContext(site.roots, SPLIT, max_refused=1.0, max_age_days=1.0)
    for check in CHECKS:
        if check.asset in ("sku_groups", "crops", "sku_metadata", "image_text", "crop_quality"):
            finding = check.find(context)
            assert finding.passed or finding.severity == "warn", finding.summary


@pytest.mark.parametrize("path", [SHOP_CROP, LOST_CROP])
def test_damage_to_a_sku_with_one_domain_is_found_and_repaired(site: Site, path: str) -> None:
    build(site, only_pairs=False)
    (site.sku / path).unlink()
    problems = {(problem.path, problem.what) for problem in verify(site.roots, SPLIT).problems}
    assert problems == {(path, "the file is missing"), (path.rpartition("/")[0], "an empty folder")}
    assert build(site).numbers["crops"]["remade"] == 1
    assert_is_as(site, only_pairs=False)


def test_a_metadata_document_that_lost_all_crops_of_a_sku_fails(site: Site) -> None:
    build(site, only_pairs=False)
    path = site.roots.sku_metadata(SPLIT)
    document = json.loads(path.read_text())
    document["skus"][SHOP_ONLY]["catalog"] = []
    path.write_text(json.dumps(document, indent=2))
    whats = {problem.what for problem in verify(site.roots, SPLIT).problems}
    assert "it has no crops" in whats
    document["skus"][SHOP_ONLY]["catalog"] = [{}]
    path.write_text(json.dumps(document, indent=2))
    assert any("missing required field" in p.what for p in verify(site.roots, SPLIT).problems)


def test_an_item_of_a_sku_with_one_domain_is_explained(site: Site, paired: Site) -> None:
    answer = explain_crop(site.roots, SHOP_CROP, {})
    assert answer.fate == "in"
    (text,) = [step.text for step in answer.steps if step.stage == "sku_groups"]
    assert text.endswith("with 1 catalog and 0 query items, kept though it has only one domain")
    answer = explain_sku(site.roots, SPLIT, LOST, {})
    assert (answer.fate, answer.why) == ("in", "with 0 catalog and 1 query crops")
    answer = explain_crop(paired.roots, SHOP_CROP, {})
    assert (answer.fate, answer.why) == (
        "unpaired",
        f"SKU {SHOP_ONLY} has no query item, so it is left out",
    )


def test_the_ui_shows_what_is_kept(site: Site) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_split(build_defs(selecting(site, None)), instance, SPLIT).ok
        event = instance.get_latest_materialization_event(dg.AssetKey("sku_groups"))
    assert event is not None
    assert event.asset_materialization is not None
    shown = event.asset_materialization.metadata
    assert shown["kept"].value == KEPT
    assert shown["skus_with_one_domain"].value == 2
    assert "SKUs with one domain are kept: 2." in str(shown["summary"].value)


@pytest.mark.parametrize("only_pairs", [True, False])
def test_the_launchpad_decides_for_one_run(site: Site, only_pairs: bool) -> None:
    defs = build_defs(selecting(site, not only_pairs))
    config = {"resources": {"skus": {"config": {"only_pairs": only_pairs}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_split(defs, instance, SPLIT, config=config).ok
    assert_is_as(site, only_pairs=only_pairs)


def test_exports_have_skus_with_one_domain_and_say_so(site: Site) -> None:
    build(site, only_pairs=False)
    for name in EXPORTS:
        export(site.roots, SPLIT, name)
        card = (site.roots.export(name, SPLIT) / "README.md").read_text()
        assert "only query crops (`user`) are kept: `only_pairs` is off" in card
        assert matches_image_text(site.roots, SPLIT, name, "").passed
    assert verify(site.roots, SPLIT).problems == []
    folder = site.roots.export("retrieval", SPLIT)
    listed = pd.read_csv(folder / "retrieval.csv", dtype={"sku_id": str})
    assert {SHOP_ONLY, USER_ONLY, LOST} < {*listed["sku_id"]}
    assert sorted({*listed["label"]}) == list(range(listed["sku_id"].nunique()))
    pairs, triplets = (
        pd.read_parquet(site.roots.export("pairs", SPLIT) / f"{name}.parquet")
        for name in ("pairs", "triplets")
    )
    assert not {SHOP_ONLY, USER_ONLY, LOST} & {*pairs["sku_id"], *triplets["sku_id"]}
    assert len(pairs) == 9
    build(site, only_pairs=True)
    assert not matches_image_text(site.roots, SPLIT, "retrieval", "").passed
    export(site.roots, SPLIT, "retrieval")
    assert "at least one catalog crop" in (folder / "README.md").read_text()


def test_a_split_without_any_query_can_be_built_exported_and_shown(tmp_path: Path) -> None:
    site = Site(DataSet(tmp_path / "df2"), tmp_path / "sku")
    for image in (11, 12):
        site.data.image(SPLIT, image)
        site.data.annotation(SPLIT, image, "shop", 1, {1: TOP})
    outcome = build(site, only_pairs=False)
    assert outcome.numbers["image_text"]["crops"] == 2
    (warned,) = [line for line in outcome.warned if "counts" in line]
    assert "No SKU has both a shop and a user image" in warned
    assert_is_as(site, only_pairs=False)
    assert site.materialize("crop_quality", "refusals", "gallery") is None
    for name in EXPORTS:
        export(site.roots, SPLIT, name)
    assert verify(site.roots, SPLIT).problems == []

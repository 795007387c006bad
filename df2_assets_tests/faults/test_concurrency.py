"""A build at the same time as another one, as `verify`, and as changes of its input."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from df2_assets_tests.faults.arena import SPLIT, Moment, Undisturbed, arena, write_data
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support.builder import jpeg
from df2_assets_tests.support.compare import assert_same_output, rows, tree
from df2_assets_tests.support.engines import build_while
from df2_assets_tests.support.run import build, read_table
from df2_assets_tests.support.site import SIZE, Site
from df2_assets_tests.support.snapshots import contract

IMAGES = 400
SPLITS = (SPLIT, "validation")
BUSY = re.compile(
    r"error: train: train is being built by (another )?process ?.*: wait for it, .*\n"
)


def test_of_two_builds_of_a_split_one_builds_and_the_other_learns_the_holder(
    undisturbed: Undisturbed, faults: Faults
) -> None:
    """Both start at the same time, or the second at any moment of the first."""
    for rng, ground in faults.arenas(undisturbed.df2_root, short=1, long=40):
        with ground.command() as first, ExitStack() as stack:
            moment = rng.choice((Moment(0, 0), undisturbed.moment(rng)))
            ground.wait_for(moment, first)
            second = stack.enter_context(ground.command())
            ended = [process.end() for process in (first, second)]
        refused = [done for done in ended if done.returncode != 0]
        assert len(refused) <= 1, ended
        for done in refused:
            assert BUSY.fullmatch(done.stderr), done
        ground.assert_as(undisturbed)
        assert sorted(ground.runs()) == sorted(
            "FAILURE" if done.returncode else "SUCCESS" for done in ended
        )
        faults.count("races")


def test_different_splits_are_built_at_the_same_time(
    undisturbed: Undisturbed, faults: Faults, tmp_path: Path
) -> None:
    reference = arena(tmp_path / "reference", undisturbed.df2_root)
    for split in SPLITS:
        reference.rerun(split)
    for _, ground in faults.arenas(undisturbed.df2_root, short=1, long=20):
        with ExitStack() as stack:
            running = [stack.enter_context(ground.command(SPLITS=split)) for split in SPLITS]
            for process in running:
                done = process.end()
                assert done.returncode == 0, done
        for split in SPLITS:
            assert contract(ground.sku, split) == contract(reference.sku, split)
        assert ground.runs() == ["SUCCESS", "SUCCESS"]
        faults.count("races")


@pytest.mark.parametrize("deep", [False, True])
def test_verify_disturbs_no_build_and_says_that_one_is_under_way(
    deep: bool, undisturbed: Undisturbed, faults: Faults
) -> None:
    for rng, ground in faults.arenas(undisturbed.df2_root, short=1, long=15):
        with ground.command() as building:
            ground.wait_for(Moment(rng.randrange(1, 9), 0), building)
            with ground.command("verify", *(["--deep"] if deep else [])) as verifying:
                looked = verifying.end()
            done = building.end()
        assert done.returncode == 0, done
        assert looked.returncode in (0, 1), looked
        assert "Traceback" not in looked.stderr
        ground.assert_as(undisturbed)
        faults.count("races")
        with ground.command("verify", "--deep") as verifying:
            assert verifying.end().returncode == 0


def test_a_change_of_the_input_at_any_moment_gives_a_consistent_split_and_the_next_build_has_it(
    faults: Faults,
) -> None:
    for rng, folder in faults.cases(short=1, long=40):
        df2_root = write_data(folder, 120)
        ground = arena(folder, df2_root)
        with ground.command() as process:
            ground.wait_for(Moment(rng.randrange(7), rng.uniform(0, 0.2)), process)
            for image in rng.sample(range(20, 120), 12):
                path = df2_root / SPLIT / "image" / f"{image:06d}.jpg"
                path.unlink()
                if rng.random() < 0.8:
                    path.write_bytes(jpeg((400, 300), seed=rng.random()))
            done = process.end()
        told = ("refusals_within_limit", "the original image is missing. Build train again.")
        assert done.returncode == 0 or any(what in done.stderr for what in told), done
        if done.returncode == 0:
            named = {row["image_path"] for row in rows(ground.sku, SPLIT)}
            lying = {path for path, data in tree(ground.sku, SPLIT).items() if data is not None}
            assert named == lying
        clean = build(df2_root, folder / "clean", max_refused=1)
        again = build(df2_root, ground.sku, max_refused=1)
        assert clean.success, clean.problems
        assert again.success, again.problems
        assert_same_output(ground.sku, folder / "clean")
        faults.count("races")


@pytest.mark.parametrize("how", ["replaced", "removed"])
def test_an_image_that_changes_between_index_and_crop_is_named(
    how: str, site: Site, faults: Faults
) -> None:
    site.add_image()
    changed: list[Path] = []

    def change() -> None:
        if not changed and not site.complete:
            changed.append(site.image(14))
            site.image(14).unlink()
            if how == "replaced":
                site.data.image(SPLIT, 14, SIZE, seed="another picture")

    outcome = build_while(site.settings, SPLIT, change)
    assert changed
    assert outcome.success, outcome.problems
    refused = read_table(site.sku, "refusals", SPLIT)
    assert list(refused["image_id"]) == ["000014"]
    said = {"replaced": "changed since its annotation was read: build again", "removed": "removed"}
    assert said[how] in refused["detail"][0]
    assert site.build().success
    assert_same_output(site.sku, site.read_independently())
    faults.count("races")

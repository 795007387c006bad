"""The command `benchmark`: files of results, and the comparison with the published ground truth."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.indexing import build_index
from df2_assets.store import journal, tables
from df2_assets.store.crop_sets import benchmark_crops
from df2_assets.store.layout import BENCHMARK_CROPS
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import item, jpeg, write_pairs
from df2_assets_tests.support.processes import DF2_ASSETS
from df2_assets_tests.support.site import SPLIT, TOP, TROUSERS, Site
from df2_assets_tests.support.snapshots import contract

HIT = {
    "query_image_id": 12,
    "query_bbox": TOP["bounding_box"],
    "query_cls": 1,
    "query_score": 0.9,
    "gallery_image_id": [21, 11] + [31] * 18,
    "gallery_bbox": [TOP["bounding_box"]] * 20,
}
"""The first top of pair 1, whose shop item is in the second place."""


@pytest.fixture
def results(desk: Desk, site: Site) -> Path:
    """Write results for one query of a built split."""
    return write(desk, [HIT])


def write(desk: Desk, entries: Any) -> Path:
    path = desk.folder / "results.json"
    path.write_text(json.dumps(entries))
    return path


def test_it_prints_the_official_numbers(desk: Desk, results: Path) -> None:
    reply = desk.run("benchmark", "--split", SPLIT, "--results", str(results))
    assert reply.exit_code == 0, reply.output
    head, row, note = (line.split() for line in reply.stdout.splitlines())
    assert head[:4] == ["split", "queries", "missed", "gallery"]
    assert head[4:] == ["top-1", "top-5", "top-10", "top-15", "top-20"]
    assert row == ["train", "9", "8", "7", "0.0000", *["0.1111"] * 4]
    assert note[:2] == ["note:", "train:"]


def test_json_has_the_same_numbers_and_the_differences(desk: Desk, results: Path) -> None:
    (split,) = desk.json("benchmark", "--split", SPLIT, "--results", str(results))["splits"]
    assert (split["split"], split["results"], split["ground_truth"]) == (SPLIT, str(results), [])
    assert (split["queries"], split["missed"], split["gallery"]) == (9, 8, 7)
    assert (split["top-1"], split["top-5"], split["top-20"]) == (0, 1 / 9, 1 / 9)


def test_malformed_entries_end_it_with_their_list(desk: Desk, site: Site) -> None:
    path = write(desk, [HIT, HIT | {"query_cls": 99}])
    reply = desk.run("benchmark", "--split", SPLIT, "--results", str(path))
    assert reply.exit_code == 1
    assert "The first: entry 2: query_cls is 99; expected a category_id, 1 to 13" in reply.stderr
    error = desk.json("benchmark", "--split", SPLIT, "--results", str(path), exit_code=1)["error"]
    assert error["kind"] == "ResultsError"


def test_results_are_about_one_split(desk: Desk, results: Path) -> None:
    both = ("--split", "train", "--split", "validation")
    reply = desk.run("benchmark", *both, "--results", str(results))
    assert reply.exit_code == 2
    assert "specify one --split" in reply.stderr


def test_without_a_build_it_says_what_to_do(desk: Desk) -> None:
    desk.df2.mkdir()
    reply = desk.run("benchmark", "--results", str(write(desk, [])))
    assert reply.exit_code == 1
    assert "materialize raw_annotation_index first" in reply.stderr


def test_the_published_ground_truth_is_compared(desk: Desk, site: Site) -> None:
    """The split is published as `validation`: the annotations of `train` stand for it here."""
    (site.data.root / SPLIT).rename(site.data.root / "validation")
    indexed = build_index(desk.roots, "validation", SerialEngine(), silent)
    tables.write(desk.roots, "raw_annotation_index", "validation", indexed.table, {})
    folder = desk.roots.ground_truth("validation")
    folder.mkdir()
    queries = [
        {
            "query_image_id": image,
            "style": item["style"],
            "cls": item["category_id"],
            "pair_id": image // 10,
            "bbox": item["bounding_box"],
        }
        for first in (10, 20, 30)
        for image, item in ((first + 2, TOP), (first + 2, TROUSERS), (first + 3, TOP))
    ]
    (folder / "val_query.json").write_text(json.dumps([*queries[1:], queries[0] | {"style": 3}]))
    reply = desk.run("benchmark", "--results", str(write(desk, [])))
    assert reply.stdout.splitlines()[2:] == [
        "val_query.json: 9 entries; 1 with other labels",
        "  with other labels: image 000012, box [5, 5, 70, 100], style 3, pair_id 1, category_id 1",
    ]


def test_an_encoder_and_a_file_of_results_exclude_each_other(desk: Desk, results: Path) -> None:
    reply = desk.run("benchmark", "--encoder", "histogram", "--results", str(results))
    assert reply.exit_code == 2
    assert "Specify either --encoder or --results." in reply.stderr


@pytest.mark.slow
def test_an_encoder_is_measured_on_every_shop_item(desk: Desk, site: Site) -> None:
    """The site has 7 shop items: 6 of pairs, and one of style 0, whose crop is made for this."""
    assert desk.run("build", "--split", SPLIT).exit_code == 0
    before = contract(desk.sku)
    (split,) = desk.json("benchmark", "--split", SPLIT)["splits"]
    assert (split["encoder"], split["queries"], split["missed"], split["gallery"]) == (
        *("histogram", 9),
        *(0, 7),
    )
    accuracies = [split[f"top-{k}"] for k in (1, 5, 10, 15, 20)]
    assert accuracies == sorted(accuracies)
    assert accuracies[-1] == 1, "the whole gallery is among the first 20"
    assert split["numbers"]["benchmark_crops"]["added"] == 1
    assert split["numbers"]["benchmark_scores"]["encoded"] == 1
    (again,) = desk.json("benchmark", "--split", SPLIT)["splits"]
    assert again["numbers"]["benchmark_crops"]["unchanged"] == 1
    assert again["numbers"]["benchmark_scores"]["encoded"] == 0
    assert [again[f"top-{k}"] for k in (1, 5, 10, 15, 20)] == accuracies
    assert contract(desk.sku) == before
    assert desk.run("verify", "--deep", "--split", SPLIT).exit_code == 0


@pytest.mark.slow
def test_a_killed_benchmark_continues_and_ends_in_the_same_files(tmp_path: Path) -> None:
    df2 = write_style_0(tmp_path / "df2")
    undisturbed, killed = (built_desk(tmp_path / name, df2) for name in ("undisturbed", "killed"))
    command = (*DF2_ASSETS, "benchmark", "--split", SPLIT)
    with processes.start(command, killed.environment(), killed.folder) as process:
        processes.wait_until(lambda: has_finished_a_shard(killed), process)
        process.signal_group(signal.SIGKILL)
        process.end()
    assert not killed.roots.table(BENCHMARK_CROPS, SPLIT).exists()
    for desk in (undisturbed, killed):
        done = desk.start("benchmark", "--split", SPLIT)
        assert done.returncode == 0, done.stderr
        assert desk.start("verify", "--deep", "--split", SPLIT).returncode == 0
        assert not desk.roots.journal(SPLIT, BENCHMARK_CROPS).exists()
    assert len(own_files(undisturbed)) == STYLE_0
    assert own_files(killed) == own_files(undisturbed)


STYLE_0 = 160


def write_style_0(root: Path) -> Path:
    """Write a pair, and shop images of style 0 that take a worker some time."""
    data = write_pairs(root, 2)
    picture = jpeg((1200, 900))
    for image in range(101, 101 + STYLE_0):
        data.raw_image(SPLIT, image, picture)
        data.annotation(SPLIT, image, "shop", image, {1: item(1, 0, [5, 5, 70, 80])})
    return root


def built_desk(folder: Path, df2: Path) -> Desk:
    """Build the contract of a data set in a folder."""
    desk = Desk(folder)
    folder.mkdir()
    desk.df2.symlink_to(df2)
    built = desk.start("build", "--split", SPLIT)
    assert built.returncode == 0, built.stderr
    return desk


def has_finished_a_shard(desk: Desk) -> bool:
    return bool(journal.read(desk.roots, benchmark_crops(desk.roots, SPLIT)))


def own_files(desk: Desk) -> dict[Path, bytes]:
    """Return the benchmark's own crops and their manifest."""
    own = desk.roots.benchmark_crops(SPLIT)
    crops = {path.relative_to(own): path.read_bytes() for path in own.rglob("*.jpg")}
    manifest = tables.find(desk.roots, BENCHMARK_CROPS, SPLIT)
    assert manifest is not None
    assert manifest.num_rows == len(crops)
    return crops

"""`make rehearsal` at a toy size: everything runs and is shown in tables."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import prediction, rehearsal
from benchmarks.builds import read_number
from benchmarks.figures import Result
from df2_assets_tests.defs.platform import SPECS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Result:
    work = tmp_path_factory.mktemp("rehearsal")
    images, photos = {"train": 80, "test": 5}, {"train": 20, "test": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "ADDED_WORKERS", 2)
        return rehearsal.measure(work, images, photos, part=20, every=3)


def test_all_of_the_data_is_built_and_then_left_alone(results: Result) -> None:
    for name in ("cold", "unchanged", "nothing"):
        assert set(results[name]["splits"]) == {"train", "test"}
    cold, unchanged = results["cold"], results["unchanged"]
    crops = read_number(cold, "crops", "crops")
    assert (
        read_number(cold, "crops", "added")
        == crops
        == read_number(unchanged, "crops", "crops")
        > 20
    )
    for name in ("images_decoded", "added", "remade"):
        assert read_number(unchanged, "crops", name) == 0
    assert results["disk"]["files"] > crops
    assert results["disk"]["bytes"] > read_number(cold, "crops", "bytes")


def test_the_codec_is_scaled_from_the_images_that_were_measured(results: Result) -> None:
    decoded = read_number(results["cold"], "crops", "images_decoded")
    codec, cores = results["codec"], results["machine"]["cores"]
    assert codec["images"] == -(-decoded // 3)
    seconds = codec["decode"] + codec["encode"]
    limit = seconds * decoded / codec["images"] / cores
    assert rehearsal.codec_limit(results) == pytest.approx(limit)


def test_the_pool_works_on_all_annotated_images(results: Result) -> None:
    assert results["pool"]["cpu"] > results["pool"]["main"] > 0
    _, totals, parts, *_ = rehearsal.tables(results).values()
    assert {"what": "pool", "measured": f"{results['pool']['seconds']:.1f} s"} in totals
    scale = 80 / 20
    seconds = scale * sum(recipe["main_only"] for recipe in results["recipe"]) / 2
    assert parts[0]["recipe"] == f"{seconds:.2f}"


def test_the_tables_show_every_split_its_checks_and_every_page(results: Result) -> None:
    goals, _, _, _, splits, warnings, pages = rehearsal.tables(results).values()
    assert len(goals) == 10
    assert [row["split"] for row in splits] == ["train", "test"]
    assert "crops: files_match" in results["cold"]["splits"]["train"]["passed"]
    warned = [text for of in results["cold"]["splits"].values() for text in of["warned"]]
    assert sorted(row["warning"] for row in warnings) == sorted(warned)
    assert {row["asset"] for row in pages} == SPECS.keys()


def test_figures_of_a_bench_stand_beside(results: Result) -> None:
    def build(seconds: float, mib: int) -> Result:
        return {"seconds": seconds, "peak_bytes": mib * 2**20}

    turn = {"nothing": build(3, 200), "smaller": {"1000": build(5, 250)}, "cold": build(43, 300)}
    of_bench = rehearsal.figures_of({"images": 20_000, "turns": [turn]})
    goals = next(iter(rehearsal.tables(results | {"bench": of_bench}).values()))
    assert goals[-2]["measured"].endswith("; 100 MiB at 20,000")
    assert "2.00 ms at 1,000, 2.00 ms at 20,000, " in goals[-1]["measured"]


def test_it_asks_before_it_fills_the_disk(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = CliRunner().invoke(rehearsal.main, ["--keep", str(kept)], input="n\n")
    assert done.exit_code == 1
    assert " GB " in done.output
    assert not kept.exists()

"""The training example at a toy size: it runs with the export and without, and prints figures."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from df2_assets.retrieval.metrics import METRICS
from df2_assets_tests.support import processes, random_data, run

SCRIPT = str(processes.PROJECT / "examples" / "train_two_towers.py")
SHARES = re.compile(r" +([\d.]+)% +([\d.]+)% +([\d.]+)%")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build train and validation, in a folder with the input."""
    base = tmp_path_factory.mktemp("example")
    splits = ("train", "validation")
    random_data.random_dataset(base / "df2", seed=3, splits=splits, images=60)
    assert run.build(base / "df2", base / "sku", splits).success
    return base


def trained(sku_root: Path, *arguments: str) -> list[str]:
    """Return the lines that a training prints."""
    command = (sys.executable, SCRIPT, str(sku_root), "--texts", "16", *arguments)
    done = processes.run(command, processes.environment(sku_root.parent / "home"), sku_root)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def shares(lines: list[str]) -> dict[str, list[float]]:
    """Return percentages by the name of their line."""
    found = ((line[:26].strip(), SHARES.fullmatch(line[26:])) for line in lines)
    return {name: [float(share) for share in match.groups()] for name, match in found if match}


@pytest.mark.torch
def test_it_prints_recall_before_and_after_which_the_seed_decides(original: Path) -> None:
    first, again = (trained(original / "sku", "--steps", "3", "--seed", "5") for _ in range(2))
    assert first[0].split() == ["recall", "@1", "@5", "@10"]
    assert set(shares(first)) == {
        "chance",
        "before training",
        "after training",
        "after training, by prompt",
    }
    for at in shares(first).values():
        assert 0 <= at[0] <= at[1] <= at[2] <= 100
    assert_ends_with_the_evaluation(first, shares(first))
    assert re.match(r"3 steps in \d+ s, seed 5; \d+ query crops among \d+ catalog crops", first[-1])
    assert first[:-1] == again[:-1]


def assert_ends_with_the_evaluation(lines: list[str], recalls: dict[str, list[float]]) -> None:
    """All metrics are printed before the last line. Its recall is that of the lines above."""
    head, *rows = (line.split("  ", 1) for line in lines[-4:-1])
    assert head[0] == "evaluation"
    names = head[1].split()
    assert names == list(METRICS)
    for (name, values), line in zip(
        rows, ("after training", "after training, by prompt"), strict=True
    ):
        means = dict(zip(names, map(float, values.split()), strict=True))
        assert name == ("by image" if line == "after training" else "by prompt")
        assert all(0 <= mean <= 1 for mean in means.values())
        same = [100 * means[f"recall@{k}"] for k in (1, 5, 10)]
        assert same == pytest.approx(recalls[line], abs=0.11)


@pytest.mark.torch
def test_it_compares_batches_of_distinct_texts_with_random_ones(original: Path) -> None:
    found = shares(trained(original / "sku", "--steps", "2", "--compare"))
    for way in ("distinct", "random"):
        for query in ("image", "prompt"):
            each = [found[f"{way}, seed {seed}, {query}"] for seed in range(5)]
            means = [sum(shares) / 5 for shares in zip(*each, strict=True)]
            assert found[f"{way}, mean, {query}"] == pytest.approx(means, abs=0.11)
    assert found["random, seed 0, prompt"] != found["distinct, seed 0, prompt"]


@pytest.mark.exports
def test_it_reads_the_shards_of_the_export_where_they_are(original: Path, tmp_path: Path) -> None:
    """The crops are deleted, so that only the shards can be read. The result is the same."""
    shutil.copytree(original, tmp_path / "copy")
    sku_root = tmp_path / "copy" / "sku"
    settings = {"DF2_ROOT": tmp_path / "copy" / "df2", "SKU_ROOT": sku_root}
    environment = processes.environment(tmp_path / "home", **settings)
    command = (sys.executable, "-m", "df2_assets", "export", "webdataset")
    done = processes.run(command, environment, tmp_path)
    assert done.returncode == 0, done.stderr
    from_crops = trained(original / "sku", "--steps", "2")
    for split in ("train", "validation"):
        shutil.rmtree(sku_root / split)
    assert shares(trained(sku_root, "--steps", "2")) == shares(from_crops)

"""`scripts/prepare_deepfashion2_sku.sh` as users of the original wrapper call it."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from df2_assets_tests.support import oracle, processes
from df2_assets_tests.support.compare import assert_same_output
from df2_assets_tests.support.processes import PROJECT, Text
from df2_assets_tests.support.random_data import random_dataset

SCRIPT = "scripts/prepare_deepfashion2_sku.sh"
FILES = ("Makefile", "pyproject.toml", "setup.py", ".dagster/dagster.yaml", SCRIPT)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a clone of the project in which everything is installed, and nothing can be."""
    clone = tmp_path / "a clone"
    for name in FILES:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, clone / name)
    for name in ("df2_assets", "constraints"):
        shutil.copytree(PROJECT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    programs = {
        "python": "echo pip has failed >&2; exit 1",
        "df2-assets": f"exec '{sys.executable}' -m df2_assets \"$@\"",
    }
    for name, body in programs.items():
        program = clone / ".venv" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    (clone / ".venv" / ".installed").write_text(f"{clone}\n")
    return clone


def prepare(checkout: Path, script: Path, cwd: Path, *arguments: str, **settings: str) -> Text:
    env = processes.environment(checkout, **settings)
    del env["DAGSTER_HOME"]
    env["PYTHONPATH"] = str(checkout)
    return processes.run((os.path.relpath(script, cwd), *arguments), env, cwd)


def test_it_builds_what_the_original_built_from_any_folder_with_any_paths(
    checkout: Path, tmp_path: Path
) -> None:
    """It works through links, and with an argument of `df2-assets build`."""
    cwd = tmp_path / "where I work"
    data = random_dataset(cwd / "my data" / "df2", 41, ("train", "validation"), images=40)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/target").symlink_to(f"../{checkout.name}/{SCRIPT}")
    (tmp_path / "prepare").symlink_to("bin/target")
    settings = {"SKU_ROOT": "../the output", "SPLITS": "validation train"}

    done = prepare(
        checkout, tmp_path / "prepare", cwd, "--json", DF2_ROOT="my data/df2", **settings
    )

    assert done.returncode == 0, done
    splits = {split["split"] for split in json.loads(done.stdout)["splits"]}
    assert splits == {"train", "validation"}
    assert oracle.build(data.root, tmp_path / "expected", ("train", "validation")) == []
    assert_same_output(tmp_path / "the output", tmp_path / "expected")
    assert not (tmp_path / "the output" / "test_sku_metadata.json").exists()
    metadata = (tmp_path / "the output" / "train_sku_metadata.json").read_text()
    assert f'"df2_root": "{data.root}"' in metadata
    assert '"out_root": "../the output"' in metadata


@pytest.mark.slow
def test_by_default_it_builds_all_splits_in_the_project_and_fails_when_one_does(
    checkout: Path, tmp_path: Path
) -> None:
    data = random_dataset(
        checkout / "data" / "DeepFashion2_original", 42, ("train", "validation"), images=30
    )
    for annotation in (data.root / "validation" / "annos").iterdir():
        annotation.write_text("{")

    done = prepare(checkout, checkout / SCRIPT, tmp_path)

    assert done.returncode != 0
    line, *offenders = done.stderr.splitlines()
    assert line.startswith("error: validation: raw_annotation_index: refusals_within_limit: ")
    assert "DF2_MAX_REFUSED" in line
    assert len(offenders) == 4, "three and the file with all of them"
    assert offenders[-1].endswith("raw_annotation_index.refusals_within_limit/validation.parquet")
    oracle.build(data.root, tmp_path / "expected", ("train", "test"))
    assert_same_output(checkout / "data" / "DeepFashion2_SKU", tmp_path / "expected")


def test_without_a_data_set_it_says_what_to_set(checkout: Path, tmp_path: Path) -> None:
    done = prepare(checkout, checkout / SCRIPT, tmp_path)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert str(checkout / "data" / "DeepFashion2_original") in line
    assert "DF2_ROOT" in line
    assert not (checkout / "data").exists()


def test_its_exit_status_is_that_of_the_command(checkout: Path, tmp_path: Path) -> None:
    done = prepare(checkout, checkout / SCRIPT, tmp_path, "--no-such-option")
    assert done.returncode == 2
    assert "--no-such-option" in done.stderr


def test_it_stops_when_the_environment_cannot_be_made(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv/.installed").unlink()
    done = prepare(checkout, checkout / SCRIPT, tmp_path)
    assert done.returncode == 1
    assert "pip has failed" in done.stderr
    assert "could not be created" in done.stderr
    assert done.stdout == ""

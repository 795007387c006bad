"""A training machine with torch, numpy, Pillow, msgspec and its own pandas, but no platform."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from df2_assets.store.layout import Roots
from df2_assets_tests.support import processes
from df2_assets_tests.support.labelled import write_labels, write_variants
from df2_assets_tests.support.processes import PROJECT

pytestmark = pytest.mark.torch

NEEDED = ("torch", "numpy", "pillow", "msgspec")
OTHER_PANDAS = "pandas==1.5.3"
PLATFORM = {"click", "dagster", "loky", "pandas", "pyarrow", "pydantic", "starlette", "yaml"}

TRAINING = """
import json, sys
from torch.utils.data import DataLoader
from df2_assets.errors import IncompleteSplitError, MissingSplitError
from df2_assets.torch import CatalogQueryPairs, DeepFashion2ImageTextDataset, PKBatchSampler

def modules(image=None):
    return sorted({name.partition(".")[0] for name in sys.modules})

def raised(error, *arguments):
    try:
        DeepFashion2ImageTextDataset(*arguments)
    except error as problem:
        return str(problem)

if __name__ == "__main__":
    root, copy, labelled = sys.argv[1:]
    dataset = DeepFashion2ImageTextDataset(root, "train", modules)
    workers = {"num_workers": 2, "collate_fn": list, "multiprocessing_context": "spawn"}
    batches = DataLoader(dataset, batch_sampler=PKBatchSampler(dataset, 2, 3), **workers)
    pairs = DataLoader(CatalogQueryPairs(dataset), batch_size=8, **workers)
    errors = [
        raised(MissingSplitError, root + "/nowhere", "train"),
        raised(MissingSplitError, root, "validation"),
        raised(IncompleteSplitError, copy, "train"),
    ]
    rows = len(DeepFashion2ImageTextDataset(copy, "train", strict=False))
    square = DeepFashion2ImageTextDataset(labelled, "train", modules, variant="square", labels=True)
    labels = [item for batch in DataLoader(square, **workers) for item in batch]
    shapes = sorted({(*item["mask"].shape, *item["landmarks"].shape) for item in labels})
    items = [item for batch in batches for item in batch] + labels
    of_workers = {name for item in items for name in item["image"]}
    of_workers |= {name for batch in pairs for pair in batch for name in pair["query"]["image"]}
    seen = {"rows": len(dataset), "copied": rows, "items": len(items), "errors": errors}
    seen |= {"labelled": len(square), "shapes": shapes}
    print(json.dumps(seen | {"modules": sorted(of_workers | {*modules()})}))
"""


def closure(names: Iterator[str], seen: dict[str, Distribution]) -> dict[str, Distribution]:
    """Return packages of the test environment, with everything that they need."""
    for name in map(canonicalize_name, names):
        if name not in seen:
            seen[name] = distribution(name)
            needs = (Requirement(line) for line in seen[name].requires or ())
            wanted = (one.name for one in needs if one.marker is None or one.marker.evaluate())
            closure(wanted, seen)
    return seen


def freeze(python: Path) -> list[str]:
    command = (sys.executable, "-m", "pip", "--python", str(python), "freeze", "--all")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an environment for training, with packages linked from the test environment.

    Importing its pandas fails: no code may need it.
    """
    folder = tmp_path_factory.mktemp("machine")
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", str(folder)), check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    linked = closure(iter(NEEDED), {}).values()
    tops = {(path.parts[0], one) for one in linked for path in one.files or ()}
    for top, package in dict(tops).items():
        if top not in ("..", "__pycache__"):
            (packages / top).symlink_to(str(package.locate_file(top)))
    name, version = OTHER_PANDAS.split("==")
    (packages / f"{name}.py").write_text("raise RuntimeError('the other pandas')\n")
    info = packages / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{name}.py,,\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of the project, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(PROJECT / "df2_assets", source / "df2_assets")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    subprocess.run((*pip, "--wheel-dir", str(folder), str(source)), check=True)
    (built,) = folder.glob("*.whl")
    return built


def copy_variant(sku_root: Path, whole: Path, target: Path) -> None:
    """Make labels and a variant of a copy of a build, then copy the files that its Dataset reads.

    They are those that docs/python.md lists.
    """
    shutil.copytree(sku_root, whole)
    roots = Roots(sku_root.parent / "df2", whole, "")
    write_labels(roots, "train")
    write_variants(roots, "train", "variants: {square: {square: pad, size: 32}}")
    own = "_df2_assets"
    for name in (
        "train_image_text.jsonl",
        f"{own}/state/train.json",
        f"{own}/tables/labels/train.jsonl",
        f"{own}/tables/crop_variants/square/train.jsonl",
    ):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(whole / name, target / name)
    shutil.copytree(whole / own / "variants/square/train", target / own / "variants/square/train")


def test_the_wheel_alone_trains_and_loads_nothing_of_the_platform(
    machine: Path, wheel: Path, sku_root: Path, tmp_path: Path
) -> None:
    before = freeze(machine)
    assert OTHER_PANDAS in before
    assert not any(line.lower().startswith(("dagster", "pyarrow", "click")) for line in before)
    pip = (sys.executable, "-m", "pip", "--python", str(machine), "install", "-q", "--no-index")
    subprocess.run((*pip, "--no-deps", str(wheel)), check=True)
    after = freeze(machine)
    assert [line for line in after if line not in before] == [
        line for line in after if re.match("df2-assets[= ]", line)
    ]
    assert set(before) <= set(after)

    script = tmp_path / "train.py"
    script.write_text(TRAINING)
    copy = tmp_path / "copy"
    shutil.copytree(sku_root / "train", copy / "train")
    shutil.copy(sku_root / "train_image_text.jsonl", copy)
    labelled = tmp_path / "labelled"
    copy_variant(sku_root, tmp_path / "whole", labelled)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = (machine, script, sku_root, copy, labelled)
    done = processes.run(tuple(map(str, command)), env, tmp_path)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["rows"] == seen["copied"] > 10
    assert seen["items"] >= 6
    assert (seen["labelled"], seen["shapes"]) == (seen["rows"], [[32, 32, 294, 3]])
    assert {"torch", "numpy", "PIL", "msgspec"} <= set(seen["modules"])
    assert PLATFORM & set(seen["modules"]) == set()
    nowhere, no_split, no_state = seen["errors"]
    assert f"no folder {sku_root}/nowhere" in nowhere
    assert "There is no split 'validation'" in no_split
    assert "it has train" in no_split
    assert "strict=False" in no_state

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

from df2_assets_tests.support import processes
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
    root, copy = sys.argv[1:]
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
    items = [item for batch in batches for item in batch]
    of_workers = {name for item in items for name in item["image"]}
    of_workers |= {name for batch in pairs for pair in batch for name in pair["query"]["image"]}
    seen = {"rows": len(dataset), "copied": rows, "items": len(items), "errors": errors}
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
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = processes.run((str(machine), str(script), str(sku_root), str(copy)), env, tmp_path)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["rows"] == seen["copied"] > 10
    assert seen["items"] >= 6
    assert {"torch", "numpy", "PIL", "msgspec"} <= set(seen["modules"])
    assert PLATFORM & set(seen["modules"]) == set()
    nowhere, no_split, no_state = seen["errors"]
    assert f"no folder {sku_root}/nowhere" in nowhere
    assert "There is no split 'validation'" in no_split
    assert "it has train" in no_split
    assert "strict=False" in no_state

"""Write constraints/pyXY.txt for the Python that runs this: `make constraints`.

A line has only a name and a version. It has no address, so that the file works with any index. pip
resolves the project with all extras as if nothing were installed, and installs nothing.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TORCH = "torch==2.13.0"
# GPU builds of torch pin their additional packages. CPU builds do not have them.
GPU_ONLY = re.compile(r"(nvidia|cuda|triton)(-|$)")


def extras() -> str:
    """Return the names of all extras of the project, with commas between them."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return ",".join(project["optional-dependencies"])


def resolve() -> dict[str, str]:
    """Return the version of each distribution that the project with all extras needs."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-I", str(PROJECT / "scripts" / "pip_install.py")]
        options = ["--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([*command, *options, f"{PROJECT}[{extras()}]", TORCH], check=True)
        packages = json.loads(report.read_text())["install"]
    versions = {}
    for entry in packages:
        name = re.sub(r"[-_.]+", "-", entry["metadata"]["name"]).lower()
        versions[name] = entry["metadata"]["version"].partition("+")[0]
    del versions["df2-assets"]
    return {name: versions[name] for name in sorted(versions) if not GPU_ONLY.match(name)}


def main() -> None:
    target = PROJECT / "constraints" / f"py{sys.version_info.major}{sys.version_info.minor}.txt"
    target.write_text("".join(f"{name}=={version}\n" for name, version in resolve().items()))


if __name__ == "__main__":
    main()

"""The Dockerfile without a container engine: its instructions, run in a folder.

`test_postgres.py` runs the services of compose.yaml.
"""

import os
import re
import shlex
import shutil
import site
import sys
from pathlib import Path

import pytest

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import PROJECT

VENV = "/opt/df2-assets"


def instructions(kind: str) -> list[str]:
    """Return the arguments of each instruction of a kind, with continued lines joined."""
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(rf"^{kind} (.*)$", text, flags=re.MULTILINE)


def copy_context(folder: Path) -> None:
    """Copy the files that `.dockerignore` lets into the image."""
    names = re.findall(r"^!(.*)$", (PROJECT / ".dockerignore").read_text(), flags=re.MULTILINE)
    for name in names:
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)


@pytest.mark.slow
def test_the_image_installs_the_project_from_what_it_is_given(tmp_path: Path) -> None:
    context, venv = tmp_path / "source", tmp_path / "venv"
    context.mkdir()
    copy_context(context)
    (install,) = (run for run in instructions("RUN") if "pip install" in run)
    arguments = dict(argument.split("=") for argument in instructions("ARG") if "=" in argument)
    environment = processes.environment(tmp_path / "home", **arguments, PIP_NO_DEPS=1)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment.pop("PYTHONPATH", None)

    done = processes.run(("sh", "-ec", install.replace(VENV, str(venv))), environment, context)
    assert done.returncode == 0, done

    # Its requirements are those of this environment, which `make install` takes as long for.
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "requirements.pth").write_text("\n".join(site.getsitepackages()))
    (command,) = instructions("CMD")
    program, *options = shlex.split(command.strip("[]").replace(",", " "))
    done = processes.run((str(venv / "bin" / program), *options), environment, tmp_path)
    assert done.returncode == 0, done
    assert "build" in done.stdout
    assert (packages / "df2_assets" / "py.typed").is_file()

"""Run `pip install` for the Python that runs this script, whatever pip is configured to do.

Only settings about the source of packages are kept: indexes, proxies, certificates, the cache.
Others, such as `user`, `target`, `prefix` and `no-deps`, are left out: they would also reach the
pip that builds the project, and options cannot prevent that. The same is true for PYTHONPATH.

Usage: .venv/bin/python -I scripts/pip_install.py -e '.[dev]'
"""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping

KEPT = (
    "cache-dir",
    "cert",
    "client-cert",
    "default-timeout",
    "extra-index-url",
    "find-links",
    "index-url",
    "keyring-provider",
    "no-cache-dir",
    "no-index",
    "proxy",
    "retries",
    "timeout",
    "trusted-host",
)
"""The options of pip to keep, by their names in a configuration file."""

SECTIONS = ("global", "install", ":env:")
"""The sections of the configuration. A later one takes precedence over an earlier one."""


def variable(option: str) -> str:
    return f"PIP_{option.upper().replace('-', '_')}"


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with only the kept settings of pip, and without settings of Python."""
    plain = {
        name: text
        for name, text in environment.items()
        if not name.startswith(("PIP_", "PYTHON")) or name in map(variable, KEPT)
    }
    files = {name: environment[name] for name in ("PIP_CONFIG_FILE",) if name in environment}
    listed = subprocess.run(
        (sys.executable, "-I", "-m", "pip", "config", "list"),
        # With `quiet`, pip would list nothing. With `user`, it would only list the user's own file.
        env=plain | files | {"PIP_QUIET": "0", "PIP_USER": "0"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    settings = {}
    for line in listed.splitlines():
        name, _, text = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in SECTIONS and option in KEPT:
            settings[SECTIONS.index(section), variable(option)] = ast.literal_eval(text)
    kept = {name: settings[section, name] for section, name in sorted(settings)}
    return plain | kept | {"PIP_CONFIG_FILE": os.devnull}


if __name__ == "__main__":
    quietly = ("-qq", "--disable-pip-version-check")
    command = (sys.executable, "-I", "-m", "pip", "install", *quietly, *sys.argv[1:])
    os.execve(sys.executable, command, clean(os.environ))

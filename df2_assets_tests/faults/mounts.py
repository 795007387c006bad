"""Mounts that only one command and its children see, and that disappear with it."""

import os
import shlex
import shutil
import subprocess

import pytest


def in_namespace(mount: tuple[str, ...], command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command with a mount. Skip the test if the machine does not allow that."""
    unshare = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "-m")
    trial = (*unshare, "mount", "-t", "tmpfs", "none", "/mnt")
    if not shutil.which("unshare") or subprocess.run(trial, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    return (*unshare, "sh", "-ec", f'{shlex.join(mount)}; exec "$@"', "sh", *command)

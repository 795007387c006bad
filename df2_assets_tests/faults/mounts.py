"""Mounts that only one command and its children see; they go when it ends."""

import os
import shlex
import shutil
import subprocess

import pytest


def in_namespace(mount: tuple[str, ...], command: tuple[str, ...]) -> tuple[str, ...]:
    """The command, with something mounted for it. Skips where the machine does not allow that."""
    unshare = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "-m")
    trial = (*unshare, "mount", "-t", "tmpfs", "none", "/mnt")
    if not shutil.which("unshare") or subprocess.run(trial, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    return (*unshare, "sh", "-ec", f'{shlex.join(mount)}; exec "$@"', "sh", *command)

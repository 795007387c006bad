"""A page opened in a browser, where the machine has one that shows windows."""

import os
import shlex
import shutil
import subprocess
import sys
from typing import Final

_PATIENCE: Final = 3.0
"""Seconds in which a command that cannot open a page says so; one that shows it may stay."""

_GRAPHICAL: Final = "x-www-browser:firefox:chromium:google-chrome"
"""What xdg-open tries where no desktop says what to use: without browsers for the terminal."""


def open_page(url: str) -> bool:
    """Open `url` in a graphical browser; return whether a command took it. Prints nothing.

    The command is `BROWSER` where that is set (as in terminals of VS Code), `open` on macOS,
    `wslview` in WSL, and `xdg-open` where there is a display. Browsers for the terminal are not
    tried: they would take over the one that the command runs in.
    """
    command = _opener()
    if command is None:
        return False
    try:
        process = subprocess.Popen(
            [*command, url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"BROWSER": _GRAPHICAL} | os.environ,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return process.wait(_PATIENCE) == 0
    except subprocess.TimeoutExpired:
        process.returncode = 0  # else Python complains that nobody waits for it
        return True


def _opener() -> list[str] | None:
    if chosen := os.environ.get("BROWSER"):
        return shlex.split(chosen.split(os.pathsep)[0])
    if sys.platform == "darwin":
        return ["open"]
    if shutil.which("wslview"):
        return ["wslview"]
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return ["xdg-open"] if has_display else None

"""Opening pages in a browser, on machines that have one with windows."""

import os
import shlex
import shutil
import subprocess
import sys
from typing import Final

_PATIENCE: Final = 3.0
"""Seconds after which a command that is still running counts as showing the page."""

_GRAPHICAL: Final = "x-www-browser:firefox:chromium:google-chrome"
"""The browsers that xdg-open tries without a desktop: none of them runs in the terminal."""


def open_page(url: str) -> bool:
    """Open `url` in a graphical browser; return whether that worked. Prints nothing.

    The browser is the command in `BROWSER` (which VS Code sets in its terminals), `open` on macOS,
    `wslview` in WSL, or else `xdg-open` if there is a display. Text browsers are not tried: they
    would take over the terminal that the command runs in.
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
        process.returncode = 0  # otherwise Python warns that nobody waits for it
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

"""A disk that fills up, without a mount: from some moment on, a process cannot create files."""

import errno
import os
import sys
from pathlib import Path

SITECUSTOMIZE = "from df2_assets_tests.faults import full_disk\nfull_disk.install()\n"


def environment(folder: Path, disk: Path, after: int) -> dict[str, str]:
    """Return variables that make Python fail with ENOSPC under `disk`, from call `after` on.

    `folder` is put before other places that Python imports from.
    """
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
    return {"PYTHONPATH": path, "FULL_DISK": str(disk), "FULL_DISK_AFTER": str(after)}


def install() -> None:
    """Watch the accesses of this process to the disk that the environment names."""
    disk, left = os.environ["FULL_DISK"], int(os.environ["FULL_DISK_AFTER"])

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event == "open" and isinstance(arguments[2], int):
            needs_room = bool(arguments[2] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR))
        else:
            needs_room = event in ("os.mkdir", "os.rename")
        if needs_room and str(arguments[0]).startswith(disk):
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))

    sys.addaudithook(watch)

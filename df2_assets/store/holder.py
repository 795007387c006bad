"""Who holds a split for writing, as a lock says it."""

import os
import platform
from datetime import datetime

import msgspec

from df2_assets.errors import BusyError


class Holder(msgspec.Struct):
    """Process, machine, Dagster run, and since when (ISO 8601)."""

    pid: int
    host: str
    run_id: str
    since: str

    def __str__(self) -> str:
        return f"by process {self.pid} on {self.host} since {self.since} (run {self.run_id[:8]})"


def this_process(run_id: str) -> Holder:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return Holder(os.getpid(), platform.node(), run_id, now)


def busy(split: str, holder: Holder | None, remedy: str = "wait for it, or stop it") -> BusyError:
    """What is said to the one that comes second."""
    return BusyError(f"{split} is being built {holder or 'by another process'}: {remedy}.")

"""The lock of a split: one writer on a machine or, in an object store, on all machines."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from df2_assets.errors import OutputError, RootsError
from df2_assets.store.layout import Roots
from df2_assets.store.lease import Holder


@contextmanager
def writer(roots: Roots, split: str, run_id: str) -> Iterator[None]:
    """Lock a split for writing while the block runs.

    Raises BusyError, which names the holder, if another process has locked it. Raises RootsError if
    a link under SKU_ROOT would move the project's own files elsewhere.
    """
    try:
        for folder, is_deep in roots.own_folders().items():
            roots.sku.require_no_links(folder, deep=is_deep)
    except OutputError as error:
        raise RootsError(str(error)) from None
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    holder = Holder(os.getpid(), platform.node(), run_id, now)
    with roots.sku.hold(roots.lock(split), split, holder):
        yield

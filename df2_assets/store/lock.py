"""One writer per split: on one machine or, in an object store, over all machines."""

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
    """Hold `split` for writing. Raises BusyError, naming the holder, where another does.

    Raises RootsError where a link under SKU_ROOT leads the project's own files elsewhere.
    """
    try:
        for folder, is_deep in roots.own_folders().items():
            roots.sku.require_no_links(folder, deep=is_deep)
    except OutputError as problem:
        raise RootsError(str(problem)) from None
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    holder = Holder(os.getpid(), platform.node(), run_id, now)
    with roots.sku.hold(roots.lock(split), split, holder):
        yield

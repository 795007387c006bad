"""Builds of bad input, compared with the independent reading, and the smallest input that fails."""

import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from df2_assets.engines.local import LocalEngine
from df2_assets.settings import Settings
from df2_assets_tests.support import oracle, processes
from df2_assets_tests.support.builder import DataSet, item, jpeg
from df2_assets_tests.support.compare import assert_same_output, assert_same_refusals, refused
from df2_assets_tests.support.engines import build_with
from df2_assets_tests.support.run import read_table

SPLIT: Final = "train"
KEPT: Final = Path(__file__).parent / "kept"
_TRIES: Final = 80

SIZE: Final = (70, 60)
TOP: Final = item(1, 1, [5, 5, 40, 50])
TROUSERS: Final = item(8, 2, [10, 8, 68, 58])
IN_A_PAIR: Final = 10


def plant(data: DataSet, kind: str, cases: Sequence[bytes]) -> None:
    """Write each case as one of the `annotations` or `images`, ten per pair.

    Each pair also has a good shop image and a good user image.
    """
    items: dict[int | str, Any] = {1: TOP, 2: TROUSERS}
    for number, case in enumerate(cases):
        pair, place = divmod(number, IN_A_PAIR)
        first = pair * (IN_A_PAIR + 2) + 1
        if place == 0:
            for good, source in ((first, "shop"), (first + 1, "user")):
                data.raw_image(SPLIT, good, jpeg(SIZE))
                data.annotation(SPLIT, good, source, pair + 1, items)
        image = first + 2 + place
        if kind == "images":
            data.raw_image(SPLIT, image, case)
            data.annotation(SPLIT, image, "user", pair + 1, items)
        else:
            data.raw_image(SPLIT, image, jpeg(SIZE))
            data.raw_annotation(SPLIT, image, case)


class Measured(LocalEngine):
    """An engine that measures the most memory of one of its workers, in bytes.

    The figure is complete when the engine is closed.
    """

    peak = 0

    def close(self) -> None:
        self.peak = max(self.peak, *map(_peak, processes.workers(os.getpid())), 0)
        super().close()


def _peak(pid: int) -> int:
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 1024 * int(found[1]) if found else 0


def assert_agreement(data: DataSet, folder: Path) -> int:
    """Build `data` below `folder`, and compare refusals and output with the independent reading.

    Returns the most memory of a worker, in bytes. `dataset/test_jpegs.py` tests that damage is
    found in damaged data only: the independent reading takes the result as given.
    """
    built, expected = folder / "built", folder / "expected"
    settings = Settings(df2_root=data.root, sku_root=str(built), max_refused=1.0)
    with closing(Measured(2)) as engine:
        run = build_with(engine, settings, SPLIT)
    assert run.success, run.problems
    assert not run.failed, run.failed
    table = read_table(built, "refusals", SPLIT)
    damaged = table["image_id"][table["detail"].str.startswith("its data are damaged: ")]
    images = {f"{SPLIT}/image/{image_id}.jpg" for image_id in damaged}
    refusals = oracle.build(data.root, expected, (SPLIT,), images)
    assert_same_refusals(refused(table), Counter(refusals))
    assert [text for text in table["detail"] if not (text.isascii() and text.isprintable())] == []
    assert_same_output(built, expected)
    return engine.peak


def assert_all_agree(kind: str, cases: Sequence[bytes]) -> int:
    """Apply `assert_agreement` to a data set of all `cases`. Keep the smallest one that fails."""
    try:
        return _try(kind, cases)
    except AssertionError as failure:
        smallest = _smallest(kind, cases)
        if smallest is None:
            raise
        (KEPT / kind).mkdir(parents=True, exist_ok=True)
        path = KEPT / kind / hashlib.sha256(smallest).hexdigest()[:12]
        path.write_bytes(smallest)
        raise AssertionError(f"{failure}\nThe smallest input that fails is kept: {path}") from None


def kept(kind: str) -> list[bytes]:
    """Return the inputs that once failed."""
    return [path.read_bytes() for path in sorted((KEPT / kind).iterdir())]


def _try(kind: str, cases: Sequence[bytes]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        data = DataSet(Path(folder) / "df2")
        plant(data, kind, cases)
        return assert_agreement(data, Path(folder))


def _smallest(kind: str, cases: Sequence[bytes]) -> bytes | None:
    """Return one of `cases` that fails alone, without unneeded parts; None if none does."""
    tries = _TRIES

    def fails(part: Sequence[bytes]) -> bool:
        nonlocal tries
        tries -= 1
        try:
            _try(kind, part)
        except AssertionError:
            return True
        return False

    while len(cases) > 1:
        half = len(cases) // 2
        cases = next((part for part in (cases[:half], cases[half:]) if fails(part)), ())
    if not cases:
        return None
    data, step = cases[0], len(cases[0]) // 2
    while step and tries > 0:
        start = 0
        while start < len(data) and tries > 0:
            shorter = data[:start] + data[start + step :]
            if fails([shorter]):
                data = shorter
            else:
                start += step
        step //= 2
    return data

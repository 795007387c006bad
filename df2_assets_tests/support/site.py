"""A small data set with known crops, its build, and changes to both."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from df2_assets.cli.runs import Outcome
from df2_assets.definitions import build_defs
from df2_assets.settings import Settings
from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets_tests.support import oracle, processes
from df2_assets_tests.support.builder import DataSet, Item, item
from df2_assets_tests.support.run import BuildResult, build
from df2_assets_tests.support.snapshots import contract

SPLIT = "train"
SIZE = (160, 120)
TOP: Item = item(1, 1, [5, 5, 70, 100])
TROUSERS: Item = item(8, 2, [60, 10, 150, 110])
PAIRS = (1, 2, 3)
CROPS = 15
DECODED = 9
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

SHOP_TOP = "catalog/000001_01_01/000011_item1.jpg"
SHOP_TROUSERS = "catalog/000001_02_08/000011_item2.jpg"
USER_TOP = "query/000001_01_01/000012_item1.jpg"
USER_TROUSERS = "query/000001_02_08/000012_item3.jpg"
OTHER_TOP = "query/000001_01_01/000013_item2.jpg"
"""The crops of pair 1. Those of pairs 2 and 3 are similar."""


class Site(NamedTuple):
    """A data set and its build."""

    data: DataSet
    sku: Path

    def build(self) -> Outcome:
        return only(build(self.data.root, self.sku, workers=1))

    @property
    def settings(self) -> Settings:
        return Settings(df2_root=self.data.root, sku_root=str(self.sku), workers=1)

    def environment(self, **settings: object) -> dict[str, str]:
        """Return the environment of a command that builds here, with its own DAGSTER_HOME."""
        ours = {"DF2_ROOT": self.data.root, "SKU_ROOT": self.sku, "SPLITS": SPLIT, "DF2_WORKERS": 1}
        return processes.environment(self.sku.with_name("home"), **(ours | settings))

    @property
    def roots(self) -> Roots:
        return self.settings.roots

    @property
    def complete(self) -> bool:
        return state.load(self.roots, SPLIT).complete

    def crop(self, path: str) -> Path:
        return self.sku / SPLIT / path

    def image(self, image: int) -> Path:
        return self.data.root / SPLIT / "image" / f"{image:06d}.jpg"

    def annotation(self, image: int) -> Path:
        return self.data.root / SPLIT / "annos" / f"{image:06d}.json"

    def describe(self, image: int, items: dict[int | str, Any], **fields: Any) -> None:
        """Annotate an image of pair 1, 2 or 3.

        The first is from the shop, the others from users.
        """
        source = "shop" if image % 10 == 1 else "user"
        said = {"source": source, "pair_id": image // 10} | fields
        self.data.annotation(SPLIT, image, said["source"], said["pair_id"], items)

    def add_image(self) -> None:
        """Add a user image to pair 1."""
        self.data.image(SPLIT, 14, SIZE)
        self.describe(14, {1: TOP})

    def copy(self, folder: Path) -> "Site":
        """Copy data set and output to another folder, with all sizes and times."""
        shutil.copytree(self.data.root, folder / "df2")
        shutil.copytree(self.sku, folder / "sku")
        return Site(DataSet(folder / "df2"), folder / "sku")

    def clean_build(self) -> dict[str, bytes | None]:
        """Return the bytes of a build from scratch."""
        fresh = self.sku.with_name("fresh")
        only(build(self.data.root, fresh, workers=1))
        return contract(fresh)

    def read_independently(self) -> Path:
        """Return the result of an independent reading of the data set."""
        fresh = self.sku.with_name("fresh")
        oracle.build(self.data.root, fresh, [SPLIT])
        return fresh

    def materialize(self, *assets: str) -> str | None:
        """Materialize some assets of the split alone, as in the UI.

        Return the error, if it fails.
        """
        job = build_defs(self.settings).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(
                run_config=QUIET,
                instance=instance,
                partition_key=SPLIT,
                asset_selection=[dg.AssetKey(asset) for asset in assets],
                raise_on_error=False,
            )
        return None if result.success else _root_cause(result)


def write_and_build(folder: Path) -> Site:
    """Write and build three pairs of two SKUs each, and an image that no SKU needs."""
    site = Site(DataSet(folder / "df2"), folder / "sku")
    for first in (10 * pair for pair in PAIRS):
        for image in (first + 1, first + 2, first + 3):
            site.data.image(SPLIT, image, SIZE)
        site.describe(first + 1, {1: TOP, 2: TROUSERS})
        site.describe(first + 2, {1: TOP, 3: TROUSERS})
        site.describe(first + 3, {2: TOP})
    site.data.image(SPLIT, 41, SIZE)
    site.describe(41, {1: TOP | {"style": 0}})
    made = site.build().numbers["crops"]
    assert (made["added"], made["images_decoded"]) == (CROPS, DECODED)
    return site


def only(result: BuildResult) -> Outcome:
    """Return the only run of a build, which has succeeded."""
    assert result.success, result.problems
    (run,) = result.runs
    return run


@contextmanager
def unreadable(data: DataSet, *, but: Iterable[int] = ()) -> Iterator[None]:
    """Temporarily corrupt the source files in a way that only opening them reveals."""
    spared = {f"{image:06d}" for image in but}
    paths = [path for path in (data.root / SPLIT).glob("*/*") if path.stem not in spared]
    kept = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    try:
        for path, (content, mtime_ns) in kept.items():
            _rewrite(path, b"\0" * len(content), mtime_ns)
        yield
    finally:
        for path, (content, mtime_ns) in kept.items():
            _rewrite(path, content, mtime_ns)


def touch(path: Path) -> None:
    """Set another time of a file, and keep its bytes."""
    _rewrite(path, path.read_bytes(), path.stat().st_mtime_ns + 1_000_000_007)


def _rewrite(path: Path, content: bytes, mtime_ns: int) -> None:
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def _root_cause(result: dg.ExecuteInProcessResult) -> str:
    failure = next(event for event in result.all_events if event.is_failure)
    error = getattr(failure.event_specific_data, "error", None)
    assert error is not None
    while error.cause is not None:
        error = error.cause
    message: str = error.message
    return message.strip()

"""What assets are given to work with: the roots, an engine, progress, and the right to write."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg
from pydantic import Field, PrivateAttr

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.engines import progress
from df2_assets.engines.base import Engine
from df2_assets.engines.local import LocalEngine
from df2_assets.errors import SettingsError
from df2_assets.ownership import PARTITION_TAG, fail_abandoned
from df2_assets.settings import EngineName, make_roots
from df2_assets.store.layout import Roots, refuse_dangerous
from df2_assets.store.lock import writer


class DataRoots(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the input is and the output goes."""

    df2_root: str = Field(description="The unpacked DeepFashion2: train/, validation/, test/.")
    sku_root: str = Field(description="Where crops, metadata and prompts go.")

    @property
    def roots(self) -> Roots:
        """The two folders. Raises RootsError where writing could destroy something."""
        roots = make_roots(self.df2_root, self.sku_root)
        refuse_dangerous(roots)
        return roots


class SplitWriter(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Holds the run's split for writing, from the run's first step to its last."""

    data: DataRoots

    @property
    def roots(self) -> Roots:
        return self.data.roots

    @contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Generator["SplitWriter", None, None]:
        """Raises BusyError, naming the holder, where another run holds the split."""
        run = context.run
        split = run.tags.get(PARTITION_TAG) if run else None
        if run is None or split not in SPLITS:
            yield self
            return
        with writer(self.data.roots, split, run.run_id):
            if context.instance is not None:
                fail_abandoned(context.instance, split)
            yield self


class EngineChoice(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where shards run."""

    kind: EngineName = Field("local", description="local: processes of this machine.")
    workers: int = Field(0, description="How many shards run at once; 0: one a core.")

    _engine: Engine | None = PrivateAttr(default=None)

    def start(self) -> Engine:
        """The engine, its workers not started yet. Raises SettingsError."""
        if not 0 <= self.workers <= 1024:
            raise SettingsError(f"workers is {self.workers}: give 0 (one a core) to 1024.")
        if self._engine is None:
            self._engine = LocalEngine(self.workers or None)
        return self._engine

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """No worker outlives the run."""
        if self._engine is not None:
            self._engine.close()


class ProgressChoice(dg.ConfigurableResource):  # type: ignore[type-arg]
    """How a step shows how far it is."""

    terminal: bool = Field(default=False, description="A bar on the terminal, not lines.")

    def of(self, log: dg.DagsterLogManager) -> progress.Progress:
        return progress.bar if self.terminal else progress.lines(log.info)


class Limits(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What a data set may have wrong with it and still be built."""

    max_refused: float = Field(
        0.01, description="Share of images, and of items, that may be refused (at least 2 may)."
    )

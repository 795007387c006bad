"""What assets are given to work with: the roots, an engine, progress, and the right to write."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import Field, PrivateAttr

from df2_assets.dataset.prompts import Variant
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.runs.liveness import PARTITION_TAG, fail_abandoned, own_tags
from df2_assets.engines import progress
from df2_assets.engines.base import Engine
from df2_assets.engines.make import make, require_usable
from df2_assets.errors import SettingsError
from df2_assets.settings import MAX_DAYS, MAX_WORKERS, EngineName, make_roots, read_variants
from df2_assets.store import tables
from df2_assets.store.layout import Roots, require_safe_roots
from df2_assets.store.lock import writer


class DataRoots(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the input is and the output goes."""

    df2_root: str = Field(description="The unpacked DeepFashion2: train/, validation/, test/.")
    sku_root: str = Field(description="Where crops, metadata and prompts go.")

    @property
    def roots(self) -> Roots:
        """The two folders. Raises RootsError where writing could destroy something."""
        roots = make_roots(self.df2_root, self.sku_root)
        require_safe_roots(roots)
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
        """Raises BusyError, naming the holder, where another run holds the split.

        Raises NewerReleaseError where it was built by a newer release.
        """
        run = context.run
        split = run.tags.get(PARTITION_TAG) if run else None
        if run is None or split not in SPLITS:
            yield self
            return
        tables.refuse_newer(self.data.roots, split)
        with writer(self.data.roots, split, run.run_id):
            if context.instance is not None:
                context.instance.add_run_tags(run.run_id, own_tags())
                fail_abandoned(context.instance, split)
            yield self


class EngineChoice(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where shards run."""

    kind: EngineName = Field(
        "local",
        description="local: processes of this machine. ray: a Ray cluster. serial: the run's own "
        "process, one shard after the other.",
    )
    workers: int = Field(0, description="How many shards run at the same time; 0: one per core.")
    address: str = Field(
        default="",
        description="Of the Ray cluster, host:port or ray://host:port; empty: on this machine.",
    )

    _engine: Engine | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raises SettingsError before the run's first step."""
        if not 0 <= self.workers <= MAX_WORKERS:
            raise SettingsError(
                f"engine.workers is {self.workers}: give 0 (one per core) to {MAX_WORKERS}."
            )
        require_usable(self.kind, self.address)

    def start(self) -> Engine:
        """Return the run's engine, its workers not started yet."""
        if self._engine is None:
            self._engine = make(self.kind, self.workers or None, self.address)
        return self._engine

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """No worker outlives the run."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


class ProgressChoice(dg.ConfigurableResource):  # type: ignore[type-arg]
    """How a step shows how far it is."""

    terminal: bool = Field(default=False, description="A bar on the terminal, not lines.")

    def of(self, log: dg.DagsterLogManager) -> progress.Progress:
        return progress.bar if self.terminal else progress.lines(log.info)


class PromptTemplates(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What a crop is said to show, beside the contract's `text`."""

    file: str = Field("", description="A YAML file with templates of further prompts, if any.")

    _variants: tuple[Variant, ...] = PrivateAttr(default=())

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raises TemplatesError before the run's first step."""
        self._variants = read_variants(Path(self.file).expanduser() if self.file else None)

    @property
    def variants(self) -> tuple[Variant, ...]:
        return self._variants


class Limits(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What a data set may have wrong with it and still be built."""

    max_refused: float = Field(
        0.01, description="Share of images, and of items, that may be refused (at least 2 may)."
    )
    max_age_days: float = Field(
        7.0, description="Days after its last build from which a split is not fresh any more."
    )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raises SettingsError before the run's first step."""
        if not 0 <= self.max_refused <= 1:
            raise SettingsError(
                f"limits.max_refused is {self.max_refused}: give a share from 0 to 1."
            )
        if not 0 < self.max_age_days <= MAX_DAYS:
            raise SettingsError(
                f"limits.max_age_days is {self.max_age_days}: give days, up to {MAX_DAYS}."
            )

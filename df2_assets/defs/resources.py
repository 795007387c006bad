"""What assets are given to work with: the roots, an engine, progress, and the right to write."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr, ValidationError

from df2_assets.dataset.prompts import Variant
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.failures import explained
from df2_assets.defs.runs.liveness import PARTITION_TAG, fail_abandoned, own_tags
from df2_assets.engines import progress
from df2_assets.engines.base import Engine
from df2_assets.engines.make import make_engine, require_usable
from df2_assets.pipeline.declared import Declared, declared
from df2_assets.settings import FIELDS, EngineName, Settings, settings_error
from df2_assets.store import tables
from df2_assets.store.declaration import save as save_declaration
from df2_assets.store.layout import Roots, require_safe_roots
from df2_assets.store.lock import writer


def _setting(name: str, absent: object = None) -> Any:
    """Return the field of run config that stands for a setting; `absent` stands for None."""
    field = FIELDS[name]
    default = absent if field.default is None else field.default
    if isinstance(default, Path):
        default = str(default)
    return Field(default=default, description=field.description, title=name)


class SettingsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Some of the settings, as the launchpad shows them and may change them for a run."""

    @classmethod
    def values(cls, settings: Settings) -> dict[str, Any]:
        """Return the fields as `settings` have them. Run config knows neither paths nor None."""
        given = {name: getattr(settings, setting) for name, setting in cls._settings().items()}
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in given.items()
            if value is not None
        }

    def applied(self, key: str, settings: Settings | None = None) -> Settings:
        """Return `settings`, by default the defaults, with these; `key` is the resource's.

        Raises SettingsError, or RootsError for a root.
        """
        names = self._settings()
        given: dict[str, Any] = {}
        for name, setting in names.items():
            value = getattr(self, name)
            given[setting] = None if FIELDS[setting].default is None and not value else value
        try:
            return replace(settings or Settings(), **given)
        except ValidationError as error:
            where = {setting: f"{key}.{name}" for name, setting in names.items()}
            raise settings_error(error, where) from None

    @classmethod
    def _settings(cls) -> dict[str, str]:
        """The setting that each field stands for, by the field's name."""
        return {name: field.title for name, field in cls.model_fields.items() if field.title}


class DataRoots(SettingsResource):
    """Where the input is and the output goes."""

    df2_root: str = _setting("df2_root")
    sku_root: str = _setting("sku_root")
    base: dg.ResourceDependency[Settings]

    @property
    def settings(self) -> Settings:
        """The settings of the run: those of the code location, with the launchpad's roots."""
        return self.applied("data", self.base)

    @property
    def roots(self) -> Roots:
        """The two folders. Raises RootsError where writing could destroy something."""
        roots = self.settings.roots
        require_safe_roots(roots)
        return roots


class SplitWriter(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Holds the run's split for writing, from the run's first step to its last."""

    data: DataRoots

    @property
    def roots(self) -> Roots:
        return self.data.roots

    @property
    def settings(self) -> Settings:
        return self.data.settings

    @contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Generator["SplitWriter", None, None]:
        """Raises Failure where another run holds the split, or a newer release has built it."""
        run = context.run
        split = run.tags.get(PARTITION_TAG) if run else None
        if run is None or split not in SPLITS:
            yield self
            return
        with explained():
            tables.require_known_format(self.data.roots, split)
            with writer(self.data.roots, split, run.run_id):
                if context.instance is not None:
                    context.instance.add_run_tags(run.run_id, own_tags(run.run_id))
                    fail_abandoned(context.instance, split)
                yield self


class EngineChoice(SettingsResource):
    """Where shards run."""

    kind: EngineName = _setting("engine")
    workers: int = _setting("workers", absent=0)
    address: str = _setting("ray_address")

    _engine: Engine | None = PrivateAttr(default=None)

    @explained()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raises Failure before the run's first step."""
        self.applied("engine")
        require_usable(self.kind, self.workers or None, self.address)

    def start(self) -> Engine:
        """Return the run's engine, its workers not started yet."""
        if self._engine is None:
            self._engine = make_engine(self.kind, self.workers or None, self.address)
        return self._engine

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """No worker outlives the run."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


class ProgressChoice(dg.ConfigurableResource):  # type: ignore[type-arg]
    """How a step shows how far it is."""

    terminal: bool = Field(
        default=False, description="Whether progress is a bar on the terminal instead of lines."
    )

    def of(self, log: dg.DagsterLogManager) -> progress.Progress:
        return progress.bar if self.terminal else progress.lines(log.info)


class PromptTemplates(SettingsResource):
    """What a crop is said to show, beside the contract's `text`."""

    file: str = _setting("prompts", absent="")
    data: DataRoots

    _declared: Declared = PrivateAttr()

    @explained()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raises Failure before the run's first step."""
        self._declared = declared(self.applied("prompts", self.data.settings))
        is_build = context.run is not None and PARTITION_TAG in context.run.tags
        if is_build and self._declared.is_first:
            self.remember()

    @property
    def variants(self) -> tuple[Variant, ...]:
        return self._declared.declaration.variants

    @property
    def kept(self) -> dict[str, str]:
        """Metadata that says so where the prompts are those of earlier builds."""
        return {"kept": self._declared.kept} if self._declared.kept else {}

    def remember(self) -> None:
        """Record the prompts as those of the data set from now on."""
        if self._declared.matters:
            save_declaration(self.data.roots, self._declared.declaration)


class Limits(SettingsResource):
    """What checks let pass: how much of a split may be refused, and how old its build may be."""

    max_refused: float = _setting("max_refused")
    max_age_days: float = _setting("max_age_days")

    @explained()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raises Failure before the run's first step."""
        self.applied("limits")


def make_resources(settings: Settings) -> dict[str, Any]:
    """Return every resource but the IO manager, by its base name, as `settings` have it."""
    data = DataRoots.configure_at_launch(base=settings, **DataRoots.values(settings))
    return {
        "data": data,
        "output": SplitWriter(data=data),
        "engine": EngineChoice(**EngineChoice.values(settings)),
        "progress": ProgressChoice(),
        "prompts": PromptTemplates(data=data, **PromptTemplates.values(settings)),
        "limits": Limits(**Limits.values(settings)),
    }

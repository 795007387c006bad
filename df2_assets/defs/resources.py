"""The resources of runs: roots, the lock of a split, engine, progress, SKUs, prompts and so on."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr, ValidationError

from df2_assets.dataset.prompts import Texts
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.dataset.variants import CropVariant
from df2_assets.defs.failures import convert_errors
from df2_assets.defs.runs.liveness import PARTITION_TAG, fail_abandoned, own_tags
from df2_assets.embeddings.encoders import Encoder, resolve_encoder
from df2_assets.engines import progress
from df2_assets.engines.base import Engine
from df2_assets.engines.make import make_engine, require_usable
from df2_assets.pipeline.declared import (
    Declared,
    DeclaredVariants,
    read_declared,
    read_declared_variants,
    read_only_pairs,
)
from df2_assets.settings import FIELDS, EngineName, Settings, settings_error
from df2_assets.store import tables
from df2_assets.store.declaration import load_only_pairs
from df2_assets.store.declaration import save as save_declaration
from df2_assets.store.layout import Roots, require_safe_roots
from df2_assets.store.lock import writer
from df2_assets.store.state import is_built


def _setting(name: str, absent: object = None) -> Any:
    """Return the run config field of a setting. `absent` replaces a default of None."""
    field = FIELDS[name]
    default = absent if field.default is None else field.default
    if isinstance(default, Path):
        default = str(default)
    return Field(default=default, description=field.description, title=name)


class SettingsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings that the launchpad shows, and that can be changed there for one run."""

    @classmethod
    def values(cls, settings: Settings) -> dict[str, Any]:
        """Return run config with the values of `settings`. It has neither paths nor None."""
        values = {name: getattr(settings, setting) for name, setting in cls._settings().items()}
        return {
            name: str(value) if cls.model_fields[name].annotation is str else value
            for name, value in values.items()
            if value is not None
        }

    def apply_to(self, settings: Settings, key: str) -> Settings:
        """Return `settings` with the values of this resource.

        Messages name the fields below `key`, the key of this resource. Raises SettingsError, or
        RootsError for a root.
        """
        names = self._settings()
        values: dict[str, Any] = {}
        for name, setting in names.items():
            value = getattr(self, name)
            is_absent = FIELDS[setting].default is None and not value and value is not False
            values[setting] = None if is_absent else value
        try:
            return replace(settings, **values)
        except ValidationError as error:
            where = {setting: f"{key}.{name}" for name, setting in names.items()}
            raise settings_error(error, where) from None

    @classmethod
    def _settings(cls) -> dict[str, str]:
        """Return the name of the setting of each field, by the name of the field."""
        return {name: field.title for name, field in cls.model_fields.items() if field.title}


class DataRoots(SettingsResource):
    """The input folder and the output folder."""

    df2_root: str = _setting("df2_root")
    sku_root: str = _setting("sku_root")
    base: dg.ResourceDependency[Settings]

    @property
    def settings(self) -> Settings:
        """The settings of the code location, with the roots that the launchpad has."""
        return self.apply_to(self.base, "data")

    @property
    def roots(self) -> Roots:
        """The two folders. Raises RootsError if writing could destroy something."""
        roots = self.settings.roots
        require_safe_roots(roots)
        return roots


class SplitWriter(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The right to write to the split of a run, held from the first step to the last."""

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
        """Lock the split. Raises Failure if another run holds it, or a newer release built it."""
        run = context.run
        split = run.tags.get(PARTITION_TAG) if run else None
        if run is None or split not in SPLITS:
            yield self
            return
        with convert_errors():
            tables.require_known_format(self.data.roots, split)
            with (
                writer(self.data.roots, split, run.run_id),
                tables.shared(self.data.roots, split),
            ):
                if context.instance is not None:
                    context.instance.add_run_tags(run.run_id, own_tags(run.run_id))
                    fail_abandoned(context.instance, split)
                yield self


class EngineChoice(SettingsResource):
    """The engine, which runs the shards of a step, and its number of workers."""

    kind: EngineName = _setting("engine")
    workers: int = _setting("workers", absent=0)
    address: str = _setting("ray_address")

    _engine: Engine | None = PrivateAttr(default=None)

    @convert_errors()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raise Failure before the first step of a run if the engine cannot be used."""
        self.apply_to(Settings(), "engine")
        require_usable(self.kind, self.workers or None, self.address)

    def start(self) -> Engine:
        """Return the engine of the run. Its workers start with the first shards."""
        if self._engine is None:
            self._engine = make_engine(self.kind, self.workers or None, self.address)
        return self._engine

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the engine, so that no worker outlives the run."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


class EncoderChoice(SettingsResource):
    """The encoder of the embeddings."""

    name: str = _setting("encoder")

    @convert_errors()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raise Failure before the first step of a run if there is no such encoder."""
        self.resolve()

    def resolve(self) -> Encoder:
        """Return the encoder. Its model is loaded when it is first called."""
        return resolve_encoder(self.apply_to(Settings(), "encoder").encoder)


class ProgressChoice(dg.ConfigurableResource):  # type: ignore[type-arg]
    """How steps show their progress."""

    terminal: bool = Field(
        default=False,
        description="Show a progress bar on the terminal instead of lines in the log.",
    )

    def of(self, log: dg.DagsterLogManager) -> progress.Progress:
        """Return the progress of a step that logs to `log`."""
        return progress.bar if self.terminal else progress.lines(log.info)


class ExportChoice(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Which files the exports of a run have, and with which vectors they are made."""

    variant: str = Field(
        default="",
        description="The crop variant whose files the exports have; empty: the crops themselves.",
    )
    encoder: str = Field(
        default="",
        description="The encoder by whose vectors `pairs` has nearest negatives; empty: none.",
    )


class SkuSelection(SettingsResource):
    """Which SKUs are kept: only those with both domains, or those with one as well."""

    only_pairs: bool | None = _setting("only_pairs")
    data: DataRoots

    _only_pairs: bool = PrivateAttr()
    _note: str | None = PrivateAttr()

    @convert_errors()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Read what the data set inherits if the setting is absent.

        A new data set records its choice before the first step, so that it also holds for the build
        after one that is stopped.
        """
        self._only_pairs, self._note = read_only_pairs(self.apply_to(self.data.settings, "skus"))
        is_build = context.run is not None and PARTITION_TAG in context.run.tags
        if is_build and not any(is_built(self.data.roots, split) for split in SPLITS):
            self.choose()

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata that says whether the choice is that of an earlier build."""
        return {"kept": self._note} if self._note else {}

    def choose(self) -> bool:
        """Return whether SKUs with one domain are left out, and record that for later builds."""
        if self._only_pairs != load_only_pairs(self.data.roots):
            save_declaration(self.data.roots, only_pairs=self._only_pairs)
        return self._only_pairs


class PromptTemplates(SettingsResource):
    """What decides the texts in addition to the `text` of the contract."""

    file: str = _setting("prompts", absent="")
    sku_token: str = _setting("sku_token", absent="")
    captions: str = _setting("captions", absent="")
    data: DataRoots

    _declared: Declared = PrivateAttr()

    @convert_errors()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raise Failure before the first step of a run if a file of texts cannot be used."""
        self._declared = read_declared(self.apply_to(self.data.settings, "prompts"))
        is_build = context.run is not None and PARTITION_TAG in context.run.tags
        if is_build and self._declared.is_first:
            self.remember()

    @property
    def texts(self) -> Texts:
        return self._declared.texts

    @property
    def captions_file(self) -> str | None:
        """The path of the file of captions, if there are any."""
        return self._declared.declaration.captions_file

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata that says which texts are those of an earlier build."""
        return {"kept": "\n".join(self._declared.notes)} if self._declared.notes else {}

    def remember(self) -> None:
        """Record the texts as those of the data set."""
        if self._declared.matters:
            save_declaration(self.data.roots, **self._declared.settings)


class CropVariants(SettingsResource):
    """The crop variants that are declared."""

    file: str = _setting("variants", absent="")
    data: DataRoots

    _declared: DeclaredVariants = PrivateAttr()

    @convert_errors()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raise Failure before the first step of a run if the file of variants cannot be used."""
        settings = self.apply_to(self.data.settings, "variants")
        self._declared = read_declared_variants(settings)

    @property
    def crop_variants(self) -> tuple[CropVariant, ...] | None:
        """The variants; None where nothing was ever declared, so that none may be removed."""
        return self._declared.crop_variants

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata that says which variants count where no setting decides."""
        return {"declared": self._declared.note} if self._declared.note else {}

    def remember(self) -> None:
        """Record the variants as those of the data set. Call this before any of them is made."""
        if self._declared.crop_variants is not None:
            save_declaration(self.data.roots, **self._declared.settings)


class Limits(SettingsResource):
    """The limits of checks: the share of a split that may be refused, and the age of a build."""

    max_refused: float = _setting("max_refused")
    max_age_days: float = _setting("max_age_days")

    @convert_errors()
    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Raise Failure before the first step of a run if a limit is not valid."""
        self.apply_to(Settings(), "limits")


def make_resources(settings: Settings) -> dict[str, Any]:
    """Return all resources but the IO manager, by base name, with the values of `settings`."""
    data = DataRoots.configure_at_launch(base=settings, **DataRoots.values(settings))
    return {
        "data": data,
        "output": SplitWriter(data=data),
        "engine": EngineChoice(**EngineChoice.values(settings)),
        "encoder": EncoderChoice(**EncoderChoice.values(settings)),
        "progress": ProgressChoice(),
        "exports": ExportChoice(),
        "skus": SkuSelection(data=data, **SkuSelection.values(settings)),
        "prompts": PromptTemplates(data=data, **PromptTemplates.values(settings)),
        "variants": CropVariants(data=data, **CropVariants.values(settings)),
        "limits": Limits(**Limits.values(settings)),
    }

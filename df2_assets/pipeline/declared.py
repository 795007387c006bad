"""What a data set is declared with: by the settings of a build, or else by an earlier build."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from df2_assets.dataset.prompts import Captions, PromptTemplate, SkuToken, Texts
from df2_assets.dataset.variants import CropVariant
from df2_assets.errors import CaptionsError, OutputError, VariantsError
from df2_assets.settings import DROP, Settings, read_captions, read_templates, read_variants
from df2_assets.store import checksums
from df2_assets.store.declaration import Declaration, infer, load, load_only_pairs


@dataclass(frozen=True)
class Declared:
    """The declaration that a build uses, and the one that the data set had before.

    `before` is None where its record is damaged. `notes` are sentences about texts that were kept,
    because no setting replaces them.
    """

    declaration: Declaration
    before: Declaration | None
    notes: tuple[str, ...] = ()

    @property
    def texts(self) -> Texts:
        """The texts in addition to the contract's."""
        return self.declaration.texts

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of texts, to be recorded."""
        names = ("prompts_file", "captions_file", *Texts.__struct_fields__)
        return {name: getattr(self.declaration, name) for name in names}

    @property
    def is_first(self) -> bool:
        """Whether the data set gets its first texts, which are recorded even if a build stops."""
        return bool(self.texts.keys) and self.before is not None and not self.before.texts.keys

    @property
    def matters(self) -> bool:
        """Whether the declaration must be recorded: not where all texts are the contract's."""
        return self.before is None or bool(self.texts.keys or self.before.texts.keys)


def read_declared(settings: Settings) -> Declared:
    """Return the texts that settings ask for, and of the other texts those that the data set has.

    Raises TemplatesError, CaptionsError, OutputError for a damaged record, NewerReleaseError.
    """
    before: Declaration | None
    try:
        known = before = load(settings.roots)
    except OutputError:
        if settings.prompts is None:
            raise
        known, before = infer(settings.roots), None
    prompts_file, templates = _read_prompts(settings, known)
    token = _read_sku_token(settings, known)
    captions_file, captions = _read_captions(settings, known)
    for key in captions.keys if captions else ():
        if key in (template.key for template in templates):
            raise CaptionsError(
                f"{captions_file}: {key} is a key of DF2_PROMPTS too: give it another name in "
                "one of the two files."
            )
    changes = {
        "prompts_file": prompts_file,
        "templates": templates,
        "sku_token": token,
        "captions_file": captions_file,
        "captions": captions,
    }
    declaration = msgspec.structs.replace(known, **changes)
    return Declared(declaration, before, tuple(_describe_kept(settings, declaration)))


@dataclass(frozen=True)
class DeclaredVariants:
    """The crop variants that a data set is declared with, and the file that they are from.

    `crop_variants` is None where nothing was ever declared: then nothing says which variants on
    disk may be removed. `note` is a sentence about variants that no setting decides.
    """

    crop_variants: tuple[CropVariant, ...] | None
    file: str | None = None
    note: str | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of crop variants, to be recorded."""
        return {"variants_file": self.file, "crop_variants": self.crop_variants}


def read_declared_variants(settings: Settings) -> DeclaredVariants:
    """Return the crop variants that settings ask for, or else those that the data set has.

    Raises VariantsError, also for a damaged record, and NewerReleaseError.
    """
    if settings.variants is not None:
        file = None if settings.variants == DROP else str(settings.variants)
        return DeclaredVariants(read_variants(settings.variants), file)
    try:
        known = load(settings.roots)
    except OutputError as error:
        raise VariantsError(
            f"{settings.roots.declaration} is damaged, so the crop variants of this data set are "
            "unknown: set DF2_VARIANTS to the file that declares them, or to none to remove them"
        ) from error
    if known.crop_variants is None:
        note = "No crop variants are declared: set DF2_VARIANTS to a file that declares some"
        return DeclaredVariants(None, note=note)
    if not known.crop_variants:
        return DeclaredVariants(())
    names = ", ".join(variant.name for variant in known.crop_variants)
    return DeclaredVariants(
        known.crop_variants,
        known.variants_file,
        f"kept the crop variants {names} of {known.variants_file}, since DF2_VARIANTS is not set "
        "(DF2_VARIANTS=none drops them)",
    )


def read_only_pairs(settings: Settings) -> tuple[bool, str | None]:
    """Return whether a build leaves out SKUs with one domain, as settings or an earlier build say.

    A sentence follows if an earlier build decides that they are kept. Raises NewerReleaseError.
    """
    if settings.only_pairs is not None:
        return settings.only_pairs, None
    if load_only_pairs(settings.roots):
        return True, None
    return False, (
        "kept the SKUs with one domain, since DF2_ONLY_PAIRS is not set (DF2_ONLY_PAIRS=on leaves "
        "them out)"
    )


def _read_prompts(
    settings: Settings, known: Declaration
) -> tuple[str | None, tuple[PromptTemplate, ...]]:
    """Return the file of templates, and the templates."""
    if settings.prompts is None:
        return known.prompts_file, known.templates
    file = None if settings.prompts == DROP else str(settings.prompts)
    return file, read_templates(settings.prompts)


def _read_sku_token(settings: Settings, known: Declaration) -> SkuToken | None:
    if settings.sku_token is None:
        return known.sku_token
    return None if isinstance(settings.sku_token, str) else SkuToken(settings.sku_token)


def _read_captions(settings: Settings, known: Declaration) -> tuple[str | None, Captions | None]:
    """Return the file of captions and its description; it must exist, also if it is inherited."""
    if settings.captions == DROP or (settings.captions is None and known.captions is None):
        return None, None
    if settings.captions is None and known.captions_file is None:
        keys = ", ".join(known.captions.keys) if known.captions else ""
        raise CaptionsError(
            f"No record says which file the captions {keys} of {settings.roots.sku_root} are from: "
            "set DF2_CAPTIONS to it, or to none to drop them"
        )
    file = Path(settings.captions or known.captions_file or "")
    if known.captions is not None:
        with suppress(OSError):
            if checksums.digest(file) == known.captions.digest:
                return str(file), known.captions
    return str(file), read_captions(file)[0]


def _describe_kept(settings: Settings, kept: Declaration) -> list[str]:
    """Return a sentence for each setting of texts that is inherited."""
    notes = []
    if settings.prompts is None and kept.templates:
        keys = ", ".join(template.key for template in kept.templates)
        origin = f" of {kept.prompts_file}" if kept.prompts_file else ""
        notes.append(
            f"kept the prompts {keys}{origin}, since DF2_PROMPTS is not set (DF2_PROMPTS=none "
            "drops them)"
        )
    if settings.sku_token is None and kept.sku_token:
        notes.append(
            f"kept {kept.sku_token.key} with a dropout of {kept.sku_token.dropout:g}, since "
            "DF2_SKU_TOKEN is not set (DF2_SKU_TOKEN=none drops it)"
        )
    if settings.captions is None and kept.captions:
        keys = ", ".join(kept.captions.keys)
        notes.append(
            f"kept the captions {keys} of {kept.captions_file}, since DF2_CAPTIONS is not set "
            "(DF2_CAPTIONS=none drops them)"
        )
    return notes

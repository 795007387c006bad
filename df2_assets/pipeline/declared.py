"""What a build takes from its settings, or else from the last declaration of the data set."""

from dataclasses import dataclass

from df2_assets.errors import OutputError
from df2_assets.settings import NO_PROMPTS, Settings, read_variants
from df2_assets.store import declaration as record
from df2_assets.store.declaration import Declaration
from df2_assets.store.layout import Roots


@dataclass(frozen=True)
class Declared:
    """A declaration, and a sentence that says what of it was `kept` because no setting says it."""

    declaration: Declaration
    kept: str | None = None


def declared(settings: Settings) -> Declared:
    """Return the prompts that settings ask for, else those that the data set has.

    Raises TemplatesError, OutputError for a damaged record, NewerReleaseError.
    """
    before = _load(settings.roots, is_needed=settings.prompts is None)
    if settings.prompts is not None:
        file = None if settings.prompts == NO_PROMPTS else str(settings.prompts)
        return Declared(Declaration(file, read_variants(settings.prompts)))
    return Declared(before, _kept(before))


def _load(roots: Roots, *, is_needed: bool) -> Declaration:
    try:
        return record.load(roots)
    except OutputError:
        if is_needed:
            raise
        return Declaration()


def _kept(before: Declaration) -> str | None:
    if not before.variants:
        return None
    keys = ", ".join(variant.key for variant in before.variants)
    origin = f" of {before.prompts_file}" if before.prompts_file else ""
    return (
        f"kept the prompts {keys}{origin}, since DF2_PROMPTS is not set (DF2_PROMPTS=none drops "
        "them)"
    )


def remember_first(roots: Roots, declaration: Declaration) -> None:
    """Record a declaration where the data set has none yet, so that a stopped build keeps it."""
    if _load(roots, is_needed=False) == Declaration():
        record.save(roots, declaration)

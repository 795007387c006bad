"""What a data set is declared with: by the settings of a build, or else by an earlier build."""

from dataclasses import dataclass

from df2_assets.errors import OutputError
from df2_assets.settings import NO_PROMPTS, Settings, read_variants
from df2_assets.store.declaration import Declaration, load, load_only_pairs


@dataclass(frozen=True)
class Declared:
    """The declaration that a build uses, and the one that the data set had before.

    `before` is None where its record is damaged. `note` is a sentence about prompts that were kept,
    because no setting replaces them.
    """

    declaration: Declaration
    before: Declaration | None
    note: str | None = None

    @property
    def is_first(self) -> bool:
        """Whether the data set gets its first prompts, which are recorded even if a build stops."""
        is_new = self.before is not None and not self.before.variants
        return bool(self.declaration.variants) and is_new

    @property
    def matters(self) -> bool:
        """Whether the declaration must be recorded: not where all prompts are the contract's."""
        return self.before is None or bool(self.declaration.variants or self.before.variants)


def read_declared(settings: Settings) -> Declared:
    """Return the prompts that settings ask for, else those that the data set has.

    Raises TemplatesError, OutputError for a damaged record, NewerReleaseError.
    """
    if settings.prompts is None:
        before = load(settings.roots)
        return Declared(before, before, _describe_kept_prompts(before))
    file = None if settings.prompts == NO_PROMPTS else str(settings.prompts)
    declaration = Declaration(file, read_variants(settings.prompts))
    try:
        return Declared(declaration, load(settings.roots))
    except OutputError:
        return Declared(declaration, None)


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


def _describe_kept_prompts(before: Declaration) -> str | None:
    if not before.variants:
        return None
    keys = ", ".join(variant.key for variant in before.variants)
    origin = f" of {before.prompts_file}" if before.prompts_file else ""
    return (
        f"kept the prompts {keys}{origin}, since DF2_PROMPTS is not set (DF2_PROMPTS=none drops "
        "them)"
    )

"""The settings that later builds inherit: `_df2_assets/declaration.json`.

There is one file per SKU_ROOT, since these settings belong to a data set and not to a split. A new
setting is a field with a default, so that earlier files keep their meaning.
"""

from contextlib import suppress

import msgspec

from df2_assets.dataset.prompts import Variant
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.errors import NewerReleaseError, OutputError
from df2_assets.store import state
from df2_assets.store.layout import Roots


class Declaration(msgspec.Struct, frozen=True):
    """The inherited settings.

    `variants` are the prompts in addition to the contract's. They are stored here as they were read
    from `prompts_file`, since that file may move or change.
    """

    prompts_file: str | None = None
    variants: tuple[Variant, ...] = ()


def load(roots: Roots) -> Declaration:
    """Return the settings that the data set was last declared with; the defaults for a new one.

    If the file is missing, the prompts of a split that has any are used, so that none are lost.

    Raises OutputError if the file is damaged, NewerReleaseError if it has unknown settings.
    """
    try:
        return _decode(roots)
    except FileNotFoundError:
        of_splits = (state.load(roots, split).variants for split in SPLITS)
        return Declaration(variants=next(filter(None, of_splits), ()))


def _decode(roots: Roots) -> Declaration:
    path = roots.declaration
    try:
        content = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
        unknown = content.keys() - {*Declaration.__struct_fields__}
        if unknown:
            raise NewerReleaseError(
                f"{path} was written by a newer release of df2-assets (it has "
                f"{', '.join(sorted(unknown))}): use that release, or set SKU_ROOT to another "
                "folder."
            )
        return msgspec.convert(
            {name: msgspec.json.decode(value) for name, value in content.items()},
            Declaration,
            str_keys=True,
        )
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OutputError(
            f"{path} is damaged, so the prompts of this data set are unknown: set DF2_PROMPTS to "
            "the file of their templates, or to none"
        ) from error


def save(roots: Roots, declaration: Declaration) -> None:
    """Write the settings that the data set is declared with from now on, if they have changed.

    Raises NewerReleaseError.
    """
    with suppress(FileNotFoundError, OutputError):  # a damaged file is replaced
        if _decode(roots) == declaration:
            return
    with roots.sku.atomic(roots.declaration) as temporary:
        text = msgspec.json.format(msgspec.json.encode(declaration), indent=2)
        temporary.write_bytes(text + b"\n")

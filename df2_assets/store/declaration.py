"""What a data set was declared with, for builds that do not say: `_df2_assets/declaration.json`.

A file per SKU_ROOT, since settings are of a data set, not of a split. A further setting to remember
is a field with a default: earlier records then mean what they meant.
"""

from contextlib import suppress

import msgspec

from df2_assets.dataset.prompts import Variant
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.errors import NewerReleaseError, OutputError
from df2_assets.store import state
from df2_assets.store.layout import Roots


class Declaration(msgspec.Struct, frozen=True):
    """`variants` are the prompts beside the contract's, from the file `prompts_file`.

    They are kept as they were read, since the file may move or change.
    """

    prompts_file: str | None = None
    variants: tuple[Variant, ...] = ()


def load(roots: Roots) -> Declaration:
    """Return what the data set was last declared with; nothing for a new one.

    Without a record, prompts of a split that has some count, so that none are lost.

    Raises OutputError for a damaged record, NewerReleaseError for one with unknown settings.
    """
    try:
        return _decode(roots)
    except FileNotFoundError:
        recorded = (state.load(roots, split).variants for split in SPLITS)
        return Declaration(variants=next(filter(None, recorded), ()))


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
            f"{path} is damaged, so the prompts of this data set are not known: set DF2_PROMPTS to "
            "the file of their templates, or to none"
        ) from error


def save(roots: Roots, declaration: Declaration) -> None:
    """Record what the data set is declared with from now on, where the record says otherwise.

    Raises NewerReleaseError.
    """
    with suppress(FileNotFoundError, OutputError):  # a damaged record is replaced
        if _decode(roots) == declaration:
            return
    with roots.sku.atomic(roots.declaration) as temporary:
        text = msgspec.json.format(msgspec.json.encode(declaration), indent=2)
        temporary.write_bytes(text + b"\n")

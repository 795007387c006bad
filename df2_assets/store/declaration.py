"""The settings that later builds inherit: `_df2_assets/declaration.json`.

There is one file per SKU_ROOT, since these settings belong to a data set and not to a split. A new
setting is a field with a default, so that earlier files keep their meaning.
"""

from typing import Any

import msgspec

from df2_assets.dataset.prompts import Captions, PromptTemplate, SkuToken, Texts
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.dataset.variants import CropVariant
from df2_assets.errors import NewerReleaseError, OutputError
from df2_assets.store import state
from df2_assets.store.layout import Roots


class Declaration(msgspec.Struct, frozen=True):
    """The inherited settings.

    `only_pairs` says whether SKUs with one domain are left out. `templates`, `sku_token` and
    `captions` are the texts in addition to the contract's. `templates` are stored here as they were
    read from `prompts_file`, since that file may move or change. The captions themselves are only
    in `captions_file`. In the same way, `crop_variants` are those of `variants_file`;
    they are None if variants were never declared.
    """

    prompts_file: str | None = None
    templates: tuple[PromptTemplate, ...] = ()
    sku_token: SkuToken | None = None
    captions_file: str | None = None
    captions: Captions | None = None
    only_pairs: bool = True
    variants_file: str | None = None
    crop_variants: tuple[CropVariant, ...] | None = None

    @property
    def texts(self) -> Texts:
        """What decides the texts in addition to the contract's."""
        return Texts(self.templates, self.sku_token, self.captions)


def load(roots: Roots) -> Declaration:
    """Return the settings that the data set was last declared with; the defaults for a new one.

    If the file is missing, they are taken from the states of the splits, so that none are lost.

    Raises OutputError if the file is damaged, NewerReleaseError if it has unknown settings.
    """
    try:
        return _decode(roots)
    except FileNotFoundError:
        return infer(roots)


def load_only_pairs(roots: Roots) -> bool:
    """Return whether SKUs with one domain are left out; a damaged file counts as missing.

    Raises NewerReleaseError.
    """
    try:
        return load(roots).only_pairs
    except OutputError:
        return infer(roots).only_pairs


def infer(roots: Roots) -> Declaration:
    """Return the settings that the splits were built with.

    The texts are those of the first split that has any in addition to the contract's. Crop
    variants are nowhere else, so they count as never declared.
    """
    states = [state.load(roots, split) for split in SPLITS]
    texts = next((recorded.texts for recorded in states if recorded.texts.keys), Texts())
    return Declaration(
        **msgspec.structs.asdict(texts), only_pairs=all(recorded.only_pairs for recorded in states)
    )


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


def save(roots: Roots, **settings: Any) -> None:
    """Record settings that the data set is declared with from now on; the others stay.

    A damaged file is replaced. Raises NewerReleaseError.
    """
    try:
        recorded = _decode(roots)
    except (FileNotFoundError, OutputError):
        recorded = None
    declaration = msgspec.structs.replace(recorded or infer(roots), **settings)
    if declaration == recorded:
        return
    with roots.sku.atomic(roots.declaration) as temporary:
        text = msgspec.json.format(msgspec.json.encode(declaration), indent=2)
        temporary.write_bytes(text + b"\n")

"""The state of a split, `_df2_assets/state/{split}.json`: whether its files belong together.

The Dataset of `df2_assets.torch` reads it on machines that have neither pandas nor pyarrow, so
functions that need tables import them themselves.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from df2_assets.dataset.prompts import Captions, PromptTemplate, SkuToken, Texts
from df2_assets.dataset.record import TABLES
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.errors import (
    IncompleteSplitError,
    MissingSplitError,
    MissingTableError,
    ProvenanceError,
)
from df2_assets.store.crop_lines import SOURCES, describe_source
from df2_assets.store.layout import Roots

_BESIDE: Final = (
    *("files", "crop_quality", "colours", "labels", "crop_variants"),
    *("evaluation", "evaluation_queries", "similar_skus", "benchmark_crops"),
)
_TABLES: Final = tuple(asset for asset in TABLES if asset not in _BESIDE)
"""The tables of the data set itself, without side tables and reports."""


class State(msgspec.Struct):
    """The record of a split.

    `complete` is false from before the first change until the last file is written.

    `sku_metadata` and `image_text` are the data versions of the two contract files, without their
    roots. `sku_metadata_of` names the groups and the manifest that the metadata was made from,
    `image_text_of` the metadata that the JSONL was made from, and `templates`, `sku_token` and
    `captions` its texts beside `text`. `only_pairs` says whether the SKUs with one domain were left
    out of the metadata. `release` is the one that completed it, `built_at` (ISO 8601) when a build
    last changed any of this.
    """

    complete: bool = False
    sku_metadata: str | None = None
    sku_metadata_of: str | None = None
    image_text: str | None = None
    image_text_of: str | None = None
    templates: tuple[PromptTemplate, ...] = ()
    sku_token: SkuToken | None = None
    captions: Captions | None = None
    only_pairs: bool = True
    release: str | None = None
    built_at: str | None = None

    @property
    def texts(self) -> Texts:
        """What decided the texts of the JSONL beside `text`."""
        return Texts(self.templates, self.sku_token, self.captions)


def source_of_metadata(roots: Roots, split: str) -> str:
    """Return the digests of groups and manifest, from which metadata written now is made."""
    from df2_assets.store import tables

    return describe_source(tables.digests(roots, SOURCES, split))


def mismatches(roots: Roots, split: str, recorded: State) -> list[str]:
    """Return a sentence for each contract file that was made from something other than now."""
    problems = []
    if recorded.sku_metadata_of != source_of_metadata(roots, split):
        problems.append("the metadata was made from groups or crops that have changed since")
    if recorded.image_text_of != recorded.sku_metadata:
        problems.append("the prompts were made from metadata that has changed since")
    return problems


def load(roots: Roots, split: str) -> State:
    """Return the state of a split; an incomplete one where no readable state is recorded."""
    try:
        return msgspec.json.decode(roots.state(split).read_bytes(), type=State)
    except (FileNotFoundError, msgspec.DecodeError):
        return State()


def save(roots: Roots, split: str, state: State) -> None:
    """Record `state`. A file with the same content is not touched."""
    path = roots.state(split)
    if path.exists() and load(roots, split) == state:
        return
    with roots.sku.atomic(path) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")


def mark_incomplete(roots: Roots, split: str) -> None:
    """Mark the split incomplete. Call this before the first change to any of its contract files."""
    save(roots, split, msgspec.structs.replace(load(roots, split), complete=False))


def require_complete(roots: Roots, split: str) -> None:
    """Raise IncompleteSplitError where the files of the split may not belong together."""
    if not load(roots, split).complete:
        raise IncompleteSplitError(
            f"{split} under {roots.sku_root} is not complete: run df2-assets build --split {split}"
        )


def require_readable(roots: Roots, split: str, *, strict: bool = True) -> None:
    """Raise where the JSONL and the crops of a split cannot be read, or may not belong together.

    Raises MissingSplitError where the folder or the split is not there, and names the splits that
    are; MissingTableError where only the JSONL is gone; IncompleteSplitError where a build has not
    ended or, if `strict`, nothing records that one has. With `strict=False` a JSONL is read as it
    is, whatever is recorded.
    """
    path = roots.image_text(split)
    is_known = split in SPLITS  # any other text may be no name of a file
    if is_known and path.exists():
        if not strict or load(roots, split).complete:
            return
        if roots.state(split).exists():
            raise _half_built(roots, split)
        raise IncompleteSplitError(
            f"Nothing says that {path} belongs to the crops beside it: {roots.state(split)} is not "
            "there. Copy that too, or give strict=False to take the files as they are."
        )
    if is_known and roots.state(split).exists():
        if not load(roots, split).complete:
            raise _half_built(roots, split)
        raise MissingTableError(
            f"{path} is not there: copy it again, or run df2-assets build --split {split}"
        )
    if not roots.sku_root.is_dir():
        raise MissingSplitError(
            f"There is no folder {roots.sku_root}: give the SKU_ROOT of a build, or a copy of one."
        )
    others = [name for name in SPLITS if roots.image_text(name).exists()]
    has = f"it has {' and '.join(others)}" if others else "it has no split"
    build = f": run df2-assets build --split {split}" if is_known else "."
    raise MissingSplitError(f"There is no split {split!r} in {roots.sku_root}, {has}{build}")


def _half_built(roots: Roots, split: str) -> IncompleteSplitError:
    return IncompleteSplitError(
        f"{split} under {roots.sku_root} is half-built: a build is running or was stopped. When "
        f"none is running, run df2-assets build --split {split}"
    )


def is_built(roots: Roots, split: str) -> bool:
    """Return whether anything that a build of the split writes is on disk."""
    files = [roots.table(asset, split) for asset in _TABLES]
    documents = [roots.state(split), roots.sku_metadata(split), roots.image_text(split)]
    return any(path.exists() for path in files + documents)


def consistency_problems(roots: Roots, split: str, assets: Iterable[str] = _TABLES) -> list[str]:
    """Return why the tables of `assets` and the contract files do not belong together."""
    from df2_assets.store import tables

    problems = []
    for asset in assets:
        if tables.find(roots, asset, split) is None:
            exists = roots.table(asset, split).exists()
            problems.append(
                f"the table of {asset} {'cannot be read' if exists else 'is not there'}"
            )
            continue
        try:
            tables.require_current(roots, asset, split)
        except ProvenanceError as problem:
            problems.append(str(problem).rstrip("."))
    recorded = load(roots, split)
    if recorded.texts.use_colour:
        try:
            tables.read_colours(roots, split)
        except MissingTableError as problem:
            problems.append(str(problem).rstrip("."))
    if recorded.complete:
        return problems + mismatches(roots, split, recorded)
    half_built = "it is half-built: a build is running or was stopped, or crops are to be remade"
    return [*problems, half_built]

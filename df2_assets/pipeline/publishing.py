"""The two contract files, written from the manifest, what they are checked by, and the state."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import pandas as pd

from df2_assets.dataset.metadata import ImageText, Sku, SkuMetadata, image_texts, line_type, skus
from df2_assets.dataset.prompts import Variant
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.pipeline.changes import Changes, between
from df2_assets.store import checksums, state, tables
from df2_assets.store.files import publish
from df2_assets.store.layout import Roots


@dataclass(frozen=True)
class Published:
    """A contract file: its data version (roots left out), what it holds, and what changed in it.

    `anew` says why it was made again, where that is not for its input.
    """

    data_version: str
    skus: int
    crops: int
    changes: Changes
    anew: str | None = None


def publish_metadata(
    roots: Roots, split: str, groups: pd.DataFrame, manifest: pd.DataFrame
) -> Published:
    """Write `{split}_sku_metadata.json` from the crops that are on disk."""
    made = manifest["crop_path"][manifest["reason"].isna()]
    found = skus(groups[groups["crop_path"].isin(made)])
    document = SkuMetadata(split, str(roots.df2_root), roots.out_root, len(found), found)
    version = metadata_version(document)
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    before: dict[str, Sku] = {}

    def before_change() -> None:
        with suppress(MissingTableError):
            before.update(read_metadata(roots, split).skus)
        state.mark_incomplete(roots, split)

    changed = publish(roots.sku_metadata(split), [text], before_change)
    current = state.load(roots, split)
    source = state.source_of_metadata(roots, split)
    state.save(
        roots,
        split,
        msgspec.structs.replace(current, sku_metadata=version, sku_metadata_of=source),
    )
    crops = sum(len(sku.catalog) + len(sku.query) for sku in found.values())
    return Published(version, len(found), crops, between(before if changed else found, found))


def publish_image_text(roots: Roots, split: str, variants: tuple[Variant, ...] = ()) -> Published:
    """Write `{split}_image_text.jsonl` from the metadata on disk, and call the split complete.

    `variants` add prompts under other keys to each line, after the contract's. The list of
    checksums is brought up to date as well.

    Raises ProvenanceError where the metadata belongs to other groups or crops, or was edited.
    """
    tables.refuse_stale(roots, "crops", split)
    source = state.source_of_metadata(roots, split)
    document = read_metadata(roots, split)
    current = state.load(roots, split)
    version = metadata_version(document)
    if current.sku_metadata != version or current.sku_metadata_of != source:
        raise ProvenanceError(
            f"sku_metadata of {split} does not belong to the crops at hand: "
            f"rerun sku_metadata, or build_dataset, for {split}."
        )
    encode = msgspec.json.Encoder().encode
    lines = {
        record.image_path: encode(record) + b"\n" for record in image_texts(document, variants)
    }
    path = roots.image_text(split)
    before: dict[str, bytes] = {}

    def before_change() -> None:
        before.update(_lines_by_crop(path))
        state.mark_incomplete(roots, split)

    changed = publish(path, lines.values(), before_change)
    checksums.write(roots, split, partial(state.mark_incomplete, roots, split))
    digest = hashlib.sha256()
    for line in lines.values():
        digest.update(line)
    text_version = digest.hexdigest()
    state.save(roots, split, state.State(True, version, source, text_version, version, variants))
    return Published(
        text_version,
        document.num_skus,
        len(lines),
        between(before if changed else lines, lines),
        other_templates(current, variants),
    )


def other_templates(current: state.State, variants: tuple[Variant, ...]) -> str | None:
    """Why a JSONL that is there is made again with `variants`, if it is."""
    differ = current.image_text is not None and current.variants != variants
    return "its prompt templates are others" if differ else None


def read_metadata(roots: Roots, split: str) -> SkuMetadata:
    """The metadata on disk. Raises MissingTableError where it is not there or not whole."""
    path = roots.sku_metadata(split)
    try:
        return msgspec.json.decode(path.read_bytes(), type=SkuMetadata)
    except FileNotFoundError:
        problem = "is not there"
    except msgspec.DecodeError as error:
        problem = f"is not whole ({error})"
    raise MissingTableError(f"{path} {problem}: materialize sku_metadata for {split}.")


def read_image_text(roots: Roots, split: str) -> list[ImageText]:
    """The lines of the JSONL on disk, with the variants that it was made with.

    Raises MissingTableError as `read_metadata` does.
    """
    path = roots.image_text(split)
    keys = (variant.key for variant in state.load(roots, split).variants)
    decode = msgspec.json.Decoder(line_type(*keys)).decode
    try:
        with path.open("rb") as file:
            return [decode(line) for line in file]
    except FileNotFoundError:
        problem = "is not there"
    except msgspec.DecodeError as error:
        problem = f"is not whole ({error})"
    raise MissingTableError(f"{path} {problem}: materialize image_text for {split}.")


def _lines_by_crop(path: Path) -> dict[str, bytes]:
    """The lines of a JSONL by their crop, as they stand; without those that cannot be read."""
    decode = msgspec.json.Decoder(ImageText).decode
    lines: dict[str, bytes] = {}
    with suppress(FileNotFoundError, msgspec.DecodeError), path.open("rb") as file:
        lines.update((decode(line).image_path, line) for line in file)
    return lines


def metadata_version(document: SkuMetadata) -> str:
    """The data version of a split's metadata: a digest of all of it but the roots."""
    return hashlib.sha256(msgspec.json.encode((document.split, document.skus))).hexdigest()

"""The two contract files written, with the list of checksums and the state of the split."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import msgspec
import pandas as pd

from df2_assets import __version__
from df2_assets.dataset.metadata import Sku, SkuMetadata, image_texts, skus
from df2_assets.dataset.prompts import Variant
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.pipeline.changes import Changes, between
from df2_assets.store import checksums, state, tables
from df2_assets.store.contract_files import lines_by_crop, metadata_version, read_metadata
from df2_assets.store.layout import Roots


@dataclass(frozen=True)
class Published:
    """A contract file: its data version (roots left out), what it holds, and what changed in it.

    `rebuild_reason` says why it was written again, where the reason is not its input.
    """

    data_version: str
    skus: int
    crops: int
    changes: Changes
    rebuild_reason: str | None = None


def publish_metadata(
    roots: Roots, split: str, groups: pd.DataFrame, manifest: pd.DataFrame
) -> Published:
    """Write `{split}_sku_metadata.json` from the crops that are on disk."""
    on_disk = manifest["crop_path"][manifest["reason"].isna()]
    by_id = skus(groups[groups["crop_path"].isin(on_disk)])
    document = SkuMetadata(split, str(roots.df2_root), roots.out_root, len(by_id), by_id)
    version = metadata_version(document)
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    before: dict[str, Sku] = {}

    def before_change() -> None:
        with suppress(MissingTableError):
            before.update(read_metadata(roots, split).skus)
        state.mark_incomplete(roots, split)

    changed = roots.sku.publish(roots.sku_metadata(split), [text], before_change)
    current = state.load(roots, split)
    source = state.source_of_metadata(roots, split)
    replaced = msgspec.structs.replace(current, sku_metadata=version, sku_metadata_of=source)
    state.save(roots, split, replaced)
    crops = sum(len(sku.catalog) + len(sku.query) for sku in by_id.values())
    return Published(version, len(by_id), crops, between(before if changed else by_id, by_id))


def publish_image_text(roots: Roots, split: str, variants: tuple[Variant, ...] = ()) -> Published:
    """Write `{split}_image_text.jsonl` from the metadata on disk, and call the split complete.

    `variants` add prompts under other keys to each line, after the contract's. The list of
    checksums is brought up to date as well.

    Raises ProvenanceError where the metadata belongs to other groups or crops, or was edited.
    """
    tables.require_current(roots, "crops", split)
    source = state.source_of_metadata(roots, split)
    document = read_metadata(roots, split)
    current = state.load(roots, split)
    version = metadata_version(document)
    if current.sku_metadata != version or current.sku_metadata_of != source:
        raise ProvenanceError(
            f"sku_metadata of {split} does not belong to the current crops: "
            f"rerun sku_metadata, or build_dataset, for {split}."
        )
    encode = msgspec.json.Encoder().encode
    lines = {
        record.image_path: encode(record) + b"\n" for record in image_texts(document, variants)
    }
    before: dict[str, bytes] = {}

    def before_change() -> None:
        before.update(lines_by_crop(roots, split))
        state.mark_incomplete(roots, split)

    changed = roots.sku.publish(roots.image_text(split), lines.values(), before_change)
    checksums.write(roots, split, partial(state.mark_incomplete, roots, split))
    digest = hashlib.sha256()
    for line in lines.values():
        digest.update(line)
    text_version = digest.hexdigest()
    now = msgspec.structs.replace(
        current,
        complete=True,
        image_text=text_version,
        image_text_of=version,
        variants=variants,
        release=__version__,
    )
    if now != current:
        now.built_at = datetime.now().astimezone().isoformat(timespec="seconds")
    state.save(roots, split, now)
    return Published(
        text_version,
        document.num_skus,
        len(lines),
        between(before if changed else lines, lines),
        other_templates(current, variants),
    )


def other_templates(current: state.State, variants: tuple[Variant, ...]) -> str | None:
    """Return why an existing JSONL is written again with `variants`, if it is."""
    if current.image_text is None or current.variants == variants:
        return None
    before, now = (", ".join(["text", *(v.key for v in of)]) for of in (current.variants, variants))
    renamed = "" if before == now else f" ({before} before, {now} now)"
    return f"its prompt templates are others{renamed}"

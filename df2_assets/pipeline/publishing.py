"""Publishing the two contract files, with the list of checksums and the state of the split."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice, pairwise
from typing import Final

import msgspec
import numpy as np
import pandas as pd

from df2_assets import __version__
from df2_assets.dataset.metadata import SkuMetadata, image_texts, skus
from df2_assets.dataset.prompts import Variant
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.pipeline.changes import Changes, compare, count_changes
from df2_assets.store import checksums, state, tables
from df2_assets.store.contract_files import lines_by_crop, metadata_version, read_metadata
from df2_assets.store.layout import Roots

_SKUS: Final = 1_000
_LINES: Final = 5_000
"""SKUs and lines that are encoded together."""


@dataclass(frozen=True)
class Published:
    """A contract file: its data version (without the roots), its counts, and what changed in it.

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
    """Write `{split}_sku_metadata.json` from the crops that are on disk.

    The document is written part by part, so that memory does not grow with it.
    """
    on_disk = manifest["crop_path"][manifest["reason"].isna()]
    crops = groups[groups["crop_path"].isin(on_disk)]
    document = SkuMetadata(
        split, str(roots.df2_root), roots.out_root, int(crops["sku_id"].nunique()), {}
    )
    version = hashlib.sha256(b"[%b,{" % msgspec.json.encode(split))
    after: dict[str, int] = {}
    before: dict[str, int] = {}

    def parts() -> Iterator[bytes]:
        """Yield SKUs with their ids as JSON, without the braces around them."""
        for part in _split_between_skus(crops):
            encoded = {sku_id: msgspec.json.encode(sku) for sku_id, sku in skus(part).items()}
            yield b",".join(b'"%b":%b' % (key.encode(), sku) for key, sku in encoded.items())
            after.update((sku_id, hash(sku)) for sku_id, sku in encoded.items())

    def chunks() -> Iterator[bytes]:
        whole = msgspec.json.format(msgspec.json.encode(document), indent=2)
        head, start, end = whole.removesuffix(b"}\n}"), b'{\n  "skus": {', b"\n  }\n}"
        yield head if document.num_skus else whole
        for number, part in enumerate(parts()):
            version.update(b"," * (number > 0) + part)
            text = msgspec.json.format(b'{"skus":{%b}}' % part, indent=2)
            yield b"," * (number > 0) + text.removeprefix(start).removesuffix(end)
        if document.num_skus:
            yield end

    def before_change() -> None:
        with suppress(MissingTableError):
            earlier = read_metadata(roots, split).skus
            before.update((key, hash(msgspec.json.encode(sku))) for key, sku in earlier.items())
        state.mark_incomplete(roots, split)

    changed = roots.sku.publish(roots.sku_metadata(split), chunks(), before_change)
    version.update(b"}]")
    current = state.load(roots, split)
    replaced = msgspec.structs.replace(
        current,
        sku_metadata=version.hexdigest(),
        sku_metadata_of=state.source_of_metadata(roots, split),
    )
    state.save(roots, split, replaced)
    changes = compare(before, after) if changed else count_changes([], [], [], len(after))
    return Published(version.hexdigest(), len(after), len(crops), changes)


def _split_between_skus(crops: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield rows of `sku_groups`, in its order, in parts of whole SKUs."""
    starts = np.flatnonzero(~crops["sku_id"].duplicated())
    for start, end in pairwise([*starts[::_SKUS], len(crops)]):
        yield crops.iloc[start:end]


def publish_image_text(roots: Roots, split: str, variants: tuple[Variant, ...] = ()) -> Published:
    """Write `{split}_image_text.jsonl` from the metadata on disk, and mark the split complete.

    `variants` add prompts under other keys to each line, after the contract's. The list of
    checksums is updated too.

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
    digest = hashlib.sha256()
    after: dict[str, int] = {}
    before: dict[str, int] = {}

    def chunks() -> Iterator[bytes]:
        encode = msgspec.json.Encoder().encode
        records = image_texts(document, variants)
        while some := {r.image_path: encode(r) + b"\n" for r in islice(records, _LINES)}:
            after.update((crop_path, hash(line)) for crop_path, line in some.items())
            text = b"".join(some.values())
            digest.update(text)
            yield text

    def before_change() -> None:
        lines = lines_by_crop(roots, split)
        before.update((crop_path, hash(line)) for crop_path, line in lines.items())
        state.mark_incomplete(roots, split)

    changed = roots.sku.publish(roots.image_text(split), chunks(), before_change)
    checksums.write(roots, split, partial(state.mark_incomplete, roots, split))
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
        len(after),
        compare(before, after) if changed else count_changes([], [], [], len(after)),
        find_template_change(current, variants),
    )


def find_template_change(current: state.State, variants: tuple[Variant, ...]) -> str | None:
    """Return why an existing JSONL is written again with `variants`, if it is."""
    if current.image_text is None or current.variants == variants:
        return None
    before, now = (", ".join(["text", *(v.key for v in of)]) for of in (current.variants, variants))
    renamed = "" if before == now else f" ({before} before, {now} now)"
    return f"its prompt templates have changed{renamed}"

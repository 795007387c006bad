"""Publishing the two contract files, with the list of checksums and the state of the split."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets import __version__
from df2_assets.dataset.composing import compose_lines, compose_skus
from df2_assets.dataset.metadata import SkuMetadata
from df2_assets.dataset.prompts import Variant
from df2_assets.dataset.skus import has_only_pairs
from df2_assets.errors import ProvenanceError
from df2_assets.pipeline.changes import Changes, compare, count_changes
from df2_assets.store import checksums, state, tables
from df2_assets.store.contract_files import (
    hash_lines,
    hash_skus,
    metadata_version,
    without_roots,
)
from df2_assets.store.layout import Roots

_SKUS: Final = 500
_LINES: Final = 5_000
"""SKUs and lines that are composed together."""


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


def publish_metadata(roots: Roots, split: str, groups: pa.Table, manifest: pa.Table) -> Published:
    """Write `{split}_sku_metadata.json` from the crops that are on disk.

    The document is written part by part, so that memory does not grow with it.
    """
    crops = _on_disk(groups, manifest)
    sku_ids = pc.unique(crops["sku_id"])
    document = SkuMetadata(split, str(roots.df2_root), roots.out_root, len(sku_ids), {})
    version = hashlib.sha256()
    before: dict[str, int] = {}

    def chunks() -> Iterator[bytes]:
        whole = msgspec.json.format(msgspec.json.encode(document), indent=2)
        if not document.num_skus:
            yield whole
            return
        yield whole.removesuffix(b"}\n}")
        for number, part in enumerate(_split_between_skus(crops)):
            yield b",\n" if number else b"\n"
            yield ",\n".join(compose_skus(part)).encode()
        yield b"\n  }\n}"

    def hashed() -> Iterator[bytes]:
        for number, chunk in enumerate(chunks()):
            version.update(chunk if number else without_roots(chunk))
            yield chunk

    def before_change() -> None:
        before.update(hash_skus(roots, split))
        state.mark_incomplete(roots, split)

    changed = roots.sku.publish(roots.sku_metadata(split), hashed(), before_change)
    replaced = msgspec.structs.replace(
        state.load(roots, split),
        sku_metadata=version.hexdigest(),
        sku_metadata_of=state.source_of_metadata(roots, split),
        only_pairs=has_only_pairs(groups),
    )
    state.save(roots, split, replaced)
    return Published(
        version.hexdigest(),
        len(sku_ids),
        crops.num_rows,
        _count(changed, before, sku_ids, partial(hash_skus, roots, split)),
    )


def _count(
    changed: bool, before: dict[str, int], keys: pa.Array, hash_now: Callable[[], dict[str, int]]
) -> Changes:
    """Return how many entries of a contract file changed, from hashes of the entries by key."""
    if not changed:
        return count_changes([], [], [], len(keys))
    return compare(before, hash_now()) if before else count_changes(keys.to_pylist(), [], [], 0)


def _on_disk(groups: pa.Table, manifest: pa.Table) -> pa.Table:
    """Return the rows of `sku_groups` whose crops are on disk."""
    paths = manifest["crop_path"].filter(pc.is_null(manifest["reason"]))
    return groups.filter(pc.is_in(groups["crop_path"], paths))


def _split_between_skus(crops: pa.Table) -> Iterator[pa.Table]:
    """Yield rows of `sku_groups`, in its order, in parts of whole SKUs."""
    counts = crops["sku_id"].value_counts().field("counts").to_numpy()
    starts = np.append(0, np.cumsum(counts))
    for start, end in pairwise([*starts[:-1:_SKUS], starts[-1]]):
        yield crops.slice(start, end - start)


def publish_image_text(roots: Roots, split: str, variants: tuple[Variant, ...] = ()) -> Published:
    """Write `{split}_image_text.jsonl` for the metadata on disk, and mark the split complete.

    `variants` add prompts under other keys to each line, after the contract's. The list of
    checksums is updated too.

    Lines are composed from the tables, because the metadata on disk has been made from them and
    nothing else. Raises ProvenanceError where that is not so.
    """
    groups, manifest = (tables.read(roots, asset, split) for asset in ("sku_groups", "crops"))
    source = state.source_of_metadata(roots, split)
    current = state.load(roots, split)
    version = metadata_version(roots, split)
    if current.sku_metadata != version or current.sku_metadata_of != source:
        raise ProvenanceError(
            f"sku_metadata of {split} does not belong to the current crops: "
            f"rerun sku_metadata, or build_dataset, for {split}."
        )
    crops = _on_disk(groups, manifest)
    digest = hashlib.sha256()
    before: dict[str, int] = {}

    def chunks() -> Iterator[bytes]:
        for start in range(0, crops.num_rows, _LINES):
            text = compose_lines(crops.slice(start, _LINES), variants)
            digest.update(text)
            yield text

    def before_change() -> None:
        before.update(hash_lines(roots, split))
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
        len(pc.unique(crops["sku_id"])),
        crops.num_rows,
        _count(changed, before, crops["crop_path"], partial(hash_lines, roots, split)),
        find_template_change(current, variants),
    )


def find_selection_change(current: state.State, *, only_pairs: bool) -> str | None:
    """Return why the SKUs of an existing split change with `only_pairs`, if they do."""
    if current.sku_metadata is None or current.only_pairs == only_pairs:
        return None
    now, before = ("left out", "kept") if only_pairs else ("kept", "left out")
    return f"SKUs with one domain are {now} now, and were {before} before"


def find_template_change(current: state.State, variants: tuple[Variant, ...]) -> str | None:
    """Return why an existing JSONL is written again with `variants`, if it is."""
    if current.image_text is None or current.variants == variants:
        return None
    before, now = (", ".join(["text", *(v.key for v in of)]) for of in (current.variants, variants))
    renamed = "" if before == now else f" ({before} before, {now} now)"
    return f"its prompt templates have changed{renamed}"

"""Publishing the two contract files, with the list of checksums and the state of the split."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets import __version__
from df2_assets.dataset.captions import match_captions
from df2_assets.dataset.composing import compose_lines, compose_skus
from df2_assets.dataset.metadata import SkuMetadata
from df2_assets.dataset.prompts import NO_TEXTS, Texts
from df2_assets.dataset.skus import has_only_pairs
from df2_assets.errors import CaptionsError, ProvenanceError
from df2_assets.pipeline.changes import Changes, compare, count_changes
from df2_assets.settings import read_captions
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

_CHANGES: Final = {
    "templates": "prompt templates",
    "sku_token": "SKU texts",
    "captions": "captions",
}
"""What to call a change of each field of `Texts`."""


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


def publish_image_text(
    roots: Roots, split: str, texts: Texts = NO_TEXTS, captions_file: str | None = None
) -> Published:
    """Write `{split}_image_text.jsonl` for the metadata on disk, and mark the split complete.

    `texts` add texts under other keys to each line, after the contract's; its captions are read
    from `captions_file`. The list of checksums is updated too.

    Lines are composed from the tables, because the metadata on disk has been made from them and
    nothing else. Raises ProvenanceError where that is not so, MissingTableError where texts need
    colours that have not been measured, CaptionsError where the captions cannot be read.
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
    if texts.use_colour:
        crops = _with_colours(crops, tables.read_colours(roots, split))
    captions = _match_captions(texts, captions_file, split, crops, manifest)
    digest = hashlib.sha256()
    before: dict[str, int] = {}

    def chunks() -> Iterator[bytes]:
        for start in range(0, crops.num_rows, _LINES):
            of_crops = None if captions is None else captions.slice(start, _LINES)
            text = compose_lines(crops.slice(start, _LINES), texts, of_crops)
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
        **msgspec.structs.asdict(texts),
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
        find_text_change(current, texts),
    )


def find_selection_change(current: state.State, *, only_pairs: bool) -> str | None:
    """Return why the SKUs of an existing split change with `only_pairs`, if they do."""
    if current.sku_metadata is None or current.only_pairs == only_pairs:
        return None
    now, before = ("left out", "kept") if only_pairs else ("kept", "left out")
    return f"SKUs with one domain are {now} now, and were {before} before"


def _with_colours(crops: pa.Table, colours: pa.Table) -> pa.Table:
    """Return rows of `sku_groups` with the column `colour`."""
    place = pc.index_in(crops["crop_path"], colours["crop_path"])
    return crops.append_column("colour", colours["colour"].take(place))


def _match_captions(
    texts: Texts, file: str | None, split: str, crops: pa.Table, manifest: pa.Table
) -> pa.Table | None:
    """Return the captions of crops, one column per key; None where texts have no captions.

    Raises CaptionsError if the file is not the one that `texts` describe.
    """
    if texts.captions is None:
        return None
    description, captions = read_captions(Path(file or ""), split)
    if description != texts.captions:
        raise CaptionsError(f"{file} has changed during the build: run df2-assets build again")
    return match_captions(captions, crops["crop_path"], manifest)[0]


def find_text_change(current: state.State, texts: Texts) -> str | None:
    """Return why an existing JSONL is written again with `texts`, if it is."""
    if current.image_text is None or current.texts == texts:
        return None
    changed = [
        what
        for name, what in _CHANGES.items()
        if getattr(current.texts, name) != getattr(texts, name)
    ]
    before, now = (", ".join(["text", *of.keys]) for of in (current.texts, texts))
    renamed = "" if before == now else f" ({before} before, {now} now)"
    return f"its {' and '.join(changed)} have changed{renamed}"

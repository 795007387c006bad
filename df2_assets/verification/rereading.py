"""Reading whole crops and variants back: their digests and pixels, in worker processes."""

import hashlib
import io
from collections.abc import Sequence
from contextlib import closing
from typing import Final, NamedTuple

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.cropping import decode
from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.store.location import store_at

_SHARD: Final = 64


class RereadShard(NamedTuple):
    """Crops to read, by their paths relative to SKU_ROOT, and the formats that they may have."""

    sku_root: str
    formats: tuple[str, ...]
    crop_paths: list[str]


class Reread(NamedTuple):
    """What a crop on disk is: its SHA-256 (None: cannot be read), and width and height.

    `size` is in pixels, as decoded (None: cannot be decoded).
    """

    sha256: str | None
    size: tuple[int, int] | None


def reread(
    sku_root: str,
    crop_paths: Sequence[str],
    engine: Engine,
    progress: Progress,
    formats: tuple[str, ...] = ("JPEG",),
) -> dict[str, Reread]:
    """Read and decode every crop on `engine`; a crop that kills its worker counts as unreadable."""
    crops: dict[str, Reread] = {}
    whole = RereadShard(sku_root, formats, list(crop_paths))
    with (
        progress("reading crops back", len(crop_paths), "crops") as advance,
        closing(map_shards(engine, reread_shard, whole, _SHARD)) as results,
    ):
        for shard, result in results:
            read = [Reread(None, None)] if isinstance(result, Lost) else result
            crops.update(zip(shard.crop_paths, read, strict=True))
            advance(len(read))
    return crops


def reread_shard(shard: RereadShard) -> list[Reread]:
    """Return the digest and size of each crop of the shard, in its order."""
    root = shard.sku_root
    paths = ((f"{root}/{path}", -1) for path in shard.crop_paths)
    return [_reread(data, shard.formats) for data in store_at(root).read_each(paths)]


def _reread(data: bytes | OSError, formats: tuple[str, ...]) -> Reread:
    if isinstance(data, OSError):
        return Reread(None, None)
    digest = hashlib.sha256(data).hexdigest()
    try:
        return Reread(digest, decode(io.BytesIO(data), formats).size)
    except Refused:
        return Reread(digest, None)

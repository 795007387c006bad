"""The two contract files of a split, read from disk."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from df2_assets.dataset.metadata import ImageText, RawSkuMetadata, Sku, SkuMetadata, line_type
from df2_assets.errors import MissingTableError
from df2_assets.store import state
from df2_assets.store.layout import Roots

_CHUNK: Final = 1024 * 1024

_decode_sku: Final = msgspec.json.Decoder(Sku).decode


def read_metadata(roots: Roots, split: str) -> SkuMetadata:
    """Return the metadata of a split. Raises MissingTableError where it is missing or not whole."""
    path = roots.sku_metadata(split)
    with _require_whole(str(path), "sku_metadata", split):
        return msgspec.json.decode(path.read_bytes(), type=SkuMetadata)


def read_skus(roots: Roots, split: str) -> Iterator[tuple[str, Sku]]:
    """Yield the SKUs of a split's metadata with their ids, decoding one at a time.

    Raises MissingTableError as `read_metadata` does.
    """
    path = roots.sku_metadata(split)
    with _require_whole(str(path), "sku_metadata", split):
        document = msgspec.json.decode(path.read_bytes(), type=RawSkuMetadata)
        for sku_id, sku in document.skus.items():
            yield sku_id, _decode_sku(sku)


def read_image_text(roots: Roots, split: str) -> list[ImageText]:
    """Return the lines of the JSONL, with the further texts that it was written with.

    Raises MissingTableError as `read_metadata` does.
    """
    path = roots.image_text(split)
    decode = msgspec.json.Decoder(line_type(*state.load(roots, split).texts.keys)).decode
    with _require_whole(str(path), "image_text", split), path.open("rb") as file:
        return [decode(line) for line in file]


def hash_skus(roots: Roots, split: str) -> dict[str, int]:
    """Return a hash of each SKU in the metadata on disk, by id; none where it is not whole."""
    try:
        data = roots.sku_metadata(split).read_bytes()
        document = msgspec.json.decode(data, type=RawSkuMetadata)
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
    return {sku_id: hash(bytes(sku)) for sku_id, sku in document.skus.items()}


def hash_lines(roots: Roots, split: str) -> dict[str, int]:
    """Return a hash of each line of the JSONL by crop path, up to the first damaged line."""
    decode = msgspec.json.Decoder(ImageText).decode
    hashes: dict[str, int] = {}
    with (
        suppress(FileNotFoundError, msgspec.DecodeError),
        roots.image_text(split).open("rb") as file,
    ):
        hashes.update((decode(line).image_path, hash(line)) for line in file)
    return hashes


def metadata_version(roots: Roots, split: str) -> str:
    """Return the data version of the metadata on disk: a digest of all of it but the roots.

    Raises MissingTableError where it is missing.
    """
    path = roots.sku_metadata(split)
    with _require_whole(str(path), "sku_metadata", split), path.open("rb") as file:
        version = hashlib.sha256(without_roots(file.read(_CHUNK)))
        while chunk := file.read(_CHUNK):
            version.update(chunk)
    return version.hexdigest()


def without_roots(start: bytes) -> bytes:
    """Return the start of a metadata document without its third and fourth line: the roots."""
    lines = start.split(b"\n", 4)
    return b"\n".join(lines[:2] + lines[4:])


@contextmanager
def _require_whole(path: str, asset: str, split: str) -> Iterator[None]:
    try:
        yield
        return
    except FileNotFoundError:
        problem = "is not there"
    except msgspec.DecodeError as error:
        problem = f"is not whole ({error})"
    raise MissingTableError(f"{path} {problem}: materialize {asset} for {split}.")

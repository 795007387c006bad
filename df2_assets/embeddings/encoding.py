"""Encoding a batch of crops, in a worker process or in a thread of the build."""

import hashlib
import io
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from PIL import Image

from df2_assets.embeddings.encoders import Encoder, resolve_encoder
from df2_assets.errors import Df2Error, EncoderError, ProvenanceError, describe_exception
from df2_assets.store.location import store_at

if TYPE_CHECKING:
    from df2_assets.embeddings.encoders import Vectors

_calling: Final = Lock()
"""Held while an encoder is called, because few models can be called twice at the same time."""


class Batch(NamedTuple):
    """Crops that are encoded together, by their paths below `sku_root` and their SHA-256.

    `encoder` is a name as DF2_ENCODER has it, `number` that of the batch. `remedy` is the command
    that makes missing crops.
    """

    encoder: str
    fingerprint: str
    number: int
    remedy: str
    sku_root: str
    digests: list[str]
    crop_paths: list[str]

    def error(self, what: str) -> EncoderError:
        """Return the error of an encoder that does `what` with this batch."""
        first, last = self.crop_paths[0], self.crop_paths[-1]
        return EncoderError(
            f"The encoder {self.encoder} {what}. This is batch {self.number}: "
            f"{len(self.crop_paths)} crops from {first} to {last}. What is encoded is "
            "kept. Fix the encoder, and run df2-assets embed"
        )


def encode_batch(batch: Batch) -> "Vectors":
    """Return the vectors of the crops of a batch: an array `(n, d)` of float16 or float32.

    Raises EncoderError, which names the batch and, where possible, the crop, where the encoder
    raises or returns anything else. Raises ProvenanceError where a crop is missing or damaged, or
    has changed since it was listed.
    """
    encoder = resolve_encoder(batch.encoder)
    if encoder.fingerprint != batch.fingerprint:
        raise EncoderError(
            f"The encoder {batch.encoder} is '{encoder.fingerprint}' in a worker and "
            f"'{batch.fingerprint}' where the run started: install the same versions everywhere"
        )
    images = [*_open_each(batch)]
    try:
        output = _call(encoder, images)
    except Df2Error:
        raise
    except Exception as error:
        raise batch.error(_describe_failure(encoder, images, batch, error)) from error
    return _require_vectors(output, batch)


def _open_each(batch: Batch) -> Iterator[Image.Image]:
    """Yield the crops as RGB pictures."""
    paths = [f"{batch.sku_root}/{path}" for path in batch.crop_paths]
    files = store_at(batch.sku_root).open_each(paths)
    for path, digest, file in zip(batch.crop_paths, batch.digests, files, strict=True):
        data = b"" if isinstance(file, OSError) else file.read()
        if hashlib.sha256(data).hexdigest() != digest:
            raise ProvenanceError(
                f"{path} is missing or has changed since it was made: run {batch.remedy}"
            )
        try:
            with Image.open(io.BytesIO(data)) as image:
                picture = image.convert("RGB")
        except Exception as error:
            raise ProvenanceError(
                f"{path} cannot be decoded ({describe_exception(error)}): run {batch.remedy}"
            ) from error
        yield picture


def _call(encoder: Encoder, images: list[Image.Image]) -> Any:
    prepared = [encoder.prepare(image) for image in images]
    with _calling:
        return encoder.encode(prepared)


def _describe_failure(
    encoder: Encoder, images: list[Image.Image], batch: Batch, error: Exception
) -> str:
    """Return what an encoder raised, for which crop if it raises for that crop alone as well."""
    for image, path in zip(images, batch.crop_paths, strict=True):
        try:
            _call(encoder, [image])
        except Exception as of_image:
            return f"raised {describe_exception(of_image)} for {path}"
    return f"raised {describe_exception(error)}"


def _require_vectors(output: Any, batch: Batch) -> "Vectors":
    """Return the output of an encoder as vectors. Raises EncoderError where it has none."""
    import numpy as np

    try:
        values = np.asarray(output)
        kind = np.dtype(np.float16 if values.dtype == np.float16 else np.float32)
        with np.errstate(over="ignore"):  # a value that is too large becomes infinite, see below
            vectors: Vectors = values.astype(kind, copy=False)
    except Exception as error:
        raise batch.error(f"returned no array ({describe_exception(error)})") from error
    count = len(batch.crop_paths)
    if vectors.ndim != 2 or len(vectors) != count or not vectors.shape[1]:
        shape = " by ".join(map(str, vectors.shape)) or "one value"
        raise batch.error(f"returned {shape} for {count} crops, instead of one row per crop")
    wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(wrong):
        more = f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        raise batch.error(f"returned NaN or infinity for {batch.crop_paths[wrong[0]]}{more}")
    return vectors

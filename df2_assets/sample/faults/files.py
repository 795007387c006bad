"""Annotation files that cannot be used, or whose image cannot."""

import io
import struct
from collections.abc import Callable
from typing import Final

from PIL import Image

from df2_assets.dataset.annotations import MAX_BYTES
from df2_assets.dataset.reasons import Reason
from df2_assets.sample.faults.fault import PAIRING, Draft, Fault, Scope, untouched

_SIZE_MARKERS: Final = (0xC0, 0xC1, 0xC2)
"""The JPEG segments that say how large the image is."""


def _rewritten(name: str, rewrite: Callable[[bytes], bytes], reason: Reason) -> Fault:
    def spoil(draft: Draft) -> None:
        draft.text = rewrite(draft.annotation)

    return Fault(name, spoil, reason, scope="file")


def _lacks(field: str) -> Fault:
    def spoil(draft: Draft) -> None:
        del draft.labels[field]

    return Fault(f"file without {field}", spoil, Reason.MISSING_FIELD, scope="file")


def _has(name: str, field: str, value: object, reason: Reason) -> Fault:
    def spoil(draft: Draft) -> None:
        draft.labels[field] = value

    return Fault(name, spoil, reason, scope="file")


def _image(
    name: str, change: Callable[[bytes], bytes], reason: Reason, scope: Scope = "file"
) -> Fault:
    def spoil(draft: Draft) -> None:
        draft.image = change(draft.image)

    return Fault(name, spoil, reason, scope=scope)


def _as_format(name: str) -> Callable[[bytes], bytes]:
    def change(jpeg: bytes) -> bytes:
        buffer = io.BytesIO()
        Image.open(io.BytesIO(jpeg)).save(buffer, name)
        return buffer.getvalue()

    return change


def _claims(width: int, height: int) -> Callable[[bytes], bytes]:
    """The same JPEG with another size in its header."""

    def change(jpeg: bytes) -> bytes:
        at = 2
        while jpeg[at + 1] not in _SIZE_MARKERS:
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]

    return change


def _pair_id_twice(text: bytes) -> bytes:
    return b'{"pair_id": 1, ' + text[1:]


FILE_FAULTS: Final = (
    _rewritten("annotation cut off", lambda text: text[: len(text) // 2], Reason.UNREADABLE_JSON),
    _rewritten("empty annotation file", lambda text: b"", Reason.UNREADABLE_JSON),
    _rewritten(
        "annotation that is not UTF-8",
        lambda text: text.replace(b"source", b"s\xf6urce"),
        Reason.UNREADABLE_JSON,
    ),
    _rewritten("annotation nested too deeply", lambda text: b"[" * 200_000, Reason.UNREADABLE_JSON),
    _rewritten(
        "annotation over 16 MB", lambda text: text.ljust(MAX_BYTES + 1), Reason.UNREADABLE_JSON
    ),
    _rewritten("annotation in a list", lambda text: b"[" + text + b"]", Reason.NOT_AN_OBJECT),
    _rewritten("annotation that is null", lambda text: b"null", Reason.NOT_AN_OBJECT),
    _lacks("source"),
    _lacks("pair_id"),
    _has("pair_id below 0", "pair_id", -1, Reason.WRONG_FIELD),
    _has("pair_id of seven digits", "pair_id", 1_000_000, Reason.WRONG_FIELD),
    _has("pair_id as text", "pair_id", "17", Reason.WRONG_FIELD),
    _has("pair_id that is true", "pair_id", True, Reason.WRONG_FIELD),
    _rewritten("pair_id twice", _pair_id_twice, Reason.WRONG_FIELD),
    _has("source of another kind", "source", "studio", Reason.UNKNOWN_SOURCE),
    _has("source in capitals", "source", "Shop", Reason.UNKNOWN_SOURCE),
    _has("source null", "source", None, Reason.UNKNOWN_SOURCE),
    Fault(
        "annotation without an image",
        untouched,
        Reason.MISSING_IMAGE,
        (PAIRING,),
        scope="file",
        image_suffix=None,
    ),
    Fault(
        "image that is called .jpeg",
        untouched,
        Reason.MISSING_IMAGE,
        (PAIRING,),
        scope="file",
        image_suffix=".jpeg",
    ),
    Fault("image without an annotation", untouched, None, (PAIRING,), "file", annotated=False),
    _image("PNG called .jpg", _as_format("PNG"), Reason.NOT_A_JPEG),
    _image("GIF called .jpg", _as_format("GIF"), Reason.NOT_A_JPEG),
    _image("web page called .jpg", lambda _: b"<html>404 Not Found</html>", Reason.NOT_A_JPEG),
    _image("empty image file", lambda _: b"", Reason.NOT_A_JPEG),
    _image("image with half a header", lambda jpeg: jpeg[:30], Reason.UNREADABLE_IMAGE),
    _image(
        "image with a header of zeros",
        lambda jpeg: jpeg[:2].ljust(len(jpeg), b"\0"),
        Reason.UNREADABLE_IMAGE,
    ),
    _image(
        "image cut off in the middle",
        lambda jpeg: jpeg[: len(jpeg) // 2],
        Reason.UNREADABLE_IMAGE,
        "crops",
    ),
    _image(
        "image cut off near its end",
        lambda jpeg: jpeg[: len(jpeg) * 9 // 10],
        Reason.UNREADABLE_IMAGE,
        "crops",
    ),
    _image("image that claims 900 megapixels", _claims(30_000, 30_000), Reason.IMAGE_TOO_LARGE),
    _image("image that claims 90 megapixels", _claims(10_000, 9_000), Reason.IMAGE_TOO_LARGE),
)

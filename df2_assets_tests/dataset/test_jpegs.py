"""Damaged JPEGs are refused with a reason, and intact ones of every kind are not."""

import io
from random import Random
from typing import Any

import pytest
from PIL import Image

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.cropping import decode, image_size
from df2_assets_tests.support import jpegs
from df2_assets_tests.support.builder import jpeg, png
from df2_assets_tests.support.jpegs import Damage

INTACT = 400
DAMAGED = 12

KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "optimized": {"optimize": True},
    "progressive": {"progressive": True},
    "with restarts": {"restart_marker_rows": 1},
    "grey": {"mode": "L"},
    "CMYK": {"mode": "CMYK"},
}


def draw(kind: str, number: int, size: tuple[int, int] = (320, 240), quality: int = 85) -> bytes:
    """Return a photo, outdoors or in a studio."""
    rng, options = Random(number), dict(KINDS[kind])
    picture = (jpegs.photo, jpegs.studio)[number % 2](size, rng)
    out = io.BytesIO()
    picture.convert(options.pop("mode", "RGB")).save(out, "JPEG", quality=quality, **options)
    return out.getvalue()


def refusal(data: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        decode(io.BytesIO(data))
    return caught.value


def is_refused(data: bytes) -> bool:
    try:
        decode(io.BytesIO(data))
    except Refused:
        return True
    return False


def pixels(data: bytes) -> bytes:
    """Return the pixels that Pillow decodes from an image, damaged or not."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").tobytes()


def test_an_intact_image_of_any_kind_is_decoded_as_pillow_does() -> None:
    sizes = (*jpegs.ODD_SIZES, (97, 55), (161, 243))
    for number in range(INTACT):
        data = jpegs.intact(Random(number), sizes)
        assert decode(io.BytesIO(data)).tobytes() == pixels(data), number


@pytest.mark.parametrize("grey", [0, 127, 128, 129, 255])
@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_picture_is_not_taken_for_damage(kind: str, grey: int) -> None:
    """It has zeros in a row, and is as grey as missing blocks."""
    options = dict(KINDS[kind])
    picture = Image.new("RGB", (640, 480), (grey, grey, grey)).convert(options.pop("mode", "RGB"))
    out = io.BytesIO()
    picture.save(out, "JPEG", **options)
    assert not is_refused(out.getvalue())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [b"\0" * 700, b"\xff", b"\r\n", b"\xff\xd9", jpeg((33, 20))])
def test_bytes_after_the_end_marker_are_not_taken_for_damage(kind: str, more: bytes) -> None:
    data = draw(kind, 1)
    assert decode(io.BytesIO(data + more)).tobytes() == pixels(data)
    fill_template = data[:-2] + b"\xff\xff" + data[-2:]
    assert decode(io.BytesIO(fill_template + more)).tobytes() == pixels(data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", [jpegs.zero_tail, jpegs.taller, jpegs.full_run])
def test_a_file_that_ends_early_or_is_overwritten_is_refused(kind: str, damage: Damage) -> None:
    for number in range(DAMAGED):
        assert is_refused(damage(draw(kind, number), Random(number))), number


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_damaged_by_text_mode_transfer_is_refused(kind: str) -> None:
    for number in range(0, DAMAGED, 2):
        data = jpegs.translate_line_feeds(draw(kind, number), Random(number))
        assert is_refused(data), number


@pytest.mark.parametrize("kind", ["baseline", "optimized", "grey", "CMYK"])
@pytest.mark.parametrize("damage", [jpegs.zero_run, jpegs.random_run])
def test_a_block_that_is_overwritten_in_a_baseline_image_is_refused(
    kind: str, damage: Damage
) -> None:
    for number in range(0, DAMAGED, 2):
        assert is_refused(damage(draw(kind, number), Random(number))), number


@pytest.mark.parametrize("damage", [jpegs.splice, jpegs.lose_a_block, jpegs.repeat_a_block])
def test_blocks_in_a_wrong_place_are_refused_unless_everything_happens_to_fit(
    damage: Damage,
) -> None:
    """If it fits, libjpeg does not warn either: only a checksum would reveal the damage."""
    refused = [is_refused(damage(draw("baseline", n), Random(n))) for n in range(4 * DAMAGED)]
    assert sum(refused) >= 0.85 * len(refused)


@pytest.mark.parametrize("kind", ["progressive", "with restarts"])
def test_zeros_in_the_place_of_a_sector_of_any_image_are_refused(kind: str) -> None:
    for number in range(0, DAMAGED, 2):
        data = draw(kind, number)
        at = len(data) // 2
        assert is_refused(data[:at] + bytes(512) + data[at + 512 :]), number


def test_the_detail_says_how_the_file_is_damaged() -> None:
    data = draw("baseline", 0)
    tail = data[: len(data) // 2] + bytes(90_000)
    assert refusal(tail).detail.endswith("no end marker, the last 90,000 bytes are zeros")
    assert refusal(jpegs.taller(data, Random(0))).detail.endswith("end before the picture does")
    assert (
        "carriage return"
        in refusal(jpegs.translate_line_feeds(draw("progressive", 0), Random(0))).detail
    )


def test_one_or_two_surplus_bytes_are_not_taken_for_damage() -> None:
    data = draw("baseline", 0)
    for count in (1, 2):
        assert not is_refused(data[:-2] + bytes(count) + data[-2:])
    assert is_refused(data[:-2] + bytes(20) + data[-2:])


def frame(data: bytes, **changes: int) -> bytes:
    """Return a baseline JPEG with changes to its frame: marker, bits, height, components."""
    at = data.index(b"\xff\xc0")
    head = bytearray(data[at : at + 10])
    head[1] = changes.get("marker", head[1])
    head[4] = changes.get("bits", head[4])
    head[5:7] = changes.get("height", int.from_bytes(head[5:7])).to_bytes(2)
    head[9] = changes.get("components", head[9])
    return data[:at] + bytes(head) + data[at + 10 :]


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"bits": 12}, "12 bits per sample are not supported, only 8"),
        ({"marker": 0xC1, "bits": 12}, "12 bits per sample are not supported, only 8"),
        ({"marker": 0xC3, "bits": 16}, "16 bits per sample are not supported, only 8"),
        ({"height": 0}, "a height that only follows the first scan (DNL) is not supported"),
        ({"components": 2}, "2 components per pixel are not supported, only 1, 3 or 4"),
        ({"components": 5}, "5 components per pixel are not supported, only 1, 3 or 4"),
        ({"marker": 0xF7}, "JPEG-LS is not supported"),
    ],
)
def test_a_jpeg_that_cannot_be_opened_is_refused_with_its_kind(
    changes: dict[str, int], detail: str
) -> None:
    for read in (decode, image_size):
        with pytest.raises(Refused) as refused:
            read(io.BytesIO(frame(jpeg(), **changes)))
        assert (refused.value.reason, refused.value.detail) == ("unreadable_image", detail)


@pytest.mark.parametrize(
    ("marker", "detail"),
    [
        (0xC3, "lossless JPEG of this kind is not supported"),
        (0xC5, "hierarchical JPEG is not supported"),
        (0xC6, "hierarchical JPEG is not supported"),
        (0xCB, "lossless JPEG of this kind is not supported"),
        (0xCA, "arithmetic coding of this kind is not supported"),
        (0xCD, "hierarchical JPEG is not supported"),
    ],
)
def test_a_jpeg_that_cannot_be_decoded_is_refused_with_its_kind(marker: int, detail: str) -> None:
    assert refusal(frame(jpeg(), marker=marker)).detail == detail


def test_a_header_that_is_cut_short_is_named() -> None:
    for length in (2, 3, 20, 100):
        assert refusal(jpeg()[:length]).detail == "the header is damaged or cut short"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "the file is empty"),
        (bytes(900), "the file holds nothing but zeros"),
        (png(), "the content is a PNG, not a JPEG"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "the content is a WebP, not a JPEG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "the content is a HEIC, not a JPEG"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1", "the content is an AVIF, not a JPEG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "the content is a JPEG 2000, not a JPEG"),
        (b"\xff\x4f\xff\x51\0\x2f", "the content is a JPEG 2000, not a JPEG"),
        (b"\xff\x0a\xfa\x1f", "the content is a JPEG XL, not a JPEG"),
        (b"\n<!DOCTYPE html>", "the content is a web page or XML, not a JPEG"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer, not a JPEG"),
        (b"anything else", "the content is not a JPEG"),
    ],
)
def test_a_file_that_is_not_a_jpeg_is_refused_with_its_format(data: bytes, detail: str) -> None:
    for read in (decode, image_size):
        with pytest.raises(Refused) as refused:
            read(io.BytesIO(data))
        assert refused.value.reason == "not_a_jpeg"
        assert refused.value.detail.endswith(detail)

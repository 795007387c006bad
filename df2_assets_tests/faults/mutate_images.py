"""Images that are damaged, have the wrong format, or are odd but valid.

All choices come from one `random.Random`.
"""

import io
import struct
from collections.abc import Callable
from random import Random
from typing import Any, Final

from PIL import Image

from df2_assets_tests.support.builder import KINDS, claiming, headless, jpeg, truncated

Change = Callable[[bytes, Random], bytes]


def image(rng: Random) -> tuple[str, bytes]:
    """Return what was done to an image, and the bytes of the file."""
    if rng.random() < 0.2:
        make = rng.choice(OTHERS)
        name, data = make.__name__, make(rng)
    else:
        name, data = "jpeg", _jpeg(rng)
    done = [name]
    for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 4))):
        change = rng.choice(CHANGES)
        data = change(data, rng)
        done.append(change.__name__)
    return " ".join(name.strip("_") for name in done), data


EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\xff\xff\0\0\0\0\0\0"
OPTIONS: Final[tuple[dict[str, Any], ...]] = (
    *({"subsampling": 0}, {"subsampling": 2, "optimize": True}, {"restart_marker_blocks": 1}),
    *({"progressive": True, "restart_marker_rows": 1}, {"quality": 100}, {"quality": 1}),
    *({"keep_rgb": True}, {"dpi": (300, 300), "icc_profile": b"no profile at all"}, {"exif": EXIF}),
)


def _jpeg(rng: Random) -> bytes:
    """Return an intact JPEG of any kind."""
    size = rng.choice(((70, 60), (33, 47), (160, 120), (8, 8), (1, 1), (300, 2)))
    if rng.random() < 0.6:
        return jpeg(size, rng.choice(KINDS), rng.randrange(40))
    picture = Image.open(io.BytesIO(jpeg(size, "rgb", rng.randrange(40))))
    return _saved(picture, "JPEG", **rng.choice(OPTIONS))


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _drawn(rng: Random, mode: str) -> Image.Image:
    picture = Image.open(io.BytesIO(jpeg((40, 30), "rgb", rng.randrange(9))))
    return picture.convert(mode)


def png(rng: Random) -> bytes:
    """Return a PNG: colour, palette, grey of 16 bits, black and white, transparent."""
    mode = rng.choice(("RGB", "P", "I;16", "1", "RGBA", "LA"))
    deep = mode == "I;16"
    return _saved(Image.new(mode, (40, 30), 40_000) if deep else _drawn(rng, mode), "PNG")


def gif(rng: Random) -> bytes:
    return _saved(_drawn(rng, "P"), "GIF")


def webp(rng: Random) -> bytes:
    return _saved(_drawn(rng, "RGB"), "WEBP", lossless=rng.random() < 0.5)


def bmp(rng: Random) -> bytes:
    return _saved(_drawn(rng, rng.choice(("RGB", "L"))), "BMP")


def tiff(rng: Random) -> bytes:
    """Return a TIFF, sometimes one that holds a JPEG."""
    compression = rng.choice((None, "jpeg", "tiff_lzw"))
    return _saved(_drawn(rng, "RGB"), "TIFF", compression=compression)


def netpbm(rng: Random) -> bytes:
    return _saved(_drawn(rng, "RGB"), "PPM")


def heic(rng: Random) -> bytes:
    """Return the header of a photo from a phone, and noise after it."""
    brand = rng.choice((b"heic", b"heix", b"mif1", b"avif"))
    return struct.pack(">I", 24) + b"ftyp" + brand + b"\0\0\0\0mif1heic" + rng.randbytes(400)


def text(rng: Random) -> bytes:
    texts = (b"", b"\0", b"<html>404</html>", b"%PDF-1.7\n", b"GIF89a", b"\xff", b"\xff\xd8")
    return rng.choice(texts)


def noise(rng: Random) -> bytes:
    return rng.randbytes(rng.randint(1, 3000))


def zeros(rng: Random) -> bytes:
    return bytes(rng.randint(1, 3000))


OTHERS: Final[tuple[Callable[[Random], bytes], ...]] = (
    *(png, png, gif, webp, bmp, tiff, netpbm, heic, text, noise, zeros),
)


def cut_anywhere(data: bytes, rng: Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def cut_in_its_header(data: bytes, rng: Random) -> bytes:
    return headless(data) if b"\xff\xc0" in data else data[:20]


def cut_in_its_pixels(data: bytes, rng: Random) -> bytes:
    return truncated(data) if b"\xff\xda" in data else data[:-1]


def flip_bits(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 5, 50))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def flip_bits_of_its_header(data: bytes, rng: Random) -> bytes:
    end = data.find(b"\xff\xda") + 14
    return flip_bits(data[:end], rng) + data[end:]


def claim_a_size(data: bytes, rng: Random) -> bytes:
    """Claim another size, up to a decompression bomb, but not just below the limit, to be quick."""
    sides = (0, 1, 7, 16, 200, 999, 60_000, 65_535)
    width, height = rng.choice(sides), rng.choice(sides)
    return claiming(data, width, height) if b"\xff\xc0" in data else data


def claim_other_channels(data: bytes, rng: Random) -> bytes:
    """Claim other bits per sample, or another number of components."""
    at = data.find(b"\xff\xc0") + 4
    if at < 4:
        return data
    precision, components = rng.choice(((12, 3), (16, 3), (8, 2), (8, 0), (8, 4), (8, 255), (0, 3)))
    size = data[at + 1 : at + 5]
    return data[:at] + bytes([precision, *size, components]) + data[at + 6 :]


def be_of_another_process(data: bytes, rng: Random) -> bytes:
    """Claim to be lossless, hierarchical or arithmetic."""
    marker = rng.choice((0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xF7))
    return data.replace(b"\xff\xc0", bytes([0xFF, marker]), 1)


def lose_a_segment(data: bytes, rng: Random) -> bytes:
    """Remove a segment: quantization or Huffman tables, the frame, the scan, the end."""
    marker = rng.choice((b"\xff\xdb", b"\xff\xc4", b"\xff\xc0", b"\xff\xda", b"\xff\xd9"))
    at = data.find(marker)
    if at < 0:
        return data
    length = int.from_bytes(data[at + 2 : at + 4], "big") if marker != b"\xff\xd9" else 0
    return data[:at] + data[at + 2 + length :]


def lie_about_a_length(data: bytes, rng: Random) -> bytes:
    at = data.find(rng.choice((b"\xff\xe0", b"\xff\xdb", b"\xff\xc4", b"\xff\xda")))
    length = rng.choice((0, 1, 2, 3, 0x7FFF, 0xFFFF)).to_bytes(2, "big")
    return data if at < 0 else data[: at + 2] + length + data[at + 4 :]


def add_a_segment(data: bytes, rng: Random) -> bytes:
    """Add a segment: a comment, Exif with a thumbnail, a colour profile, or an unknown one."""
    exif = b"Exif\0\0II*\0\xff\xff\xff\x7f"
    content = rng.choice((b"", b"Exif\0\0", exif, b"ICC_PROFILE\0\x01\xff"))
    content += rng.randbytes(rng.choice((0, 20, 60_000)))
    marker = rng.choice((0xFE, 0xE1, 0xE2, 0xED, 0xEE, 0xEF, 0xDD, 0x01))
    head = bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big")
    return data[:2] + head + content + data[2:]


def add_before_it(data: bytes, rng: Random) -> bytes:
    return rng.choice((b"\0", b"\n", b"\xff", b"\xff\xd8", b"HTTP/1.1 200 OK\r\n\r\n")) + data


def add_after_it(data: bytes, rng: Random) -> bytes:
    return data + rng.choice((b"\0" * 500, b"PK\x03\x04", b"<script>", data, rng.randbytes(99)))


def blank_a_part(data: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    end = min(len(data), start + rng.choice((1, 16, 512)))
    return data[:start] + rng.choice((b"\0", b"\xff")) * (end - start) + data[end:]


CHANGES: Final[tuple[Change, ...]] = (
    *(cut_anywhere, cut_anywhere, cut_anywhere, cut_in_its_header, cut_in_its_pixels),
    *(flip_bits, flip_bits, flip_bits_of_its_header, claim_a_size, claim_other_channels),
    *(be_of_another_process, lose_a_segment, lie_about_a_length, add_a_segment, add_before_it),
    *(add_after_it, blank_a_part),
)

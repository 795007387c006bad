"""Intact JPEGs of every kind, and the damage that storage and transfers do to them.

All choices come from one `random.Random`.
"""

import io
from collections.abc import Callable
from random import Random
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFilter

Damage = Callable[[bytes, Random], bytes]

SIZES: Final = ((468, 624), (300, 300), (224, 224), (161, 243), (97, 55), (640, 480))
ODD_SIZES: Final = ((1, 1), (8, 8), (17, 16), (300, 2), (2, 300), (33, 47))


def _noise(size: tuple[int, int], grain: int, rng: Random) -> Image.Image:
    width, height = max(1, size[0] // grain), max(1, size[1] // grain)
    small = Image.frombytes("RGB", (width, height), rng.randbytes(3 * width * height))
    return small.resize(size, Image.Resampling.BICUBIC)


def photo(size: tuple[int, int], rng: Random) -> Image.Image:
    """Draw shapes, shades and grain."""
    picture = Image.blend(_noise(size, 40, rng), _noise(size, 9, rng), 0.3)
    return Image.blend(picture, _noise(size, 2, rng), rng.uniform(0.05, 0.3))


def studio(size: tuple[int, int], rng: Random) -> Image.Image:
    """Draw a garment on a plain background: white, black, grey or a colour."""
    grey = rng.choice((0, 127, 128, 129, rng.randrange(256)))
    white, color = (255, 255, 255), (rng.randrange(256), rng.randrange(256), rng.randrange(256))
    background = rng.choice((white, white, (grey, grey, grey), color))
    mask = Image.new("L", size)
    width, height = size
    left, top = rng.randrange(width // 2 + 1), rng.randrange(height // 2 + 1)
    right, bottom = rng.randrange(left, width), rng.randrange(top, height)
    ImageDraw.Draw(mask).ellipse((left, top, right, bottom), fill=255)
    if rng.random() < 0.5:
        mask = mask.filter(ImageFilter.GaussianBlur(3))
    picture = Image.new("RGB", size, background)
    picture.paste(photo(size, rng), mask=mask)
    return picture


def plain(size: tuple[int, int], rng: Random) -> Image.Image:
    grey = rng.choice((0, 64, 127, 128, 129, 255))
    return Image.new("RGB", size, (grey, grey, grey))


def gradient(size: tuple[int, int], rng: Random) -> Image.Image:
    shade = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", [shade, shade.rotate(rng.choice((0, 180))), shade])


def noise(size: tuple[int, int], rng: Random) -> Image.Image:
    return _noise(size, 1, rng)


def stripes(size: tuple[int, int], rng: Random) -> Image.Image:
    """Draw the same block repeatedly."""
    cell = _noise((8 * rng.randint(1, 3), 8 * rng.randint(1, 3)), rng.choice((1, 4)), rng)
    picture = Image.new("RGB", size)
    for x in range(0, size[0], cell.width):
        for y in range(0, size[1], cell.height):
            picture.paste(cell, (x, y))
    return picture


CONTENTS: Final = (photo, photo, studio, studio, studio, plain, gradient, noise, stripes)


def encode(picture: Image.Image, rng: Random) -> bytes:
    """Encode a picture with options of all kinds, some of them together."""
    options: dict[str, Any] = {
        "format": "JPEG",
        "quality": rng.choice((30, 60, 75, 75, 80, 85, 90, 92, 95, 98, 100)),
        "subsampling": rng.choice((0, 1, 2, 2)),
        "progressive": rng.random() < 0.3,
        "optimize": rng.random() < 0.4,
    }
    if rng.random() < 0.2:
        options |= rng.choice(
            ({"restart_marker_blocks": rng.randint(1, 40)}, {"restart_marker_rows": 1})
        )
    kind = rng.random()
    if kind < 0.1:
        picture = picture.convert("L")
    elif kind < 0.2:
        picture = picture.convert("CMYK")
    elif kind < 0.25:
        options |= {"keep_rgb": True, "subsampling": 0}
    elif kind < 0.3:
        options |= {"format": "MPO", "save_all": True, "append_images": [picture.resize((64, 48))]}
    if rng.random() < 0.2:
        options["comment"] = rng.choice((b"taken in a shop", b"\xff\xd9 and \xff\xda", b"\r\n" * 9))
    if rng.random() < 0.2:
        thumbnail = io.BytesIO()
        picture.resize((16, 16)).convert("RGB").save(thumbnail, "JPEG")
        options["exif"] = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + thumbnail.getvalue()
    out = io.BytesIO()
    try:
        picture.save(out, **options)
    except OSError:  # Pillow's buffer is too small for some noise, which it has to hold as a whole
        out = io.BytesIO()
        picture.save(out, **options | {"progressive": False, "optimize": False})
    data = out.getvalue()
    if rng.random() < 0.15:
        data += rng.choice((b"\0" * 700, b"left over" * 90, b"\xff", b"\r\n", data, b"\xff\xd9"))
    return data


def intact(rng: Random, sizes: tuple[tuple[int, int], ...] = SIZES + ODD_SIZES) -> bytes:
    """Return an intact JPEG of any kind."""
    return encode(rng.choice(CONTENTS)(rng.choice(sizes), rng), rng)


def scan(data: bytes) -> tuple[int, int]:
    """Return where the data of the first scan begin, and where the end marker is."""
    at = data.index(b"\xff\xda")
    return at + 2 + int.from_bytes(data[at + 2 : at + 4]), data.index(b"\xff\xd9", at)


def _inside(data: bytes, rng: Random) -> int:
    """Return an offset well inside the data."""
    start, end = scan(data)
    return rng.randrange(start + (end - start) // 10, end - (end - start) // 4)


def zero_tail(data: bytes, rng: Random) -> bytes:
    """Return a download that stopped, in a file of the full length."""
    at = _inside(data, rng)
    return data[:at] + bytes(len(data) - at)


def translate_line_feeds(data: bytes, rng: Random) -> bytes:
    return data.replace(b"\n", b"\r\n")


def translate_carriage_returns(data: bytes, rng: Random) -> bytes:
    start, _ = scan(data)
    return data[:start] + data[start:].replace(b"\r", b"\n\r")


def _overwrite(data: bytes, at: int, content: bytes) -> bytes:
    end = min(at + len(content), scan(data)[1])
    return data[:at] + content[: end - at] + data[end:]


def zero_run(data: bytes, rng: Random) -> bytes:
    return _overwrite(data, _inside(data, rng), bytes(rng.choice((64, 200, 512, 4096))))


def full_run(data: bytes, rng: Random) -> bytes:
    return _overwrite(data, _inside(data, rng), b"\xff" * rng.choice((16, 512, 4096)))


def random_run(data: bytes, rng: Random) -> bytes:
    return _overwrite(data, _inside(data, rng), rng.randbytes(rng.choice((512, 4096))))


def splice(data: bytes, rng: Random) -> bytes:
    """Replace a block of data by one of another picture."""
    out = io.BytesIO()
    photo((468, 624), rng).save(out, "JPEG", quality=85)
    start, _ = scan(out.getvalue())
    block = out.getvalue()[start + 512 : start + rng.choice((1024, 4096))]
    return _overwrite(data, _inside(data, rng), block)


def lose_a_block(data: bytes, rng: Random) -> bytes:
    at = _inside(data, rng)
    return data[:at] + data[at + 512 :]


def repeat_a_block(data: bytes, rng: Random) -> bytes:
    at = _inside(data, rng)
    return data[:at] + data[max(0, at - 512) :]


def taller(data: bytes, rng: Random) -> bytes:
    """Return an image whose header claims more rows than there are."""
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        if (at := data.find(marker)) >= 0:
            height = int.from_bytes(data[at + 5 : at + 7]) + rng.choice((16, 64, 400))
            return data[: at + 5] + height.to_bytes(2) + data[at + 7 :]
    raise ValueError("no frame")


DAMAGES: Final[tuple[Damage, ...]] = (
    *(zero_tail, translate_line_feeds, zero_run, full_run, random_run, splice),
    *(lose_a_block, repeat_a_block, taller, translate_carriage_returns),
)

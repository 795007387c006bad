"""JPEG files: what one is that cannot be decoded, and damage that its decoder lets pass.

libjpeg fills what it cannot read with grey, skips what is left over, and only counts these
warnings, which Pillow does not pass on. `load` therefore watches how far the decoder reads: it
needs the data of an intact image to the last byte, and no more. That cannot be seen of each scan
of a progressive image, which is read to the end in any case: there, zeros, markers and missing
blocks are looked for. A JPEG has no checksum, so damage after which everything fits is not noticed.

Markers, segments and codes are those of ITU-T T.81.
"""

import io
import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import IO, Final, NamedTuple, cast

from PIL import Image, ImageFile

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.reasons import Reason
from df2_assets.errors import escape_untrusted

_DHT, _EOI, _SOS, _DRI, _JPEG_LS = 0xC4, 0xD9, 0xDA, 0xDD, 0xF7
_END: Final = bytes((0xFF, _EOI))
_RESTARTS: Final = range(0xD0, 0xD8)
_NO_SEGMENTS: Final = (0x00, 0x01, *_RESTARTS, 0xD8, 0xFF)
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_PROGRESSIVE: Final = (0xC2, 0xC6, 0xCA, 0xCE)
_ARITHMETIC: Final = range(0xC9, 0xD0)
_LOSSLESS: Final = (0xC3, 0xC7, 0xCB, 0xCF)
_HIERARCHICAL: Final = (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF)
_AFTER_DATA: Final = (_DHT, 0xCC, _EOI, _SOS, 0xDB, 0xDC, _DRI, 0xFE, *range(0xE0, 0xF0))
_MARKER: Final = re.compile(rb"\xff(?![\x00\xff])")
"""A marker after data; in data, a byte 0xFF is followed by 0."""

_SINGLE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
_LINE_FEEDS: Final = 4
"""So many line feeds, all of them after a carriage return, are no coincidence."""

_LEFT_OVER: Final = 3
"""Bytes before the end that the decoder must need. Some cameras write one or two too many."""

_AHEAD: Final = 8
"""Bytes that libjpeg's Huffman decoder reads ahead."""

_ZEROS: Final = bytes(64)
"""In a row, these are a plain background, if anything: a block has 64 values."""

_MANY_ZEROS: Final = bytes(512)
"""With a plain background, scans of DC often have fewer in a row."""

_FILL_BYTES: Final = 16
"""Bytes 0xFF in front of a marker, which may be filled up to a round address."""

_MORE: Final = b"\x55" * 64
_GREY: Final = bytes.maketrans(b"\x7f", b"\x80")
_GREY_ROWS: Final = 8

_OTHER_FORMATS: Final = {
    "a PNG": rb"\x89PNG",
    "a WebP": rb"RIFF....WEBP",
    "a GIF": rb"GIF8",
    "an AVIF": rb"....ftyp(avif|avis)",
    "a HEIC": rb"....ftyp(hei[cfsmx]|hev[cmsx]|mif1|msf1)",
    "a JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "a JPEG XL": rb"\0\0\0\x0cJXL |\xff\x0a",
    "a TIFF": rb"II[*+]\0|MM\0[*+]",
    "a BMP": rb"BM",
    "a PDF": rb"%PDF",
    "a ZIP": rb"PK\x03\x04",
    "a gzip": rb"\x1f\x8b",
    "a web page or XML": rb"\s*<",
    "a Git LFS pointer": rb"version https://git-lfs",
}


class _Scan(NamedTuple):
    """A scan, and what has been defined before it.

    `kind` is the marker of the frame; `frame` and `header` are the contents of the segments SOF and
    SOS. `start` is where the data begin. `interval` counts the blocks between restart markers (0:
    there are none). `tables` are the contents of all segments DHT, the latest last.
    """

    kind: int = 0
    frame: bytes = b""
    header: bytes = b""
    start: int = 0
    interval: int = 0
    tables: bytes = b""

    @property
    def is_one_of_several(self) -> bool:
        return self.kind in _PROGRESSIVE or self.header[:1] != self.frame[5:6]

    @property
    def begins_with_dc(self) -> bool:
        return self.header[-3:-2] == b"\0"

    @property
    def most_zeros(self) -> int:
        """How many zero bytes in a row none of its data have; 0 where any number may be there.

        A refining scan has up to 1,000 bits without a code (libjpeg's MAX_CORR_BITS).
        """
        *components, _, last, bits = self.header[1:]
        is_refining = bits >> 4 > 0
        tables = [0x10 | each & 0x0F for each in components[1::2] if last]
        if self.begins_with_dc and not is_refining:
            tables += [each >> 4 for each in components[1::2]]
        is_plain = _find_plain_tables(self.tables)
        can_be_plain = all(is_plain.get(table, True) for table in tables)
        return 0 if can_be_plain else 3 * len(_ZEROS) if is_refining else len(_ZEROS)


class _Stretch(NamedTuple):
    """Data of a scan between two markers."""

    start: int
    end: int
    scan: _Scan


class _Parts:
    """A file that is read part by part, and counts the parts that were asked for."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = iter(parts)
        self.count = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset

    def read(self, size: int = -1) -> bytes:
        self.count += 1
        return next(self._parts, b"")


def describe_unopened(data: bytes) -> Refused:
    """Return why Pillow does not open a file that begins with `data`."""
    if data[:2] != b"\xff\xd8":
        return Refused(Reason.NOT_A_JPEG, _describe_other(data))
    for marker, content, _ in _segments(data, 2, is_header=True):
        if marker == _JPEG_LS:
            return Refused(Reason.UNREADABLE_IMAGE, "JPEG-LS is not supported")
        if marker in _FRAMES and len(content) >= 6:
            return Refused(Reason.UNREADABLE_IMAGE, _describe_frame(content))
    return Refused(Reason.UNREADABLE_IMAGE, "the header is damaged or cut short")


def load(image: ImageFile.ImageFile, data: bytes) -> None:
    """Decode an image that was opened from `data`. Raises Refused where they show damage."""
    scan = _find_scan(data, 2, _Scan())
    end = data.rfind(_END, scan.start)
    while end > 0 and data[end - 1] == 0xFF:  # a marker may be filled up
        end -= 1
    is_watched, is_alone = scan.kind not in _ARITHMETIC and end > 0, not scan.is_one_of_several
    file = _Parts(data)
    if is_watched:  # an arithmetic decoder cannot wait for the next part
        needed = max(end - _LEFT_OVER, scan.start)
        rest = (data[needed:end] + _MORE[:_AHEAD], _MORE, _END) if is_alone else (data[needed:],)
        file = _Parts(data[:needed], *rest)
    image.fp = cast("IO[bytes]", file)
    try:
        image.load()
    except Exception as error:  # Pillow raises whatever its decoders meet in a damaged file
        raise Refused(Reason.UNREADABLE_IMAGE, _describe_undecoded(scan.kind, error)) from None
    if end < 0:
        raise _damaged(_describe_end(data))
    if is_watched and file.count == 1:
        _require_another_image(data, scan, end)
        return
    if is_watched and is_alone and file.count > 2:
        raise _damaged("they end before the picture does")
    if not _SINGLE_LINE_FEED.search(data, 0, end) and data.count(b"\n", scan.start) >= _LINE_FEEDS:
        raise _damaged("each line feed has got a carriage return, as in a transfer as text")
    has_zeros = data.find(_ZEROS, scan.start, end) >= 0
    if not (has_zeros or scan.is_one_of_several or scan.interval):
        return  # the decoder has told all
    stretches = [*_stretches(data, scan)]
    has_zeros = has_zeros and _has_doubtful_zeros(data, stretches)
    if has_zeros or _looks_short(image, scan):
        _require_no_more(image, data, stretches)


def _require_another_image(data: bytes, scan: _Scan, end: int) -> None:
    """Raise Refused unless the decoder was done before `end` because that is another image's.

    Phones put a second image behind the first.
    """
    *_, last = _stretches(data, scan)
    if last.end >= end:
        raise _damaged("the picture is complete before they end")
    data = data[: last.end] + _END
    with _open(data) as image:
        load(image, data)


def _has_doubtful_zeros(data: bytes, stretches: list[_Stretch]) -> bool:
    """Whether zeros in a row may be a plain background, or not. Raises Refused if they are not."""
    is_doubtful = False
    for start, end, scan in stretches:
        if scan.most_zeros and data.find(bytes(scan.most_zeros), start, end) >= 0:
            raise _damaged("zeros lie among them")
        if scan.is_one_of_several:
            zeros = _MANY_ZEROS if scan.begins_with_dc else _ZEROS
            is_doubtful |= data.find(zeros, start, end) >= 0
    return is_doubtful


def _require_no_more(image: Image.Image, data: bytes, stretches: list[_Stretch]) -> None:
    """Raise Refused where the decoder would have used more data, had there been more."""
    ends = [0, *(stretch.end for stretch in stretches)]
    parts = [data[start:end] for start, end in pairwise(ends)]
    if not _has_pixels(_MORE.join([*parts, data[ends[-1] :]]), image):
        raise _damaged("they end before the picture does")


def _looks_short(image: Image.Image, scan: _Scan) -> bool:
    """Whether blocks at the end of image or interval may be absent: libjpeg leaves them grey."""
    width, height = image.size
    column = image.crop((width - 1, 0, width, height)).tobytes().translate(_GREY)
    pixel = b"\x80" * len(image.getbands())
    return column.endswith(pixel) or (scan.interval > 0 and pixel * _GREY_ROWS in column)


def _has_pixels(data: bytes, image: Image.Image) -> bool:
    """Whether a JPEG is decoded to the pixels of an image, which are compared strip by strip."""
    try:
        with _open(data) as other:
            other.load()
            strips = [(0, top, image.width, top + 16) for top in range(0, image.height, 16)]
            return all(other.crop(s).tobytes() == image.crop(s).tobytes() for s in strips)
    except Exception:  # as above
        return False


def _open(data: bytes) -> ImageFile.ImageFile:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an MPO without its second image, for one
        return Image.open(io.BytesIO(data), formats=("JPEG",))


def _segments(data: bytes, at: int, *, is_header: bool) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, content and end of each segment up to the next scan's header or the end marker.

    What lies between segments of the file's header is skipped, as Pillow does. Raises Refused where
    something lies there later.
    """
    while (start := data.find(b"\xff", at)) >= 0 and start + 1 < len(data):
        marker = data[start + 1]
        if not is_header and (start > at or marker in _NO_SEGMENTS[:-1]):
            break
        if marker in _NO_SEGMENTS:
            at = start + 1
            continue
        at = start + 2 + int.from_bytes(data[start + 2 : start + 4]) * (marker != _EOI)
        yield marker, data[start + 4 : at], at
        if marker in (_SOS, _EOI):
            return
    if not is_header:
        raise _damaged("the parts of the file do not follow each other")


def _find_scan(data: bytes, at: int, before: _Scan) -> _Scan:
    """Return the next scan after `at`, where `before` is the last one; `start` is 0 without one."""
    kind, frame, header, _, interval, tables = before
    start = 0
    for marker, content, end in _segments(data, at, is_header=not before.start):
        if marker == _DHT:
            tables += content
        elif marker in _FRAMES and len(content) >= 6:
            kind, frame = marker, content
        elif marker == _DRI:
            interval = int.from_bytes(content[:2])
        elif marker == _SOS and len(content) >= 6:
            header, start = content, end
    return _Scan(kind, frame, header, start, interval, tables)


def _find_plain_tables(contents: bytes) -> dict[int, bool]:
    """Return by table (class, 0x10: AC, and number) whether its code of zeros can be repeated.

    That is symbol 0: no difference, or the end of a block. Where there are symbols for the end of
    several blocks (low digit 0, but 0xF0), those are used instead.
    """
    tables = {}
    while len(contents) > 17:
        end = 17 + sum(contents[1:17])
        symbols = contents[17:end]
        merged = any(symbol & 0x0F == 0 and 0 < symbol < 0xF0 for symbol in symbols)
        tables[contents[0]] = symbols[:1] == b"\0" and not merged
        contents = contents[end:]
    return tables


def _stretches(data: bytes, scan: _Scan) -> Iterator[_Stretch]:
    """Yield all data between markers up to the end of the image.

    Raises Refused where a marker is among them that does not belong there, or is missing.
    """
    at, restarts = scan.start, 0
    while match := _MARKER.search(data, at):
        end = at + len(data[at : match.start()].rstrip(b"\xff"))
        if match.start() - end > _FILL_BYTES:
            raise _damaged("bytes FF lie among them")
        yield _Stretch(at, end, scan)
        at = match.end() + 1
        marker = data[match.end()] if match.end() < len(data) else 0
        if scan.interval and marker == _RESTARTS[restarts % len(_RESTARTS)]:
            restarts += 1
            continue
        if marker not in _AFTER_DATA:
            raise _damaged(f"the marker FF {marker:02X} is among them")
        if scan.interval and restarts < _count_restarts(scan):
            raise _damaged("restart markers are missing")
        scan = _find_scan(data, match.start(), scan)
        if not scan.start:
            return
        at, restarts = scan.start, 0
    raise _damaged("they have no end marker")


def _count_restarts(scan: _Scan) -> int:
    """Return how many restart markers a scan has between its blocks, or groups of blocks."""
    height, width = int.from_bytes(scan.frame[1:3]), int.from_bytes(scan.frame[3:5])
    factors = dict(zip(scan.frame[6::3], scan.frame[7::3], strict=False))
    across, down = (max(f >> 4 for f in factors.values()), max(f & 15 for f in factors.values()))
    if scan.header[0] == 1:
        factor = factors.get(scan.header[1], 0x11)
        width, height = -(-width * (factor >> 4) // across), -(-height * (factor & 15) // down)
        across = down = 1
    units = -(-width // (8 * across)) * -(-height // (8 * down))
    return -(-units // scan.interval) - 1


def _damaged(detail: str) -> Refused:
    return Refused(Reason.UNREADABLE_IMAGE, f"its data are damaged: {detail}")


def _describe_end(data: bytes) -> str:
    zeros = len(data) - len(data.rstrip(b"\0"))
    end = f", the last {zeros:,} bytes are zeros" if zeros else ""
    return f"they have no end marker{end}"


def _describe_other(data: bytes) -> str:
    if not data.strip(b"\0"):
        return "the file holds nothing but zeros" if data else "the file is empty"
    for name, beginning in _OTHER_FORMATS.items():
        if re.match(beginning, data, re.DOTALL):
            return f"the content is {name}, not a JPEG"
    return "the content is not a JPEG"


def _describe_frame(content: bytes) -> str:
    """Return what Pillow cannot read in a frame, by its header."""
    bits, height, width, components = (
        content[0],
        int.from_bytes(content[1:3]),
        int.from_bytes(content[3:5]),
        content[5],
    )
    if bits != 8:
        return f"{bits} bits per sample are not supported, only 8"
    if components not in (1, 3, 4):
        return f"{components} components per pixel are not supported, only 1, 3 or 4"
    if width and not height:
        return "a height that only follows the first scan (DNL) is not supported"
    if not width or not height:
        return f"the header says {width} x {height} pixels"
    return "the header is damaged or cut short"


def _describe_undecoded(kind: int, error: Exception) -> str:
    if kind in _HIERARCHICAL:
        return "hierarchical JPEG is not supported"
    if kind in _LOSSLESS:
        return "lossless JPEG of this kind is not supported"
    if kind in _ARITHMETIC:
        return "arithmetic coding of this kind is not supported"
    return escape_untrusted(str(error))

"""Damage in JPEG files that the decoder does not report, and why a file cannot be decoded.

libjpeg fills what it cannot read with grey and skips surplus data. It only counts these warnings,
and Pillow does not pass them on. `load` therefore watches how far the decoder reads: for an intact
image it needs the data up to the last byte, and nothing after it. This does not work for the scans
of a progressive image, which are always read to the end. In those, `load` looks for zeros, markers
and missing blocks. A JPEG has no checksum, so damage that leaves valid data is not noticed.

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
"""A marker after data. Inside data, a byte 0xFF is followed by 0."""

_SINGLE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
_LINE_FEEDS: Final = 4
"""The number of line feeds, all after a carriage return, that cannot be a coincidence."""

_LEFT_OVER: Final = 3
"""How near to the end the decoder must read, in bytes. Some cameras write one or two too many."""

_AHEAD: Final = 8
"""Bytes that libjpeg's Huffman decoder reads ahead."""

_ZEROS: Final = bytes(64)
"""Zeros in a row that only a plain background can have: a block has 64 values."""

_MANY_ZEROS: Final = bytes(512)
"""Zeros in a row for scans that begin with DC: a plain background often has fewer."""

_FILL_BYTES: Final = 16
"""Bytes 0xFF before a marker at most: encoders may fill up to a round address."""

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
    """A scan, and the definitions before it.

    `kind` is the marker of the frame. `frame` and `header` are the contents of the segments SOF and
    SOS. The data begin at the offset `start`. `interval` is the number of blocks between restart
    markers, 0 if there are none. `tables` has the contents of all segments DHT, the latest last.
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
        """A number of zero bytes in a row that intact data never has; 0 if there is no limit.

        A refining scan has up to 1,000 bits without a code (libjpeg's MAX_CORR_BITS).
        """
        *components, _, last, bits = self.header[1:]
        is_refining = bits >> 4 > 0
        tables = [0x10 | selector & 0x0F for selector in components[1::2] if last]
        if self.begins_with_dc and not is_refining:
            tables += [selector >> 4 for selector in components[1::2]]
        is_plain = _find_plain_tables(self.tables)
        can_be_plain = all(is_plain.get(table, True) for table in tables)
        return 0 if can_be_plain else 3 * len(_ZEROS) if is_refining else len(_ZEROS)


class _Stretch(NamedTuple):
    """The data of a scan between two markers, by offsets in the file."""

    start: int
    end: int
    scan: _Scan


class _Parts:
    """A file that returns one part per read, and counts the reads."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = iter(parts)
        self.count = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset

    def read(self, size: int = -1) -> bytes:
        self.count += 1
        return next(self._parts, b"")


def describe_unopened(data: bytes) -> Refused:
    """Return the reason why Pillow does not open a file that begins with `data`."""
    if data[:2] != b"\xff\xd8":
        return Refused(Reason.NOT_A_JPEG, _describe_other(data))
    for marker, content, _ in _iterate_segments(data, 2, is_header=True):
        if marker == _JPEG_LS:
            return Refused(Reason.UNREADABLE_IMAGE, "JPEG-LS is not supported")
        if marker in _FRAMES and len(content) >= 6:
            return Refused(Reason.UNREADABLE_IMAGE, _describe_frame(content))
    return Refused(Reason.UNREADABLE_IMAGE, "the header is damaged or cut short")


def load(image: ImageFile.ImageFile, data: bytes) -> None:
    """Decode an image that was opened from `data`. Raises Refused if the data are damaged."""
    scan = _find_scan(data, 2, _Scan())
    end = data.rfind(_END, scan.start)
    while end > 0 and data[end - 1] == 0xFF:  # fill bytes may precede a marker
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
        raise _damage_error(_describe_end(data))
    if is_watched and file.count == 1:
        _require_another_image(data, scan, end)
        return
    if is_watched and is_alone and file.count > 2:
        raise _damage_error("they end before the picture does")
    if not _SINGLE_LINE_FEED.search(data, 0, end) and data.count(b"\n", scan.start) >= _LINE_FEEDS:
        raise _damage_error(
            "each line feed has a carriage return, as after a transfer in text mode"
        )
    has_zeros = data.find(_ZEROS, scan.start, end) >= 0
    if not (has_zeros or scan.is_one_of_several or scan.interval):
        return  # the decoder would have noticed any damage
    stretches = [*_iterate_stretches(data, scan)]
    has_zeros = has_zeros and _has_doubtful_zeros(data, stretches)
    if has_zeros or _looks_short(image, scan):
        _require_no_more(image, data, stretches)


def _require_another_image(data: bytes, scan: _Scan, end: int) -> None:
    """Raise Refused unless `end` is the end of another image, after the one that was decoded.

    Phones append a second image to the first.
    """
    *_, last = _iterate_stretches(data, scan)
    if last.end >= end:
        raise _damage_error("the picture is complete before they end")
    data = data[: last.end] + _END
    with _open(data) as image:
        load(image, data)


def _has_doubtful_zeros(data: bytes, stretches: list[_Stretch]) -> bool:
    """Return whether zeros in a row may be a plain background. Raises Refused if they cannot."""
    is_doubtful = False
    for start, end, scan in stretches:
        if scan.most_zeros and data.find(bytes(scan.most_zeros), start, end) >= 0:
            raise _damage_error("there are zeros among them")
        if scan.is_one_of_several:
            zeros = _MANY_ZEROS if scan.begins_with_dc else _ZEROS
            is_doubtful |= data.find(zeros, start, end) >= 0
    return is_doubtful


def _require_no_more(image: Image.Image, data: bytes, stretches: list[_Stretch]) -> None:
    """Raise Refused if the decoder would have used more data, had there been any."""
    ends = [0, *(stretch.end for stretch in stretches)]
    parts = [data[start:end] for start, end in pairwise(ends)]
    if not _has_pixels(_MORE.join([*parts, data[ends[-1] :]]), image):
        raise _damage_error("they end before the picture does")


def _looks_short(image: Image.Image, scan: _Scan) -> bool:
    """Return whether blocks may be missing at the end of the image or of a restart interval.

    libjpeg leaves such blocks grey.
    """
    width, height = image.size
    column = image.crop((width - 1, 0, width, height)).tobytes().translate(_GREY)
    pixel = b"\x80" * len(image.getbands())
    return column.endswith(pixel) or (scan.interval > 0 and pixel * _GREY_ROWS in column)


def _has_pixels(data: bytes, image: Image.Image) -> bool:
    """Return whether a JPEG decodes to the pixels of an image. They are compared in strips."""
    try:
        with _open(data) as other:
            other.load()
            strips = [(0, top, image.width, top + 16) for top in range(0, image.height, 16)]
            return all(other.crop(s).tobytes() == image.crop(s).tobytes() for s in strips)
    except Exception:  # Pillow raises anything for a damaged file
        return False


def _open(data: bytes) -> ImageFile.ImageFile:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as an MPO without its second image
        return Image.open(io.BytesIO(data), formats=("JPEG",))


def _iterate_segments(data: bytes, at: int, *, is_header: bool) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, content and end of each segment, up to the header of a scan or the end marker.

    Between segments of the file's header, other bytes are skipped, as Pillow does. Later, they
    raise Refused.
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
        raise _damage_error("the parts of the file do not follow each other")


def _find_scan(data: bytes, at: int, before: _Scan) -> _Scan:
    """Return the next scan after `at`, given the scan `before` it. Without one, `start` is 0."""
    kind, frame, header, _, interval, tables = before
    start = 0
    for marker, content, end in _iterate_segments(data, at, is_header=not before.start):
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
    """Return by table whether a plain background can repeat its code of zero bits.

    A table is identified by its class (0x10: AC) and number. The code must be that of symbol 0: no
    difference, or the end of a block. Tables with symbols for the end of several blocks (low digit
    0, except 0xF0) use those instead.
    """
    tables = {}
    while len(contents) > 17:
        end = 17 + sum(contents[1:17])
        symbols = contents[17:end]
        has_runs = any(symbol & 0x0F == 0 and 0 < symbol < 0xF0 for symbol in symbols)
        tables[contents[0]] = symbols[:1] == b"\0" and not has_runs
        contents = contents[end:]
    return tables


def _iterate_stretches(data: bytes, scan: _Scan) -> Iterator[_Stretch]:
    """Yield the stretches of data between markers, up to the end of the image.

    Raises Refused if a marker is missing, or does not belong where it is.
    """
    at, restarts = scan.start, 0
    while match := _MARKER.search(data, at):
        end = at + len(data[at : match.start()].rstrip(b"\xff"))
        if match.start() - end > _FILL_BYTES:
            raise _damage_error("there are bytes FF among them")
        yield _Stretch(at, end, scan)
        at = match.end() + 1
        marker = data[match.end()] if match.end() < len(data) else 0
        if scan.interval and marker == _RESTARTS[restarts % len(_RESTARTS)]:
            restarts += 1
            continue
        if marker not in _AFTER_DATA:
            raise _damage_error(f"the marker FF {marker:02X} is among them")
        if scan.interval and restarts < _count_restarts(scan):
            raise _damage_error("restart markers are missing")
        scan = _find_scan(data, match.start(), scan)
        if not scan.start:
            return
        at, restarts = scan.start, 0
    raise _damage_error("they have no end marker")


def _count_restarts(scan: _Scan) -> int:
    """Return how many restart markers a scan must have between its blocks, or groups of blocks."""
    height, width = int.from_bytes(scan.frame[1:3]), int.from_bytes(scan.frame[3:5])
    factors = dict(zip(scan.frame[6::3], scan.frame[7::3], strict=False))
    across, down = (max(f >> 4 for f in factors.values()), max(f & 15 for f in factors.values()))
    if scan.header[0] == 1:
        factor = factors.get(scan.header[1], 0x11)
        width, height = -(-width * (factor >> 4) // across), -(-height * (factor & 15) // down)
        across = down = 1
    units = -(-width // (8 * across)) * -(-height // (8 * down))
    return -(-units // scan.interval) - 1


def _damage_error(detail: str) -> Refused:
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
    """Return what Pillow cannot read, judging by the header of a frame."""
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

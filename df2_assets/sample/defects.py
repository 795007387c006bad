"""Defects: how an image or its annotation is spoilt, and what must notice it."""

import io
import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from PIL import Image

from df2_assets.dataset.annotations import MAX_BYTES
from df2_assets.dataset.boxes import Box, clamp
from df2_assets.dataset.reasons import Reason as R
from df2_assets.sample.annotate import scale_of

LAYOUT: Final = "deepfashion2/layout"
PAIRING: Final = "raw_annotation_index/pairing"
REFUSALS: Final = "raw_annotation_index/refusals_within_limit"
BOXES: Final = "raw_annotation_index/boxes"
LABELS: Final = "raw_annotation_index/labels"
TINY: Final = "crops/tiny_crops"
DUPLICATES: Final = "crops/duplicate_crops"
DARK: Final = "crop_quality/dark_crops"
BLANK: Final = "crop_quality/blank_crops"
NEAR: Final = "crop_quality/near_duplicate_crops"
TWO_SKUS: Final = "crop_quality/image_in_two_skus"
UNLIKE: Final = "crop_quality/unlike_crops"

_SIZE_MARKERS: Final = (0xC0, 0xC1, 0xC2)
"""The JPEG segments that say how large the image is."""


@dataclass
class Draft:
    """What would be written for an image, to be spoilt.

    `labels` is the annotation and `text` its bytes, which follow from `labels` unless a defect
    sets them; `key` is the item that is spoilt; `image` is the JPEG, of `size` in pixels.
    """

    labels: dict[str, Any]
    key: str
    image: bytes
    size: tuple[int, int]
    text: bytes | None = None

    @property
    def item(self) -> dict[str, Any]:
        """The item that is spoilt."""
        item: dict[str, Any] = self.labels[self.key]
        return item

    @property
    def annotation(self) -> bytes:
        """The annotation file's bytes."""
        return json.dumps(self.labels).encode() if self.text is None else self.text


Spoil = Callable[[Draft], object]


@dataclass(frozen=True)
class Defect:
    """`reason` is what it must be refused with (None: it must not be); `checks` must list it too.

    `scope` says what is refused or listed: the spoilt item, the whole file, or each crop that is
    wanted of the image. `index` gives the spoilt item's index afterwards. `image_suffix` is the
    image's ending (None: no image), `annotated` whether there is an annotation.
    """

    name: str
    spoil: Spoil
    reason: R | None = None
    checks: tuple[str, ...] = ()
    scope: Literal["item", "file", "crops"] = "item"
    index: Callable[[int], int | None] = int
    image_suffix: str | None = ".jpg"
    annotated: bool = True


def _item(**fields: object) -> Spoil:
    return lambda draft: draft.item.update(fields)


def _labels(**fields: object) -> Spoil:
    return lambda draft: draft.labels.update(fields)


def _text(rewrite: Callable[[bytes], bytes]) -> Spoil:
    return lambda draft: setattr(draft, "text", rewrite(draft.annotation))


def _image(change: Callable[[bytes], bytes]) -> Spoil:
    return lambda draft: setattr(draft, "image", change(draft.image))


def _picture(change: Callable[[Image.Image], Image.Image], kind: str = "JPEG", **how: int) -> Spoil:
    """Change what is seen, and save it as another kind of file or with another quality."""

    def save(jpeg: bytes) -> bytes:
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(jpeg)) as image:
            change(image.convert("RGB")).save(buffer, kind, **{"quality": 88, **how})
        return buffer.getvalue()

    return _image(save)


def _box(rule: Callable[[Box, int, int], tuple[int, ...]]) -> Spoil:
    """Replace the box by what `rule` makes of it and of the image's width and height."""
    return lambda draft: draft.item.update(
        bounding_box=list(rule(tuple(draft.item["bounding_box"]), *draft.size))
    )


def _claim(width: int, height: int) -> Spoil:
    """Put another size into the JPEG's header."""

    def change(jpeg: bytes) -> bytes:
        at = 2
        while jpeg[at + 1] not in _SIZE_MARKERS:
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]

    return _image(change)


def _rename(number: str) -> Spoil:
    def spoil(draft: Draft) -> None:
        draft.labels["item" + number.format(draft.key[4:])] = draft.labels.pop(draft.key)

    return spoil


def _belie_scale(draft: Draft) -> None:
    x1, y1, x2, y2 = draft.item["bounding_box"]
    share = (x2 - x1) * (y2 - y1) / (draft.size[0] * draft.size[1])
    draft.item["scale"] = 3 if share < 0.2 else 1


def _pass_edge(draft: Draft) -> None:
    """Move the edge of the box that is nearest to the image's past it."""
    box, (width, height) = draft.item["bounding_box"], draft.size
    gaps = [box[0], box[1], width - box[2], height - box[3]]
    edge = gaps.index(min(gaps))
    box[edge] = (-7, -7, width + 7, height + 7)[edge]
    draft.item["scale"] = scale_of(clamp(box, width, height), draft.size)


def _leave(draft: Draft) -> None:
    """Leave the draft as it is: the defect is in what is missing beside it."""


def _repeat_item(draft: Draft) -> None:
    again = json.dumps({draft.key: draft.item})
    draft.text = f"{again[:-1]}, {json.dumps(draft.labels)[1:]}".encode()


def _repeat_field(draft: Draft) -> None:
    item = json.dumps(draft.item)
    draft.text = json.dumps(draft.labels).replace(item, f'{{"style": 7, {item[1:]}').encode()


def _indent(draft: Draft) -> None:
    turned = dict(reversed(draft.labels.items()))
    draft.text = json.dumps(turned, indent=4).replace("\n", "\r\n").encode()


def _use_floats(draft: Draft) -> None:
    draft.labels["pair_id"] = float(draft.labels["pair_id"])
    for name in ("style", "category_id", "occlusion", "viewpoint"):
        draft.item[name] = float(draft.item[name])
    draft.item["bounding_box"] = [float(edge) for edge in draft.item["bounding_box"]]


_WRONG_VALUES: Final[dict[str, tuple[object, ...]]] = {
    "style": (-1, 100, "1", True, math.nan, 1.5),
    "occlusion": (0, 4),
    "viewpoint": (0, None),
    "bounding_box": ([9, 9, 90], ["9"] * 4, [0, 0, math.inf, 90], {"x": 10, "y": 10}),
}
_WRONG_CATEGORIES: Final[dict[str, tuple[object, ...]]] = {
    "category_id": (0, 14),
    "category_name": (
        *("kimono", "SKIRT", "\x1b[2J\x1b[31mskirt\x07\r\n"),
        "<script>alert('skirt')</script> [skirt](javascript:alert(1))",
    ),
}
_NEEDED: Final = ("category_id", "category_name", "bounding_box", "style", "occlusion", "viewpoint")
_UNNEEDED: Final = ("segmentation", "landmarks", "zoom_in", "scale")
_JSON, _OBJECT, _FIELD, _SOURCE = (
    R.UNREADABLE_JSON,
    R.NOT_AN_OBJECT,
    R.WRONG_FIELD,
    R.UNKNOWN_SOURCE,
)
_JPEG, _IMAGE, _REVERSED, _OUTSIDE = R.NOT_A_JPEG, R.UNREADABLE_IMAGE, R.BOX_REVERSED, R.BOX_OUTSIDE
_file: Final = partial(Defect, scope="file")
_crops: Final = partial(Defect, scope="crops")

CUT_OFF: Final = _crops("image cut off", _image(lambda jpeg: jpeg[: len(jpeg) // 2]), _IMAGE)
IN_EACH_SPLIT: Final = (
    _file("annotation cut off", _text(lambda text: text[: len(text) // 2]), _JSON),
    _file("empty annotation file", _text(lambda _: b""), _JSON),
    _file("annotation not in UTF-8", _text(lambda text: text.replace(b"so", b"s\xf6")), _JSON),
    _file("annotation nested too deeply", _text(lambda _: b"[" * 200_000), _JSON),
    _file("annotation over 16 MB", _text(lambda text: text.ljust(MAX_BYTES + 1)), _JSON),
    _file("annotation in a list", _text(lambda text: b"[" + text + b"]"), _OBJECT),
    _file("annotation that is null", _text(lambda _: b"null"), _OBJECT),
    _file("file without source", lambda draft: draft.labels.pop("source"), R.MISSING_FIELD),
    _file("file without pair_id", lambda draft: draft.labels.pop("pair_id"), R.MISSING_FIELD),
    _file("pair_id twice", _text(lambda text: b'{"pair_id": 1, ' + text[1:]), _FIELD),
    *(
        _file(f"pair_id {value!r}", _labels(pair_id=value), _FIELD)
        for value in (-1, 1_000_000, "17", True)
    ),
    *(_file(f"source {v!r}", _labels(source=v), _SOURCE) for v in ("studio", "Shop", None)),
    _file("annotation without an image", _leave, R.MISSING_IMAGE, (PAIRING,), image_suffix=None),
    _file("image called .jpeg", _leave, R.MISSING_IMAGE, (PAIRING,), image_suffix=".jpeg"),
    _file("image without an annotation", _leave, None, (PAIRING,), annotated=False),
    _file("PNG called .jpg", _picture(lambda image: image, "PNG"), _JPEG),
    _file("GIF called .jpg", _picture(lambda image: image, "GIF"), _JPEG),
    _file("web page called .jpg", _image(lambda _: b"<html>404 Not Found</html>"), _JPEG),
    _file("empty image file", _image(lambda _: b""), _JPEG),
    _file("image with half a header", _image(lambda jpeg: jpeg[:30]), _IMAGE),
    _file("header of zeros", _image(lambda jpeg: jpeg[:2].ljust(len(jpeg), b"\0")), _IMAGE),
    _file("image that claims 900 megapixels", _claim(30_000, 30_000), R.IMAGE_TOO_LARGE),
    _file("image that claims 90 megapixels", _claim(10_000, 9_000), R.IMAGE_TOO_LARGE),
    CUT_OFF,
    _crops("image cut off late", _image(lambda jpeg: jpeg[: len(jpeg) * 9 // 10]), _IMAGE),
    _crops("taken at night", _picture(lambda i: i.point(lambda v: v * 0.07)), checks=(DARK,)),
    _crops(
        "taken with the lens cap on",
        _picture(lambda i: i.point(lambda v: v * 0.02)),
        checks=(DARK,),
    ),
    _crops("white", _picture(lambda image: Image.new("RGB", image.size, "white")), checks=(BLANK,)),
    _crops(
        "grey card", _picture(lambda image: Image.new("RGB", image.size, "grey")), checks=(BLANK,)
    ),
    *(Defect(f"no {n}", lambda draft, n=n: draft.item.pop(n), R.MISSING_FIELD) for n in _NEEDED),
    *(
        Defect(
            f"{name} {value!r}",
            _item(**{name: value}),
            _FIELD,
            (LABELS,) if name[0] in "ov" else (),
        )
        for name, values in _WRONG_VALUES.items()
        for value in values
    ),
    *(
        Defect(f"{name} {value!r}", _item(**{name: value}), R.WRONG_CATEGORY, (LABELS,))
        for name, values in _WRONG_CATEGORIES.items()
        for value in values
    ),
    Defect("category_id as text", _item(category_id="1"), _FIELD),
    Defect("item that is a list", lambda d: d.labels.update({d.key: [1, 2]}), _OBJECT),
    Defect("item0", _rename("0"), _FIELD, index=lambda _: 0),
    Defect("item with a leading zero", _rename("0{}"), _FIELD),
    Defect("item with a letter for a number", _rename("A"), _FIELD, index=lambda _: None),
    Defect("item twice", _repeat_item, _FIELD),
    Defect("field of an item twice", _repeat_field, _FIELD),
    Defect("x swapped", _box(lambda b, w, h: (b[2], b[1], b[0], b[3])), _REVERSED, (BOXES,)),
    Defect("y swapped", _box(lambda b, w, h: (b[0], b[3], b[2], b[1])), _REVERSED, (BOXES,)),
    Defect("no width", _box(lambda b, w, h: (b[0], b[1], b[0], b[3])), _REVERSED, (BOXES,)),
    Defect("width, height", _box(lambda b, w, h: (w // 2, h // 2, 90, 80)), _REVERSED, (BOXES,)),
    Defect("to the right", _box(lambda b, w, h: (w + 12, 9, w + 96, 99)), _OUTSIDE, (BOXES,)),
    Defect("below", _box(lambda b, w, h: (9, h, 99, h + 80)), _OUTSIDE, (BOXES,)),
    Defect("at negative places", _item(bounding_box=[-90, -70, -8, -5]), _OUTSIDE, (BOXES,)),
    Defect("scale that the box belies", _belie_scale, checks=(LABELS,)),
    Defect("scale 0", _item(scale=0), checks=(LABELS,)),
    Defect("scale 4", _item(scale=4), checks=(LABELS,)),
    Defect("20 pixels wide", _item(bounding_box=[60, 60, 80, 94], scale=1), checks=(TINY,)),
    Defect("6 pixels high", _item(bounding_box=[60, 60, 94, 66], scale=1), checks=(TINY,)),
    _file("annotation written over many lines", _indent),
    _file("annotation with a byte order mark", _text(lambda text: b"\xef\xbb\xbf" + text)),
    _file("annotation without items", _text(lambda text: text[: text.index(b', "item')] + b"}")),
    _file("bytes after the end of the image", _image(lambda jpeg: jpeg + b"left over" * 90)),
    Defect("whole numbers written as floats", _use_floats),
    Defect("fields that nobody knows", _item(note='by "hand": {}', fabric={"weave": ["twill"]})),
    Defect("no unneeded fields", lambda draft: [draft.item.pop(name) for name in _UNNEEDED]),
    Defect("item999999", _rename("999999"), index=lambda _: 999_999),
    Defect("box of the image", lambda d: d.item.update(bounding_box=[0, 0, *d.size], scale=3)),
)
"""Defects that are planted once in each annotated split; the last ones are unusual and good."""

PAST_EDGE: Final = Defect("box past the edge, one of too many", _pass_edge, checks=(BOXES,))
SAVED_AGAIN: Final = _crops("saved again", _picture(lambda image: image, quality=62))
DEFECTS: Final = {defect.name: defect for defect in (*IN_EACH_SPLIT, PAST_EDGE, SAVED_AGAIN)}

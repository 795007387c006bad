"""Defects: how an image or its annotation is spoilt, and what must notice it."""

import io
import json
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, cast

from PIL import Image

from df2_assets.dataset.annotations import MAX_BYTES
from df2_assets.dataset.boxes import Box, clamp
from df2_assets.dataset.reasons import Reason as R
from df2_assets.sample.annotate import scale_of

LAYOUT: Final = "deepfashion2/layout"
PAIRING, REFUSALS, BOXES, LABELS = (
    f"raw_annotation_index/{name}"
    for name in ("pairing", "refusals_within_limit", "boxes", "labels")
)
TINY, DUPLICATES = "crops/tiny_crops", "crops/duplicate_crops"
DARK, BLANK, UNLIKE = (f"crop_quality/{name}_crops" for name in ("dark", "blank", "unlike"))
NEAR, TWO_SKUS = "crop_quality/near_duplicate_crops", "crop_quality/image_in_two_skus"
CHECKS: Final = {
    *(LAYOUT, PAIRING, REFUSALS, BOXES, LABELS, TINY, DUPLICATES),
    *(DARK, BLANK, NEAR, TWO_SKUS, UNLIKE),
}

_SIZE: Final = re.compile(rb"(\xff[\xc0-\xc2]..\x08)....", re.DOTALL)
"""Where a JPEG says how large the image is."""


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
        return cast("dict[str, Any]", self.labels[self.key])

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


def _drop(*names: str) -> Spoil:
    return lambda draft: [draft.item.pop(name) for name in names]


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


def _dim(share: float) -> Spoil:
    return _picture(lambda image: image.point(lambda value: value * share))


def _cover(colour: str) -> Spoil:
    return _picture(lambda image: Image.new("RGB", image.size, colour))


def _box(rule: Callable[[Box, int, int], tuple[int, ...]]) -> Spoil:
    """Replace the box by what `rule` makes of it and of the image's width and height."""
    return lambda draft: draft.item.update(
        bounding_box=list(rule(tuple(draft.item["bounding_box"]), *draft.size))
    )


def _claim(width: int, height: int) -> Spoil:
    """Put another size into the JPEG's header."""
    size = struct.pack(">HH", height, width)
    return _image(lambda jpeg: _SIZE.sub(lambda found: found[1] + size, jpeg, count=1))


def _rename(number: str) -> Spoil:
    return lambda draft: draft.labels.update(
        {f"item{number}".format(draft.key[4:]): draft.labels.pop(draft.key)}
    )


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


_MARKUP: Final = "<script>alert('skirt')</script> [skirt](javascript:alert(1))"
_ESCAPES: Final = "\x1b[2J\x1b[31mskirt\x07\r\n"
_NEEDED: Final = ("category_id", "category_name", "bounding_box", "style", "occlusion", "viewpoint")
_UNNEEDED: Final = ("segmentation", "landmarks", "zoom_in", "scale")
_JSON, _JPEG, _IMAGE = R.UNREADABLE_JSON, R.NOT_A_JPEG, R.UNREADABLE_IMAGE
_OBJECT, _FIELD, _LACKS = R.NOT_AN_OBJECT, R.WRONG_FIELD, R.MISSING_FIELD
_REVERSED, _OUTSIDE, _CATEGORY = R.BOX_REVERSED, R.BOX_OUTSIDE, R.WRONG_CATEGORY
_VALUES: Final[tuple[tuple[str, R | None, tuple[str, ...], tuple[object, ...]], ...]] = (
    ("style", _FIELD, (), (-1, 100, "1", True, math.nan, 1.5)),
    ("occlusion", _FIELD, (LABELS,), (0, 4)),
    ("viewpoint", _FIELD, (LABELS,), (0, None)),
    ("bounding_box", _FIELD, (), ([9, 9, 90], ["9"] * 4, [0, 0, math.inf, 90], {"x": 10})),
    ("bounding_box", _OUTSIDE, (BOXES,), ([-90, -70, -8, -5], [1900, 9, 1984, 99])),
    ("bounding_box", _REVERSED, (BOXES,), ([200, 200, 90, 80],)),
    ("category_id", _FIELD, (), ("1",)),
    ("category_id", _CATEGORY, (LABELS,), (0, 14)),
    ("category_name", _CATEGORY, (LABELS,), ("kimono", "SKIRT", _MARKUP, _ESCAPES)),
    ("scale", _FIELD, (LABELS,), (0, 4)),
    ("zoom_in", _FIELD, (LABELS,), (0, 4)),
)
"""Values of an item's fields, with the reason for which they are refused, and the checks."""

_file: Final = partial(Defect, scope="file")
_crops: Final = partial(Defect, scope="crops")

NONE: Final = Defect("", _leave)
CUT_OFF: Final = _crops("image cut off", _image(lambda jpeg: jpeg[: len(jpeg) // 2]), _IMAGE)
IN_EACH_SPLIT: Final = (
    _file("annotation cut off", _text(lambda text: text[: len(text) // 2]), _JSON),
    _file("empty annotation file", _text(lambda _: b""), _JSON),
    _file("annotation not in UTF-8", _text(lambda text: text.replace(b"so", b"s\xf6")), _JSON),
    _file("annotation nested too deeply", _text(lambda _: b"[" * 200_000), _JSON),
    _file("annotation over 16 MB", _text(lambda text: text.ljust(MAX_BYTES + 1)), _JSON),
    _file("annotation in a list", _text(lambda text: b"[" + text + b"]"), _OBJECT),
    _file("annotation that is null", _text(lambda _: b"null"), _OBJECT),
    _file("file without source", lambda draft: draft.labels.pop("source"), _LACKS),
    _file("file without pair_id", lambda draft: draft.labels.pop("pair_id"), _LACKS),
    _file("pair_id twice", _text(lambda text: b'{"pair_id": 1, ' + text[1:]), _FIELD),
    *(_file(f"pair_id {v!r}", _labels(pair_id=v), _FIELD) for v in (-1, 1_000_000, "17", True)),
    *(_file(f"source {v!r}", _labels(source=v), R.UNKNOWN_SOURCE) for v in ("Shop", "x", None)),
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
    *(
        _crops(
            f"{share:.0%} of light",
            _dim(share),
            checks=(DARK,),
        )
        for share in (0.07, 0.02)
    ),
    *(
        _crops(
            f"all {colour}",
            _cover(colour),
            checks=(BLANK,),
        )
        for colour in ("white", "grey")
    ),
    *(Defect(f"no {name}", _drop(name), _LACKS) for name in _NEEDED),
    *(
        Defect(f"{field} {value!r}", _item(**{field: value}), reason, checks)
        for field, reason, checks, values in _VALUES
        for value in values
    ),
    Defect("item that is a list", lambda d: d.labels.update({d.key: [1, 2]}), _OBJECT),
    Defect("item0", _rename("0"), _FIELD, index=lambda _: 0),
    Defect("item with a leading zero", _rename("0{}"), _FIELD),
    Defect("item with a letter for a number", _rename("A"), _FIELD, index=lambda _: None),
    Defect("item twice", _repeat_item, _FIELD),
    Defect("field of an item twice", _repeat_field, _FIELD),
    Defect("x swapped", _box(lambda b, w, h: (b[2], b[1], b[0], b[3])), _REVERSED, (BOXES,)),
    Defect("y swapped", _box(lambda b, w, h: (b[0], b[3], b[2], b[1])), _REVERSED, (BOXES,)),
    Defect("no width", _box(lambda b, w, h: (b[0], b[1], b[0], b[3])), _REVERSED, (BOXES,)),
    Defect("below", _box(lambda b, w, h: (9, h, 99, h + 80)), _OUTSIDE, (BOXES,)),
    Defect("scale that the box belies", _belie_scale, checks=(LABELS,)),
    Defect("20 pixels wide", _item(bounding_box=[60, 60, 80, 94], scale=1), checks=(TINY,)),
    Defect("6 pixels high", _item(bounding_box=[60, 60, 94, 66], scale=1), checks=(TINY,)),
    _file("annotation written over many lines", _indent),
    _file("annotation with a byte order mark", _text(lambda text: b"\xef\xbb\xbf" + text)),
    _file("annotation without items", _text(lambda text: text[: text.index(b', "item')] + b"}")),
    _file("bytes after the end of the image", _image(lambda jpeg: jpeg + b"left over" * 90)),
    Defect("whole numbers written as floats", _use_floats),
    Defect("fields that nobody knows", _item(note='by "hand": {}', fabric={"weave": ["twill"]})),
    Defect("no unneeded fields", _drop(*_UNNEEDED)),
    Defect("item999999", _rename("999999"), index=lambda _: 999_999),
    Defect("box of the image", lambda d: d.item.update(bounding_box=[0, 0, *d.size], scale=3)),
)
"""Defects that are planted once in each annotated split; the last ones are unusual and good."""

PAST_EDGE: Final = Defect("box past the edge, one of too many", _pass_edge, checks=(BOXES,))
SAVED_AGAIN: Final = _crops("saved again", _picture(lambda image: image, quality=62))
DEFECTS: Final = {defect.name: defect for defect in (*IN_EACH_SPLIT, PAST_EDGE, SAVED_AGAIN)}

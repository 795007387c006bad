"""Defects: how an image or its annotation is spoilt, and what has to report it."""

import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, cast

from PIL import Image

from df2_assets.dataset.boxes import clamp
from df2_assets.dataset.reasons import Reason as R
from df2_assets.sample.annotate import scale_of

LAYOUT: Final = "deepfashion2/layout"
PAIRING, REFUSALS, BOXES, LABELS = (
    f"raw_annotation_index/{name}"
    for name in ("pairing", "refusals_within_limit", "boxes", "labels")
)
ALL_REFUSALS = "crops/all_refusals_within_limit"
TINY, DUPLICATES = "crops/tiny_crops", "crops/duplicate_crops"
DARK, BLANK, UNLIKE = (f"crop_quality/{name}_crops" for name in ("dark", "blank", "unlike"))
NEAR, TWO_SKUS = "crop_quality/near_duplicate_crops", "crop_quality/image_in_two_skus"
SHAPES: Final = "labels/refused_shapes"
CHECKS: Final = {
    *(LAYOUT, PAIRING, REFUSALS, ALL_REFUSALS, BOXES, LABELS, TINY, DUPLICATES),
    *(DARK, BLANK, NEAR, TWO_SKUS, UNLIKE),
}

_SIZE: Final = re.compile(rb"(?<=\xff[\xc0-\xc2]..\x08)....", re.DOTALL)
"""The bytes of a JPEG with the height and width of the image."""


@dataclass
class Draft:
    """The files of an image before they are written, for a defect to spoil.

    `labels` is the annotation. `text` has its bytes, if a defect sets them; otherwise they follow
    from `labels`. `key` is the item to spoil. `image` is the JPEG, with `size` in pixels.
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
        """The bytes of the annotation file."""
        return json.dumps(self.labels).encode() if self.text is None else self.text


Spoil = Callable[[Draft], object]


@dataclass(frozen=True)
class Defect:
    """A defect, and what has to report it.

    - `spoil`: the function that puts the defect into a draft.
    - `reason`: the reason of its refusal, if it is to be refused.
    - `checks`: the checks that have to list it. Those in `may` are allowed to list it.
    - `scope`: what is refused or listed: the spoilt item, the file, or each crop of the image.
    - `index`: the item number after spoiling, if it changes.
    - `image_suffix`: the end of the image name; None for no image.
    - `annotated`: whether there is an annotation.
    """

    name: str
    spoil: Spoil
    reason: R | None = None
    checks: tuple[str, ...] = ()
    scope: Literal["item", "file", "crops"] = "item"
    index: int | None = None
    may: tuple[str, ...] = ()
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
    """Return a function that changes the picture, and saves it in a format and quality."""

    def save(jpeg: bytes) -> bytes:
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(jpeg)) as image:
            change(image.convert("RGB")).save(buffer, kind, **{"quality": 88, **how})
        return buffer.getvalue()

    return _image(save)


def _reorder_box(*order: int) -> Spoil:
    return lambda d: d.item.update(bounding_box=[d.item["bounding_box"][i] for i in order])


def _rename(number: int) -> Spoil:
    return lambda draft: draft.labels.update({f"item{number}": draft.labels.pop(draft.key)})


def _belie_scale(draft: Draft) -> None:
    x1, y1, x2, y2 = draft.item["bounding_box"]
    share = (x2 - x1) * (y2 - y1) / (draft.size[0] * draft.size[1])
    draft.item["scale"] = 3 if share < 0.2 else 1


def _pass_edge(draft: Draft) -> None:
    """Move the edge of the box that is nearest to an edge of the image past that edge."""
    box, (width, height) = draft.item["bounding_box"], draft.size
    gaps = [box[0], box[1], width - box[2], height - box[3]]
    edge = gaps.index(min(gaps))
    box[edge] = (-7, -7, width + 7, height + 7)[edge]
    draft.item["scale"] = scale_of(clamp(box, width, height), draft.size)


def _add_fractions(draft: Draft) -> None:
    """Add less than a pixel to each edge of the box. Reading the annotation cuts it off."""
    draft.item["bounding_box"] = [edge + 0.25 for edge in draft.item["bounding_box"]]


def _zero_end(jpeg: bytes) -> bytes:
    """Return a file of full length of which only two thirds were downloaded."""
    return jpeg[: len(jpeg) * 2 // 3].ljust(len(jpeg), b"\0")


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
"""Values of fields of an item, with the reason of their refusal and the checks that list them."""

_file: Final = partial(Defect, scope="file")
_crops: Final = partial(Defect, scope="crops")

NONE: Final = Defect("", _labels())
IN_EACH_SPLIT: Final = (
    _file("annotation cut off", _text(lambda text: text[: len(text) // 2]), _JSON),
    _file("annotation not in UTF-8", _text(lambda text: text.replace(b"so", b"s\xf6")), _JSON),
    _file("annotation in a list", _text(lambda text: b"[" + text + b"]"), _OBJECT),
    _file("file without source", lambda draft: draft.labels.pop("source"), _LACKS),
    *(_file(f"pair_id {v!r}", _labels(pair_id=v), _FIELD) for v in (-1, 1_000_000, "17", True)),
    *(_file(f"source {v!r}", _labels(source=v), R.UNKNOWN_SOURCE) for v in ("Shop", "x", None)),
    _file("annotation without an image", _labels(), R.MISSING_IMAGE, (PAIRING,), image_suffix=None),
    _file("image called .jpeg", _labels(), R.MISSING_IMAGE, (PAIRING,), image_suffix=".jpeg"),
    _file("image without an annotation", _labels(), None, (PAIRING,), annotated=False),
    _file("PNG called .jpg", _picture(lambda image: image, "PNG"), _JPEG),
    _file("web page called .jpg", _image(lambda _: b"<html>404 Not Found</html>"), _JPEG),
    _file("image with half a header", _image(lambda jpeg: jpeg[:30]), _IMAGE),
    _file("claims 742 megapixels", _image(lambda j: _SIZE.sub(b"jjjj", j, 1)), R.IMAGE_TOO_LARGE),
    _file("claims 90 megapixels", _image(lambda j: _SIZE.sub(b"%\0%\0", j, 1)), R.IMAGE_TOO_LARGE),
    _crops("image cut off", _image(lambda jpeg: jpeg[: len(jpeg) // 2]), _IMAGE),
    _crops("image cut off late", _image(lambda jpeg: jpeg[: len(jpeg) * 9 // 10]), _IMAGE),
    _crops("image that ends in zeros", _image(_zero_end), _IMAGE),
    _crops("7% of light", _picture(lambda image: image.point(lambda v: v * 0.07)), checks=(DARK,)),
    _crops("2% of light", _picture(lambda image: image.point(lambda v: v * 0.02)), checks=(DARK,)),
    _crops("all white", _picture(lambda image: image.point(lambda _: 255)), checks=(BLANK,)),
    _crops("all grey", _picture(lambda image: image.point(lambda _: 128)), checks=(BLANK,)),
    *(Defect(f"no {name}", _drop(name), _LACKS) for name in _NEEDED),
    *(
        Defect(f"{field} {value!r}", _item(**{field: value}), reason, checks)
        for field, reason, checks, values in _VALUES
        for value in values
    ),
    Defect("item that is a list", lambda d: d.labels.update({d.key: [1, 2]}), _OBJECT),
    Defect("item0", _rename(0), _FIELD, index=0),
    Defect("x swapped", _reorder_box(2, 1, 0, 3), _REVERSED, (BOXES,)),
    Defect("y swapped", _reorder_box(0, 3, 2, 1), _REVERSED, (BOXES,)),
    Defect("no width", _reorder_box(0, 1, 0, 3), _REVERSED, (BOXES,)),
    Defect("scale that the box belies", _belie_scale, checks=(LABELS,)),
    Defect(
        "20 pixels wide",
        _item(bounding_box=[60, 60, 80, 94], scale=1),
        checks=(TINY,),
        may=(SHAPES,),
    ),
    Defect(
        "6 pixels high",
        _item(bounding_box=[60, 60, 94, 66], scale=1),
        checks=(TINY,),
        may=(SHAPES,),
    ),
    _file("annotation over many lines", _text(lambda t: t.replace(b", ", b",\r\n    "))),
    _file("annotation with a byte order mark", _text(lambda text: b"\xef\xbb\xbf" + text)),
    _file("annotation without items", _text(lambda text: text[: text.index(b', "item')] + b"}")),
    _file("bytes after the end of the image", _image(lambda jpeg: jpeg + b"left over" * 90)),
    Defect("fields that nobody knows", _item(note='by "hand": {}', fabric={"weave": ["twill"]})),
    Defect("no unneeded fields", _drop(*_UNNEEDED), may=(SHAPES,)),
    Defect("box with fractions", _add_fractions),
    Defect("item999999", _rename(999_999), index=999_999),
)
"""The defects that are planted once per annotated split. The last ones are unusual but valid."""

PAST_EDGE: Final = Defect("box past the edge", _pass_edge, checks=(BOXES,), may=(UNLIKE,))
SAVED_AGAIN: Final = _crops("saved again", _picture(lambda image: image, quality=80))
DEFECTS: Final = {defect.name: defect for defect in (NONE, *IN_EACH_SPLIT, PAST_EDGE, SAVED_AGAIN)}

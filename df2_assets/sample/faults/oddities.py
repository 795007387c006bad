"""Input that is unusual and good: none of it may be refused."""

import json
from typing import Final

from df2_assets.sample.faults.fault import Draft, Fault


def _indented(draft: Draft) -> None:
    turned = dict(reversed(draft.labels.items()))
    draft.text = json.dumps(turned, indent=4).replace("\n", "\r\n").encode()


def _with_mark(draft: Draft) -> None:
    draft.text = b"\xef\xbb\xbf" + draft.annotation


def _floats(draft: Draft) -> None:
    draft.labels["pair_id"] = float(draft.labels["pair_id"])
    for name in ("style", "category_id", "occlusion", "viewpoint"):
        draft.item[name] = float(draft.item[name])
    draft.item["bounding_box"] = [float(edge) for edge in draft.item["bounding_box"]]


def _more_fields(draft: Draft) -> None:
    draft.labels["note"] = 'taken at 12:30, "by hand": {see list}'
    draft.item["fabric"] = {"weave": "twill", "colours": ["blue", "white"]}


def _fewer_fields(draft: Draft) -> None:
    for name in ("segmentation", "landmarks", "zoom_in", "scale"):
        del draft.item[name]


def _no_items(draft: Draft) -> None:
    draft.labels = {name: draft.labels[name] for name in ("source", "pair_id")}


def _high_number(draft: Draft) -> None:
    draft.labels["item999999"] = draft.labels.pop(draft.key)


def _whole_image(draft: Draft) -> None:
    draft.item["bounding_box"] = [0, 0, *draft.size]
    draft.item["scale"] = 3


def _trailing(draft: Draft) -> None:
    draft.image += b"left by some program" * 40


ODDITIES: Final = (
    Fault("annotation written over many lines", _indented, scope="file"),
    Fault("annotation with a byte order mark", _with_mark, scope="file"),
    Fault("whole numbers written as floats", _floats),
    Fault("fields that nobody knows", _more_fields),
    Fault("fields that nobody needs missing", _fewer_fields),
    Fault("annotation without items", _no_items, scope="file"),
    Fault("item999999", _high_number, index=lambda n: 999_999),
    Fault("box of the whole image", _whole_image),
    Fault("bytes after the end of the image", _trailing, scope="file"),
)

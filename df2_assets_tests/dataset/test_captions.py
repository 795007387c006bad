"""What a file of captions may contain, the messages about mistakes, and the join with crops."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from df2_assets.dataset.captions import match_captions, parse_captions
from df2_assets.dataset.prompts import Captions
from df2_assets.errors import CaptionsError
from df2_assets.settings import read_captions

DIGEST = sha256(b"a crop").hexdigest()
OTHER = sha256(b"another crop").hexdigest()


def path_of(number: int, split: str = "train") -> str:
    return f"{split}/query/000001_01_05/{number:06d}_item1.jpg"


def line(number: int = 1, split: str = "train", **values: Any) -> dict[str, Any]:
    place = {"crop_path": path_of(number, split), "sha256": DIGEST}
    return place | {"caption": f"Caption {number}"} | values


def encode(*lines: dict[str, Any]) -> list[bytes]:
    return [json.dumps(entry).encode() + b"\n" for entry in lines]


def test_the_captions_of_a_split_are_a_table_and_those_of_the_file_are_described() -> None:
    content = encode(
        line(1, "validation", short="a"), line(2, short="b"), line(3, short="\u00c4rmel <x1>")
    )
    captions, table = parse_captions(content, "FILE", "train")
    assert captions == Captions(("caption", "short"), sha256(b"".join(content)).hexdigest())
    assert table.to_pylist() == [line(2, short="b"), line(3, short="\u00c4rmel <x1>")]
    assert parse_captions(content, "FILE")[1].num_rows == 0


def test_empty_lines_and_another_order_of_keys_are_fine() -> None:
    turned = dict(reversed(line(2).items()))
    _, table = parse_captions([*encode(line(1)), b"\n", *encode(turned), b" \r\n"], "FILE", "train")
    assert table.to_pylist() == [line(1), line(2)]


def test_tables_are_put_together_from_many_lines() -> None:
    content = encode(*map(line, range(25_000)))
    _, table = parse_captions(content, "FILE", "train")
    assert table.num_rows == 25_000
    assert table["caption"][24_999].as_py() == "Caption 24999"


def without(name: str) -> dict[str, Any]:
    entry = line(2)
    del entry[name]
    return entry


WRONG: dict[str, tuple[bytes | dict[str, Any], str]] = {
    "no JSON": (b"{", "FILE, line 2: this is not JSON (Input data was truncated)."),
    "no UTF-8": (b'{"a": "\xff"}', "FILE, line 2: this is not JSON ("),
    "no object": (b"[1]", "FILE, line 2: [1] is not a JSON object: each line has crop_path"),
    "deep nesting": (b"[" * 100_000, "FILE, line 2: this is not JSON ("),
    "no path": (without("crop_path"), "FILE, line 2: crop_path is missing: each line has crop_pat"),
    "no digest": (without("sha256"), "FILE, line 2: sha256 is missing: each line has crop_path, s"),
    "no text": (
        without("caption"),
        "line 2: caption is missing: each line has crop_path, sha256, ",
    ),
    "another key": (line(2, more="a"), "line 2: unknown key more: each line has crop_path, sha256"),
    "a number": (line(2, caption=3), "FILE, line 2: caption is 3: give text."),
    "null": (line(2, caption=None), "FILE, line 2: caption is None: give text."),
    "an empty text": (line(2, caption=" "), "line 2: caption is empty: leave out crops without"),
    "a line break": (line(2, caption="a\nb"), "line 2: caption has a line break, a tab or another"),
    "a duplicate": (line(1), f"FILE, line 2: line 1 is of {path_of(1)} too: give each crop once."),
    "an absolute path": (
        line(2, crop_path="/x/train/a.jpg"),
        "FILE, line 2: crop_path is /x/train/a.jpg: give the path of a crop relative to SKU_ROOT",
    ),
    "another split": (line(2, "val"), "line 2: crop_path is val/query/000001_01_05/000002_item1"),
    "a short digest": (
        line(2, sha256=DIGEST[1:]),
        f"FILE, line 2: sha256 is {DIGEST[1:]}: give the 64 hexadecimal digits",
    ),
    "capital digits": (
        line(2, sha256=DIGEST.upper()),
        "64 hexadecimal digits of the crop's SHA-256",
    ),
}


@pytest.mark.parametrize(("content", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_line_is_refused_with_its_number(
    content: bytes | dict[str, Any], says: str
) -> None:
    wrong = content if isinstance(content, bytes) else encode(content)[0]
    with pytest.raises(CaptionsError) as refused:
        parse_captions([*encode(line(1)), wrong, *encode(line(3))], "FILE", "validation")
    assert says in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("Caption", "FILE, line 1: Caption cannot be the name of a field: use a-z, 0-9 and _"),
        ("text", "FILE, line 1: text is a field of the contract: give another name"),
        ("title", "FILE, line 1: exports already have a column title: give another name"),
        ("text_sku", "FILE, line 1: text_sku is the key of DF2_SKU_TOKEN: give another name"),
    ],
)
def test_a_key_that_is_taken_is_refused(key: str, says: str) -> None:
    with pytest.raises(CaptionsError) as refused:
        parse_captions(encode(line(1, **{key: "a"})), "FILE")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "FILE has no captions: each line has crop_path, sha256 and at least one caption"),
        ([b"\n"], "FILE has no captions"),
        (encode(without("caption")), "FILE, line 1: a caption is missing: each line has crop_path"),
    ],
)
def test_a_file_without_captions_is_refused(content: list[bytes], says: str) -> None:
    with pytest.raises(CaptionsError) as refused:
        parse_captions(content, "FILE")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda path: None,
            "captions.jsonl cannot be read (No such file or directory): set DF2_CAP",
        ),
        (
            Path.mkdir,
            "captions.jsonl cannot be read (Is a directory): set DF2_CAPTIONS to the file",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    path = tmp_path / "captions.jsonl"
    make(path)
    with pytest.raises(CaptionsError) as refused:
        read_captions(path)
    assert says in str(refused.value)


def test_a_caption_is_joined_by_the_path_and_the_digest_of_its_crop() -> None:
    content = encode(line(1), line(2, sha256=OTHER), line(9))
    _, captions = parse_captions(content, "FILE", "train")
    paths = [path_of(number) for number in (3, 2, 1)]
    manifest = pa.table({"crop_path": paths[::-1], "sha256": [DIGEST] * 3})
    texts, states = match_captions(captions, pa.chunked_array([paths[:1], paths[1:]]), manifest)
    assert texts.to_pydict() == {"caption": [None, None, "Caption 1"]}
    assert states.to_pylist() == [None, "stale", "current"]
    nothing, none = match_captions(captions, pa.chunked_array([[]], pa.string()), manifest)
    assert (nothing.to_pydict(), none.to_pylist()) == ({"caption": []}, [])

"""The answer key of a sample with planted defects: what was planted where, and who must name it."""

from pathlib import Path
from shlex import quote
from typing import Final

import msgspec

from df2_assets.dataset.reasons import Reason
from df2_assets.errors import SampleError

ANSWER_KEY: Final = "answer_key.json"


class Expectation(msgspec.Struct, frozen=True):
    """What a build must say of something planted.

    `reason` is that of its refusal (null: it must not be refused). `checks` (`asset/check`) must
    list it, where `once_built` names a split as soon as that is built; those of `may` may list it.
    """

    reason: Reason | None = None
    checks: tuple[str, ...] = ()
    once_built: str | None = None
    may: tuple[str, ...] = ()


class PlantedDefect(msgspec.Struct, frozen=True):
    """Something planted: a file, or with `item_idx` one item of its annotation.

    `path` is a file to look at, relative to the sample; `image_id` is null where that has no id.
    """

    split: str
    image_id: str | None
    item_idx: int | None
    path: str
    planted: str
    expect: Expectation


def encode(key: list[PlantedDefect]) -> bytes:
    """Return the key as JSON, one entry per line, ordered by place."""
    ordered = sorted(key, key=lambda one: (one.split, one.path, one.item_idx or 0, one.planted))
    return b"[" + b",\n ".join(map(msgspec.json.encode, ordered)) + b"]\n"


def read_answer_key(sample: Path) -> list[PlantedDefect]:
    """Return the key of a sample. Raises SampleError where it has none."""
    path = sample / ANSWER_KEY
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[PlantedDefect])
    except FileNotFoundError:
        message = f"{path} is not there: run df2-assets sample {quote(str(sample))} --defects"
    except msgspec.DecodeError as error:
        message = f"{path} is not an answer key ({error}): make the sample again."
    raise SampleError(message)

"""The answer key of a sample with planted defects: where they are, and what must report them."""

from pathlib import Path
from shlex import quote
from typing import Final

import msgspec

from df2_assets.dataset.reasons import Reason
from df2_assets.errors import SampleError

ANSWER_KEY: Final = "answer_key.json"


class Expectation(msgspec.Struct, frozen=True):
    """What a build has to report about a planted defect.

    `reason` is the reason of its refusal; null if it is not to be refused. Each of `checks`
    (`asset/check`) has to list it. If `once_built` names a split, this is only so once that split
    has been built. Each of `may` is allowed to list it.
    """

    reason: Reason | None = None
    checks: tuple[str, ...] = ()
    once_built: str | None = None
    may: tuple[str, ...] = ()


class PlantedDefect(msgspec.Struct, frozen=True):
    """A planted defect: in a file or, with `item_idx`, in one item of its annotation.

    `path` is a file to look at, relative to the sample. `image_id` is null if that has no id.
    `planted` describes the defect.
    """

    split: str
    image_id: str | None
    item_idx: int | None
    path: str
    planted: str
    expect: Expectation


def encode(key: list[PlantedDefect]) -> bytes:
    """Return the key as JSON, with one entry per line, sorted by location."""
    ordered = sorted(
        key, key=lambda defect: (defect.split, defect.path, defect.item_idx or 0, defect.planted)
    )
    return b"[" + b",\n ".join(map(msgspec.json.encode, ordered)) + b"]\n"


def read_answer_key(sample: Path) -> list[PlantedDefect]:
    """Return the key of a sample. Raises SampleError if it has none."""
    path = sample / ANSWER_KEY
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[PlantedDefect])
    except FileNotFoundError:
        message = f"{path} does not exist: run df2-assets sample {quote(str(sample))} --defects"
    except msgspec.DecodeError as error:
        message = f"{path} is not an answer key ({error}): write the sample again."
    raise SampleError(message)

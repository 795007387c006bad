"""Encoders by name: those of the project, and functions of a user's own modules.

A name is `histogram`, `open_clip:ARCH/PRETRAINED`, `timm:NAME`, `torchvision:NAME`, or
`module:callable` for a function or class of your own. `docs/embeddings.md` describes all of them.
Worker processes import this module, so it loads numpy and models only on first use.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from df2_assets.errors import Df2Error, EncoderError, describe_exception, escape_untrusted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    Vectors = npt.NDArray[np.floating[Any]]
    """Float16 or float32, one row per crop."""

HISTOGRAM: Final = "histogram"
LIBRARIES: Final = ("open_clip", "timm", "torchvision")
"""The libraries of models, as encoders of their names begin."""

_NAME: Final = re.compile(r"[^\s:]+(:\S+)?", re.ASCII)
_SAFE: Final = re.compile(r"[^A-Za-z0-9._]+", re.ASCII)
_MOST_CHARACTERS: Final = 80


class Callee(Protocol):
    """What `module:callable` names: a function with these attributes, or a class that makes one.

    `__call__` takes a batch of RGB pictures and returns an array of shape `(n, d)`, one row per
    picture. Two callables with the same `name` and `version` must return the same vectors.

    Two more attributes are optional. `prepare` takes one picture, and what it returns takes the
    place of the picture in the batch; it runs in several threads. `in_workers` is true for a
    callable that the worker processes may load and call, each for itself. Without it, the callable
    runs in one process, and is never called twice at the same time.
    """

    name: str
    version: str

    def __call__(self, images: "Sequence[Image]") -> "npt.ArrayLike": ...


@dataclass(frozen=True)
class Encoder:
    """An encoder, ready to be called.

    `setting` is what DF2_ENCODER has. `prepare` turns a picture into a member of the batch that
    `encode` takes.
    """

    setting: str
    name: str
    version: str
    encode: Callable[[list[Any]], Any]
    prepare: "Callable[[Image], Any]"
    in_workers: bool

    @property
    def fingerprint(self) -> str:
        """What the vectors of a crop depend on besides its bytes."""
        return f"{self.name} {self.version}"


def check_name(name: str) -> str:
    """Return the name of an encoder without spaces around it. Raises ValueError."""
    name = name.strip()
    kind, colon, rest = name.partition(":")
    is_known = name == HISTOGRAM or bool(colon and _NAME.fullmatch(name))
    if not is_known or (kind == "open_clip" and not rest.startswith("hf-hub:") and "/" not in rest):
        raise ValueError(
            f"give {HISTOGRAM}, open_clip:ARCH/PRETRAINED, timm:NAME, torchvision:NAME or "
            "module:callable"
        )
    return name


def folder_name(name: str) -> str:
    """Return the name of an encoder as the name of a folder: safe, and different for each."""
    safe = _SAFE.sub("-", name)[:_MOST_CHARACTERS].strip("-.")
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@cache
def resolve_encoder(name: str) -> Encoder:
    """Return the encoder of a name. Models are loaded when they are first called.

    Raises EncoderError where there is no such encoder, or its library is not installed.
    """
    try:
        name = check_name(name)
    except ValueError as error:
        raise EncoderError(f"There is no encoder '{escape_untrusted(name)}': {error}") from None
    kind, _, rest = name.partition(":")
    callee = _make_callee(kind, rest)
    own, version = (getattr(callee, attribute, None) for attribute in ("name", "version"))
    if not (callable(callee) and isinstance(own, str) and isinstance(version, str)):
        raise EncoderError(
            f"The encoder {name} has no name or no version: give the callable the attributes name "
            "and version, two texts"
        )
    prepare = getattr(callee, "prepare", _keep)
    in_workers = bool(getattr(callee, "in_workers", False))
    return Encoder(name, own, version, callee, prepare, in_workers)


def _make_callee(kind: str, rest: str) -> Any:
    if kind == HISTOGRAM:
        from df2_assets.embeddings.histogram import Histogram

        return Histogram()
    if kind in LIBRARIES:
        from df2_assets.embeddings.models import make_model

        return make_model(kind, rest)
    try:
        callee = getattr(import_module(kind), rest)
        return callee() if isinstance(callee, type) else callee
    except Df2Error:
        raise
    except Exception as error:
        raise EncoderError(
            f"The encoder {kind}:{rest} cannot be loaded ({describe_exception(error)}): install "
            "its module, or add its folder to PYTHONPATH"
        ) from error


def _keep(image: "Image") -> "Image":
    return image

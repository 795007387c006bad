"""Encoders of a user's own module, right and wrong, as `module:callable`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL.Image import Image

MODULE = __name__

encoded: list[int] = []
"""The size of each batch that `mean` took."""


def named(version: str = "1", **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a function what an encoder needs."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        vars(function).update(name=function.__name__, version=version, **more)
        return function

    return decorate


def means(images: Sequence[Image]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the mean colour of each picture."""
    return np.array([np.asarray(image).mean(axis=(0, 1)) for image in images])


@named()
def mean(images: Sequence[Image]) -> Any:
    encoded.append(len(images))
    return means(images)


def setting(function: Callable[..., Any]) -> str:
    """Return an encoder as the setting has it."""
    return f"{MODULE}:{function.__name__}"

"""Encoders of a user's own module, right and wrong, and their names as a setting has them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL.Image import Image

Function = Callable[[Sequence[Image]], Any]

batches: list[int] = []
"""The size of each batch that `mean` took."""

hated: list[bytes] = []
"""The pixels of the pictures that some encoders cannot take."""


def named(function: Function) -> Function:
    """Give a function the attributes of an encoder."""
    vars(function).update(name=function.__name__, version="1")
    return function


def setting(encoder: object) -> str:
    """Return an encoder of this module as the setting has it."""
    return f"{__name__}:{encoder.__name__}"  # type: ignore[attr-defined]


def means(images: Sequence[Image]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the mean colour of each picture."""
    return np.array([np.asarray(image).mean(axis=(0, 1)) for image in images])


@named
def mean(images: Sequence[Image]) -> Any:
    batches.append(len(images))
    return means(images)


@named
def half(images: Sequence[Image]) -> Any:
    return means(images).astype(np.float16)


def nameless(images: Sequence[Image]) -> Any:
    return means(images)


@named
def picky(images: Sequence[Image]) -> Any:
    if any(image.tobytes() in hated for image in images):
        raise RuntimeError("this is \x1b[31mugly")
    return means(images)


@named
def crowded(images: Sequence[Image]) -> Any:
    """Raises for batches, but for no picture by itself."""
    if len(images) > 1:
        raise MemoryError("out of memory")
    return means(images)


@named
def undefined(images: Sequence[Image]) -> Any:
    vectors = means(images)
    vectors[[image.tobytes() in hated for image in images]] = np.nan
    return vectors


@named
def enormous(images: Sequence[Image]) -> Any:
    return means(images) * 1e300


@named
def flat(images: Sequence[Image]) -> Any:
    return means(images).ravel()


@named
def short(images: Sequence[Image]) -> Any:
    return means(images)[1:]


@named
def wordy(images: Sequence[Image]) -> Any:
    return [["red", "green"] for _ in images]


@named
def growing(images: Sequence[Image]) -> Any:
    """Returns vectors that are as long as the batch."""
    return np.ones((len(images), len(images)))


@named
def doubtful(images: Sequence[Image]) -> Any:
    """Returns float16 for a batch with certain pictures, and else float32."""
    is_half = any(image.tobytes() in hated for image in images)
    return means(images).astype(np.float16 if is_half else np.float32)


class Prepared:
    """An encoder that turns each picture into its mean colour first, as a class."""

    name = "prepared"
    version = "1"

    def prepare(self, image: Image) -> Any:
        return means([image])[0]

    def __call__(self, colours: Sequence[Any]) -> Any:
        return np.stack(colours)


@named
def slow(images: Sequence[Image]) -> Any:
    """Takes so long for each batch that a test can end the process in between."""
    time.sleep(0.2)
    return means(images)


@named
def slow_in_workers(images: Sequence[Image]) -> Any:
    return slow(images)


vars(slow_in_workers).update(in_workers=True)

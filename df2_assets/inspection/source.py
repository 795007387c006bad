"""Whether DF2_ROOT holds a split as DeepFashion2 is unpacked."""

import os
import re
from pathlib import Path
from typing import Final

import pandas as pd

from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, RELEASED
from df2_assets.errors import LayoutError, inert
from df2_assets.inspection.finding import Finding
from df2_assets.inspection.offenders import number_of
from df2_assets.store.layout import Roots, refuse_missing

_ID: Final = re.compile(r"[0-9]{6}", re.ASCII)
_NEARLY_FULL: Final = 0.9
"""From this share of the released images on, a split is taken for the release, with a loss."""


def layout(roots: Roots, split: str) -> Finding:
    """Names of images and annotations beside the released numbers; no file is looked into.

    `test` needs neither of its folders: it was released without annotations.
    """
    folders = {"image": roots.images(split), "annos": roots.annotations(split)}
    try:
        refuse_missing(roots, split)
    except LayoutError as problem:
        missing = [name for name, folder in folders.items() if not folder.is_dir()]
        return Finding(
            False, "warn", 0, str(problem), _offenders(split, missing, "the folder is missing")
        )
    images, odd_images = _names(folders["image"], ".jpg")
    annotations, odd_annotations = _names(folders["annos"], ".json")
    released = RELEASED[split]
    strangers = [f"image/{name}" for name in odd_images]
    strangers += [f"annos/{name}" for name in odd_annotations]
    annotated = split in ANNOTATED_SPLITS
    found = {"image": images, "annos": annotations} if annotated else {"image": images}
    expected = {"image": released.images, "annos": released.annotations}
    empty = [folder for folder, count in found.items() if annotated and count == 0]
    nearly = images >= _NEARLY_FULL * released.images
    parts = [folder for folder, count in found.items() if nearly and count != expected[folder]]
    summary = [f"{number_of(images, 'image')} and {number_of(annotations, 'annotation')}."]
    if not annotated and annotations == 0:
        summary.append(f"{split} was released without annotations: none are needed.")
    if empty:
        summary.append(
            f"Nothing in {_paths(split, empty)}: unzip the annotations and images there."
        )
    if parts:
        summary.append(
            f"The release has {released.images:,} and {released.annotations:,}: "
            f"unpack {_paths(split, parts)} again."
        )
    if strangers:
        names = number_of(len(strangers), "name that is", "names that are")
        summary.append(f"{names} not six digits and the ending, left alone: move them away.")
    return Finding(
        not (empty or parts or strangers),
        "warn",
        images + annotations + len(strangers),
        " ".join(summary),
        pd.concat(
            [
                _offenders(split, empty, "the folder is empty"),
                _offenders(split, [p for p in parts if p not in empty], "not as many as released"),
                _offenders(split, strangers, "the name is not six digits and the ending"),
            ],
            ignore_index=True,
        ),
        {"images": images, "annotations": annotations, "strangers": len(strangers)},
        {
            "beside the release": pd.DataFrame(
                [
                    ("images", images, released.images),
                    ("annotations", annotations, released.annotations),
                ],
                columns=["what", "found", "released"],
            )
        },
    )


def _names(folder: Path, suffix: str) -> tuple[int, list[str]]:
    """How many names are six digits and `suffix`, and those that are not."""
    names = os.listdir(folder) if folder.is_dir() else []
    strangers = [
        name
        for name in names
        if not (name.endswith(suffix) and _ID.fullmatch(name.removesuffix(suffix)))
    ]
    return len(names) - len(strangers), sorted(strangers)


def _offenders(split: str, inside: list[str], what: str) -> pd.DataFrame:
    paths = [inert(f"{split}/{name}", 300) for name in inside]
    return pd.DataFrame({"split": split, "path": paths, "what": what}, dtype="str")


def _paths(split: str, folders: list[str]) -> str:
    return " and ".join(f"{split}/{folder}" for folder in folders)

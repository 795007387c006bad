"""Whether DF2_ROOT holds a split as DeepFashion2 is unpacked."""

import re
from pathlib import Path
from typing import Final

import pandas as pd

from df2_assets.checks.finding import Finding, number_of
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, RELEASED
from df2_assets.errors import LayoutError, inert
from df2_assets.store.layout import Roots, require_input
from df2_assets.store.location import names

_ID: Final = re.compile(r"[0-9]{6}", re.ASCII)
_NEARLY_FULL: Final = 0.9
"""From this share of the released images on, a split is taken for the release, with a loss."""


def layout(roots: Roots, split: str) -> Finding:
    """Compare names of images and annotations with the release; no file is opened.

    `test` needs neither of its folders: it was released without annotations.
    """
    folders = {"image": roots.images(split), "annos": roots.annotations(split)}
    try:
        require_input(roots, split)
    except LayoutError as problem:
        missing = [name for name, folder in folders.items() if not folder.is_dir()]
        return Finding(
            False, "warn", 0, str(problem), _offenders(split, missing, "the folder is missing")
        )
    images, odd_images = _names(folders["image"], ".jpg")
    annotations, odd_annotations = _names(folders["annos"], ".json")
    released, annotated = RELEASED[split], split in ANNOTATED_SPLITS
    found = {"image": (images, released.images)}
    if annotated:
        found["annos"] = annotations, released.annotations
    nearly_full = images >= _NEARLY_FULL * released.images
    strangers = [f"image/{name}" for name in odd_images]
    strangers += [f"annos/{name}" for name in odd_annotations]
    faults = {
        "the folder is empty": [
            name for name, (count, _) in found.items() if annotated and not count
        ],
        "not as many as were released": [
            name for name, (count, of) in found.items() if nearly_full and 0 < count != of
        ],
        "the name is not six digits and the ending": strangers,
    }
    offenders = pd.concat(
        [_offenders(split, inside, what) for what, inside in faults.items()], ignore_index=True
    )
    summary = f"{number_of(images, 'image')} and {number_of(annotations, 'annotation')}."
    absent = [f"{split}/{name}" for name, folder in folders.items() if not folder.is_dir()]
    if absent:
        summary += f" There is no {' and no '.join(absent)}: {split} needs none."
    said = [f"{len(inside):,}: {what}" for what, inside in faults.items() if inside]
    if said:
        summary += f" {'; '.join(said)}. Unpack {split} again, or move away what is not of it."
    numbers = {"images": images, "annotations": annotations}
    table = pd.DataFrame(
        {"what": numbers.keys(), "found": numbers.values(), "released": [*released]}
    )
    return Finding(
        offenders.empty,
        "warn",
        images + annotations + len(strangers),
        summary,
        offenders,
        {**numbers, "strangers": len(strangers)},
        {"beside the release": table},
    )


def _names(folder: Path, suffix: str) -> tuple[int, list[str]]:
    """Count names of six digits and `suffix`, and return those that are not."""
    found = names(folder)
    strangers = [
        name
        for name in found
        if not (name.endswith(suffix) and _ID.fullmatch(name.removesuffix(suffix)))
    ]
    return len(found) - len(strangers), sorted(strangers)


def _offenders(split: str, inside: list[str], what: str) -> pd.DataFrame:
    paths = [inert(f"{split}/{name}", 300) for name in inside]
    return pd.DataFrame({"split": split, "path": paths, "what": what}, dtype="str")

"""Whether DF2_ROOT holds a split as DeepFashion2 is unpacked."""

from pathlib import Path
from typing import Final

import pandas as pd

from df2_assets.checks.finding import Finding, number_of
from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, RELEASED
from df2_assets.errors import LayoutError, escape_untrusted
from df2_assets.store.layout import ANNOTATION, IMAGE, Roots, image_id_of, require_input
from df2_assets.store.location import store_at
from df2_assets.store.system_files import is_system_file

_NEARLY_FULL: Final = 0.9
"""From this share of the released images on, a split is taken for the release, with a loss."""


def layout(roots: Roots, split: str) -> Finding:
    """Compare names of images and annotations with the release; no file is opened.

    Names of operating systems and file servers do not count. `test` needs neither of its folders:
    it was released without annotations.
    """
    folders = {"image": roots.images(split), "annos": roots.annotations(split)}
    try:
        require_input(roots, split)
        problem = None
    except LayoutError as error:
        problem = str(error)
    try:
        images, odd_images = _names(folders["image"], IMAGE)
        annotations, odd_annotations = _names(folders["annos"], ANNOTATION)
    except OSError as error:
        return Finding(False, "warn", 0, problem or f"{error.filename}: {error.strerror}.")
    odd = {"image": odd_images, "annos": odd_annotations}
    released, annotated = RELEASED[split], split in ANNOTATED_SPLITS
    found = {"image": (images, released.images)}
    if annotated:
        found["annos"] = annotations, released.annotations
    nearly_full = images >= _NEARLY_FULL * released.images
    absent = [name for name, folder in folders.items() if not folder.is_dir()]
    none_right = [name for name, (count, _) in found.items() if annotated and not count]
    none_right = [name for name in none_right if name not in absent]
    problems = {
        "the folder is missing": absent if annotated else [],
        "the folder is empty": [name for name in none_right if not odd[name]],
        "no name in it is six digits and the ending": [name for name in none_right if odd[name]],
        "not as many as were released": [
            name for name, (count, of) in found.items() if nearly_full and 0 < count != of
        ],
        "the name is not six digits and the ending": [
            f"{inside}/{name}" for inside, odd_names in odd.items() for name in odd_names
        ],
    }
    offenders = pd.concat(
        [_offenders(split, inside, what) for what, inside in problems.items()], ignore_index=True
    )
    summary = f"{number_of(images, 'image')} and {number_of(annotations, 'annotation')}."
    if absent and not annotated:
        missing = " and no ".join(f"{split}/{name}" for name in absent)
        summary += f" There is no {missing}: {split} needs none."
    said = [f"{len(inside):,}: {what}" for what, inside in problems.items() if inside]
    if problem:
        summary = problem
    elif said:
        summary += f" {'; '.join(said)}. Unpack {split} again, or move away what is not of it."
    foreign = len(odd_images) + len(odd_annotations)
    numbers = {"images": images, "annotations": annotations}
    table = pd.DataFrame(
        {"what": numbers.keys(), "found": numbers.values(), "released": [*released]}
    )
    return Finding(
        offenders.empty and problem is None,
        "warn",
        images + annotations + foreign,
        summary,
        offenders,
        {**numbers, "foreign": foreign},
        {"beside the release": table},
    )


def _names(folder: Path, suffix: str) -> tuple[int, list[str]]:
    """Count the names of six digits and `suffix`; return the others, without those of systems."""
    names = list(store_at(folder).names(folder))
    others = [name for name in names if image_id_of(name, suffix) is None]
    foreign = sorted(name for name in others if not is_system_file(name))
    return len(names) - len(others), foreign


def _offenders(split: str, inside: list[str], what: str) -> pd.DataFrame:
    paths = [escape_untrusted(f"{split}/{name}", 300) for name in inside]
    return pd.DataFrame({"split": split, "path": paths, "what": what}, dtype=TEXT)

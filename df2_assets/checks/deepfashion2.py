"""The check of the download: whether DF2_ROOT has a split with the names of the release."""

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

_COUNTS: Final = {"found": "Int64", "released": "Int64"}

_NEARLY_FULL: Final = 0.9
"""A split with at least this share of the released images is meant to be complete."""


def layout(roots: Roots, split: str) -> Finding:
    """Compare the names of images and annotations with the release, without opening any file.

    Files of operating systems and file servers are ignored. `test` needs no folders, because it was
    released without annotations.
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
    released, is_annotated = RELEASED[split], split in ANNOTATED_SPLITS
    counts = {"image": (images, released.images)}
    if is_annotated:
        counts["annos"] = annotations, released.annotations
    is_nearly_full = images >= _NEARLY_FULL * released.images
    missing = [name for name, folder in folders.items() if not folder.is_dir()]
    unusable = [
        name
        for name, (count, _) in counts.items()
        if is_annotated and not count and name not in missing
    ]
    problems = {
        "the folder is missing": missing if is_annotated else [],
        "the folder is empty": [name for name in unusable if not odd[name]],
        "no name in it is six digits and the ending": [name for name in unusable if odd[name]],
        "not as many as were released": [
            name
            for name, (count, expected) in counts.items()
            if is_nearly_full and 0 < count != expected
        ],
        "the name is not six digits and the ending": [
            f"{folder}/{name}" for folder, odd_names in odd.items() for name in odd_names
        ],
    }
    offenders = pd.concat(
        [_offenders(split, names, what) for what, names in problems.items()], ignore_index=True
    )
    summary = f"{number_of(images, 'image')} and {number_of(annotations, 'annotation')}."
    if missing and not is_annotated:
        folders_missing = " and no ".join(f"{split}/{name}" for name in missing)
        summary += f" There is no {folders_missing}: {split} needs none."
    if problem:
        summary = problem
    elif len(offenders):
        listed = "; ".join(f"{len(names):,}: {what}" for what, names in problems.items() if names)
        summary += f" {listed}. Unpack {split} again, or move away files that are not part of it."
    foreign = len(odd_images) + len(odd_annotations)
    numbers = {"images": images, "annotations": annotations}
    shown: list[tuple[str, int | None, int | None]] = [
        ("images", images, released.images),
        ("annotations", annotations, released.annotations),
    ]
    if released.user_images:  # only annotations say which images these are
        shown += [
            ("user images", None, released.user_images),
            ("shop images", None, released.shop_images),
        ]
    table = pd.DataFrame(shown, columns=["what", "found", "released"]).astype(_COUNTS)
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


def _offenders(split: str, names: list[str], what: str) -> pd.DataFrame:
    paths = [escape_untrusted(f"{split}/{name}", 300) for name in names]
    return pd.DataFrame({"split": split, "path": paths, "what": what}, dtype=TEXT)

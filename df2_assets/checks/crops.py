"""Whether the crops on disk are those of the manifest, and whether they are good to train on."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from df2_assets.checks.finding import Finding, crop_rows, number_of
from df2_assets.dataset.boxes import size
from df2_assets.dataset.frames import TEXT, rows
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.errors import escape_untrusted
from df2_assets.store.crop_tree import CropTree

TINY: Final = 32
"""Pixels of the shorter side below which a crop shows hardly more than a colour."""

_NAMED: Final = 3
"""Files of others that the summary names."""

_ACTIVE: Final = re.compile(r"[^\w ./@#~+,=\\-]", re.ASCII)
"""What can be more than text in Markdown or HTML."""

_GONE: Final = "the file is not there"
_CHANGED: Final = "its bytes are not those that were written"
_UNWANTED: Final = "sku_groups does not want it"
_RECORDED_SIZE: Final = "the recorded width and height are not those of the box"
_UNREADABLE: Final = "the file is no readable JPEG"
_OTHER_SIZE: Final = "the file's width and height are not those of the box"
_TWICE: Final = "in the manifest twice"
FOREIGN: Final = "not a file of this project"

_OF_ROWS: Final = (_GONE, _CHANGED, _UNWANTED, _RECORDED_SIZE, _UNREADABLE, _OTHER_SIZE, _TWICE)
"""What can be wrong with a row of the manifest, in the order in which it is reported."""


def settle_times(
    manifest: pd.DataFrame,
    tree: CropTree,
    digests_of: Callable[[Iterable[str]], Iterable[str | None]],
) -> CropTree:
    """Return `tree` with the recorded time for crops of which only the time is another.

    A copy of a data set is like that, and no worse. `digests_of` is asked for the digests of those
    crops; `copied` has those whose bytes are the recorded ones.
    """
    made = manifest[manifest["reason"].isna()]
    suspects = {
        path: (sha256, mtime_ns)
        for path, size, mtime_ns, sha256 in rows(made, "crop_path", "size", "mtime_ns", "sha256")
        if (status := tree.crops.get(path)) and status[0] == size and status[1] != mtime_ns
    }
    digests = zip(suspects.items(), digests_of(suspects), strict=True)
    settled = {
        path: (tree.crops[path][0], mtime_ns)
        for (path, (sha256, mtime_ns)), digest in digests
        if digest == sha256
    }
    return replace(tree, crops=tree.crops | settled, copied=sorted(settled))


def files_match(
    groups: pd.DataFrame,
    manifest: pd.DataFrame,
    tree: CropTree,
    sizes_read: Mapping[str, tuple[int, int] | None] | None = None,
) -> Finding:
    """Check for one file per row without a reason, as recorded and as large as its box; no other.

    `tree` is what `settle_times` gives. `sizes_read` are width and height of crops that were read
    back (None: not a readable JPEG).
    """
    sizes_read = sizes_read or {}
    made = manifest[manifest["reason"].isna()]
    problems: dict[str, list[str]] = {what: [] for what in _OF_ROWS}
    boxes = _boxes(groups)
    seen: set[str] = set()
    for path, *recorded in rows(made, "crop_path", "size", "mtime_ns", "width", "height"):
        status, box = tree.crops.get(path), boxes.get(path)
        if status is None:
            problems[_GONE].append(path)
        elif status != tuple(recorded[:2]):
            problems[_CHANGED].append(path)
        if box is None:
            problems[_UNWANTED].append(path)
        elif box != tuple(recorded[2:]):
            problems[_RECORDED_SIZE].append(path)
        if status is not None and path in sizes_read:
            if sizes_read[path] is None:
                problems[_UNREADABLE].append(path)
            elif box is not None and sizes_read[path] != box:
                problems[_OTHER_SIZE].append(path)
        if path in seen:
            problems[_TWICE].append(path)
        seen.add(path)
    problems |= {
        **{
            what: groups["crop_path"][mask].tolist()
            for what, mask in _sku_problems(groups, manifest).items()
        },
        "no row of the manifest wants it": sorted(tree.crops.keys() - seen),
        "half-written, left by a build that was killed": tree.temporary,
        "an empty folder": tree.empty,
        FOREIGN: tree.foreign,
    }
    whats = [what for what, paths in problems.items() for _ in paths]
    offenders = crop_rows(path for paths in problems.values() for path in paths)
    offenders = offenders.assign(what=pd.Series(whats, dtype=TEXT))
    on_disk = len(tree.crops) + len(tree.temporary) + len(tree.foreign)
    return Finding(
        offenders.empty,
        "error",
        len(made),
        _summary(len(made), on_disk, len(tree.copied), problems),
        offenders,
        {"crops": len(made), "files": on_disk, "foreign": len(tree.foreign)},
    )


def tiny_crops(manifest: pd.DataFrame) -> Finding:
    """Find crops whose shorter side is under 32 pixels."""
    made = manifest[manifest["reason"].isna()]
    tiny = made[made[["width", "height"]].min(axis=1) < TINY].reset_index(drop=True)
    offenders = crop_rows(tiny["crop_path"]).assign(
        width=tiny["width"], height=tiny["height"], what=f"a side under {TINY} pixels"
    )
    summary = f"{len(tiny):,} of {number_of(len(made), 'crop')} have a side under {TINY} pixels."
    return Finding(tiny.empty, "warn", len(made), summary, offenders, {"tiny": len(tiny)})


def duplicate_crops(
    split: str, manifest: pd.DataFrame, other_manifests: Mapping[str, pd.DataFrame | None]
) -> Finding:
    """Find crops with the same bytes as another, of this split or of another one: leakage.

    `other_manifests` are those of the other splits; None for one that is not built, which is not
    compared: then there is no number for none across splits.
    """
    made = manifest[manifest["reason"].isna()]
    twice = made[made["sha256"].duplicated(keep=False)]
    parts = [_same_bytes(twice, twice, f"same bytes as another crop of {split}")]
    compared = [(split, str(len(twice)))]
    for other, their_manifest in other_manifests.items():
        if their_manifest is None:
            compared.append((other, "not compared"))
            continue
        theirs = their_manifest[their_manifest["sha256"].isin(made["sha256"].dropna())]
        shared = made[made["sha256"].isin(theirs["sha256"])]
        parts.append(_same_bytes(shared, theirs, f"same bytes as a crop of {other}"))
        compared.append((other, str(len(shared))))
    offenders = pd.concat(parts, ignore_index=True)
    across = len(offenders) - len(twice)
    not_compared = [other for other, manifest in other_manifests.items() if manifest is None]
    numbers: dict[str, int | float] = {"duplicates_within": len(twice)}
    summary = f"{number_of(len(made), 'crop')}: {len(twice):,} with the bytes of another of {split}"
    if across or not not_compared:
        summary += f", {across:,} with those of a crop of another split"
        numbers["duplicates_across"] = across
    summary += "."
    if not_compared:
        summary += f" Not compared with {' and '.join(not_compared)}: not built yet."
    if across:
        summary += " A crop in two splits leaks from one into the other: leave one out."
    return Finding(
        offenders.empty,
        "warn",
        len(made),
        summary,
        offenders,
        numbers,
        {"compared with": pd.DataFrame(compared, columns=["split", "crops with the same bytes"])},
    )


def _boxes(groups: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Return width and height of the box that is cut for each crop."""
    width, height = size((groups["x1"], groups["y1"], groups["x2"], groups["y2"]))
    sized = groups.assign(width=width, height=height)
    return {path: (w, h) for path, w, h in rows(sized, "crop_path", "width", "height")}


def _sku_problems(groups: pd.DataFrame, manifest: pd.DataFrame) -> dict[str, "pd.Series[bool]"]:
    """Return masks over `groups`: crops without a row, SKUs left with one domain or in part.

    A SKU is whole, or not at all: it is left out when every crop of one domain has failed.
    """
    paths = groups["crop_path"]
    unpaired = paths.isin(manifest["crop_path"][manifest["reason"] == UNPAIRED])
    made = paths.isin(manifest["crop_path"][manifest["reason"].isna()])
    possible = groups[made | unpaired]
    domains = [set(possible["sku_id"][possible["domain"] == d]) for d in DOMAINS.values()]
    stands = groups["sku_id"].isin(set.intersection(*domains))
    return {
        "it has no row in the manifest": ~paths.isin(manifest["crop_path"]),
        "left out, though its SKU has crops of both domains": stands & unpaired,
        "its SKU has lost its catalog or query crops": ~stands & made,
    }


def _summary(made: int, on_disk: int, copied: int, problems: Mapping[str, list[str]]) -> str:
    listed = [f"{len(paths):,}: {what}" for what, paths in problems.items() if paths]
    text = f"{number_of(made, 'crop')} in the manifest, {number_of(on_disk, 'file')} on disk"
    if not listed:
        text = f"{text}: one for each, as recorded."
        return (
            f"{text} {copied:,} of them were copied: only their time differs." if copied else text
        )
    text = f"{text}; {'; '.join(listed)}."
    if problems[FOREIGN]:
        # The summary is shown as Markdown; the table of offenders has the names as they are.
        foreign = [_ACTIVE.sub("?", escape_untrusted(path, 200)) for path in problems[FOREIGN]]
        more = f" and {len(foreign) - _NAMED:,} more" if len(foreign) > _NAMED else ""
        text += f" Nothing is deleted that is {FOREIGN}: move {', '.join(foreign[:_NAMED])}{more}"
        text += " away."
    return f"{text} Then build again."


def _same_bytes(crops: pd.DataFrame, among: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return each of `crops` beside the first other crop with its bytes."""
    paths: dict[str, list[str]] = {}
    for path, digest in zip(among["crop_path"].tolist(), among["sha256"].tolist(), strict=True):
        paths.setdefault(digest, []).append(path)
    same_as = [
        next((other for other in paths[digest] if other != path), path)
        for path, digest in zip(crops["crop_path"].tolist(), crops["sha256"].tolist(), strict=True)
    ]
    rows = crop_rows(crops["crop_path"].tolist())
    return rows.assign(same_as=pd.Series(same_as, dtype=TEXT), what=what)

"""The checks of crops: whether the files match the manifest, and are good to train on."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from df2_assets.checks.finding import Finding, crop_rows, number_of
from df2_assets.dataset.boxes import size
from df2_assets.dataset.frames import TEXT, rows
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.errors import escape_untrusted
from df2_assets.store.crop_tree import CropTree

TINY: Final = 32
"""A crop whose shorter side has fewer pixels than this shows hardly more than a colour."""

_NAMED: Final = 3
"""How many foreign files the summary names."""

_ACTIVE: Final = re.compile(r"[^\w ./@#~+,=\\-]", re.ASCII)
"""Characters that Markdown or HTML may not show as text."""

MISSING: Final = "the file is missing"
CHANGED: Final = "its bytes differ from those that were written"
DAMAGED: Final = f"{CHANGED}, although size and time are the same"
_UNWANTED: Final = "sku_groups does not list it"
_RECORDED_SIZE: Final = "the recorded width and height are not those of the box"
_UNREADABLE: Final = "the file is not a readable JPEG"
_OTHER_SIZE: Final = "the file's width and height are not those of the box"
_TWICE: Final = "in the manifest twice"
FOREIGN: Final = "not a file of this project"

_ABSENT: Final = -1
"""Marks a missing number in an array."""

Pairs = np.ndarray[tuple[int, int], np.dtype[np.int64]]
"""Two numbers per row: the size in bytes and time of a file, or width and height in pixels."""

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


def settle_times(
    manifest: pd.DataFrame,
    tree: CropTree,
    digests_of: Callable[[Iterable[str]], Iterable[str | None]],
) -> CropTree:
    """Return `tree` with the recorded time for crops of which only the time has changed.

    Copying a data set does that, and it is harmless. `digests_of` is called with the paths of those
    crops; `copied` lists the ones whose bytes are as recorded.
    """
    made = manifest[manifest["reason"].isna()]
    on_disk = _look_up(made["crop_path"], tree.crops)
    same_size, same_time = (on_disk == _integers(made, "size", "mtime_ns")).T
    retimed = made[same_size & ~same_time]
    digests = digests_of(retimed["crop_path"].tolist())
    settled = {
        path: (size, mtime_ns)
        for (path, size, mtime_ns, sha256), digest in zip(
            rows(retimed, "crop_path", "size", "mtime_ns", "sha256"), digests, strict=True
        )
        if digest == sha256
    }
    return replace(tree, crops=tree.crops | settled, copied=sorted(settled)) if settled else tree


def files_match(
    groups: pd.DataFrame,
    manifest: pd.DataFrame,
    tree: CropTree,
    sizes_read: Mapping[str, tuple[int, int] | None] | None = None,
    *,
    only_pairs: bool,
) -> Finding:
    """Check for one file per crop of the manifest, as recorded and as large as its box; no other.

    `tree` is what `settle_times` returns. `sizes_read` are width and height of crops that were read
    back (None: not a readable JPEG). If `only_pairs`, a SKU that lost a domain is left out.
    """
    made = manifest[manifest["reason"].isna()]
    paths = made["crop_path"]
    on_disk, boxes = _look_up(paths, tree.crops), _box_sizes(paths, groups)
    read = _look_up(paths, sizes_read or {})
    has_file, has_box, was_read = (pairs[:, 0] != _ABSENT for pairs in (on_disk, boxes, read))
    is_readable = read[:, 0] != 0
    of_rows = {
        MISSING: ~has_file,
        CHANGED: has_file & _differ(on_disk, _integers(made, "size", "mtime_ns")),
        _UNWANTED: ~has_box,
        _RECORDED_SIZE: has_box & _differ(boxes, _integers(made, "width", "height")),
        _UNREADABLE: has_file & was_read & ~is_readable,
        _OTHER_SIZE: has_file & was_read & is_readable & has_box & _differ(boxes, read),
        _TWICE: paths.duplicated(),
    }
    problems = {what: paths[mask].tolist() for what, mask in of_rows.items()}
    problems |= {
        what: groups["crop_path"][mask].tolist()
        for what, mask in _sku_problems(groups, manifest, only_pairs).items()
    }
    recorded = set(pa.array(paths).to_pylist())
    problems |= {
        "the manifest does not list it": sorted(tree.crops.keys() - recorded),
        "half-written by a build that was killed": tree.temporary,
        "an empty folder": tree.empty,
        FOREIGN: tree.foreign,
    }
    whats = [what for what, paths in problems.items() for _ in paths]
    offenders = crop_rows(path for paths in problems.values() for path in paths)
    offenders = offenders.assign(what=pd.Series(whats, dtype=TEXT))
    files = len(tree.crops) + len(tree.temporary) + len(tree.foreign)
    return Finding(
        offenders.empty,
        "error",
        len(made),
        _summary(len(made), files, len(tree.copied), problems),
        offenders,
        {"crops": len(made), "files": files, "foreign": len(tree.foreign)},
    )


def _look_up(paths: "pd.Series[str]", pairs: Mapping[str, tuple[int, int] | None]) -> Pairs:
    """Return the pair of each path; `_ABSENT` twice where there is none, and zeros for None."""
    absent = (_ABSENT, _ABSENT)
    rows = [pairs.get(path, absent) or (0, 0) for path in pa.array(paths).to_pylist()]
    return np.array(rows, np.int64).reshape(-1, 2)


def _box_sizes(paths: "pd.Series[str]", groups: pd.DataFrame) -> Pairs:
    """Return width and height of the box of each crop; `_ABSENT` where `groups` lacks the crop."""
    width, height = size((groups["x1"], groups["y1"], groups["x2"], groups["y2"]))
    sizes = groups[["crop_path"]].assign(width=width, height=height)
    sizes = sizes.drop_duplicates("crop_path", keep="last")
    return _integers(paths.to_frame().merge(sizes, "left", "crop_path"), "width", "height")


def _integers(table: pd.DataFrame, *columns: str) -> Pairs:
    """Return two columns as one array, one row per row of the table; `_ABSENT` for null."""
    values = [table[name].to_numpy(np.int64, na_value=_ABSENT) for name in columns]
    return np.stack(values, axis=1)


def _differ(pairs: Pairs, others: Pairs) -> Flags:
    differ: Flags = (pairs != others).any(axis=1)
    return differ


def tiny_crops(manifest: pd.DataFrame) -> Finding:
    """Find crops with a side under 32 pixels."""
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
    """Find crops with the same bytes as another crop, in this split or in another one (leakage).

    `other_manifests` are those of the other splits; None for a split that is not built and cannot
    be compared. Then `duplicates_across` is reported only if it is not 0.
    """
    made = manifest[manifest["reason"].isna()]
    within = made[made["sha256"].duplicated(keep=False)]
    parts = [_same_bytes(within, within, f"same bytes as another crop of {split}")]
    compared = [(split, str(len(within)))]
    for other, their_manifest in other_manifests.items():
        if their_manifest is None:
            compared.append((other, "not compared"))
            continue
        theirs = their_manifest[their_manifest["sha256"].isin(made["sha256"].dropna())]
        shared = made[made["sha256"].isin(theirs["sha256"])]
        parts.append(_same_bytes(shared, theirs, f"same bytes as a crop of {other}"))
        compared.append((other, str(len(shared))))
    offenders = pd.concat(parts, ignore_index=True)
    across = len(offenders) - len(within)
    not_compared = [other for other, manifest in other_manifests.items() if manifest is None]
    numbers: dict[str, int | float] = {"duplicates_within": len(within)}
    summary = f"{number_of(len(made), 'crop')}: {len(within):,} with the bytes of another crop of "
    summary += split
    if across or not not_compared:
        summary += f", {across:,} with the bytes of a crop of another split"
        numbers["duplicates_across"] = across
    summary += "."
    if not_compared:
        summary += f" Not compared with {' and '.join(not_compared)}: not built yet."
    if across:
        summary += " A crop in two splits leaks from one into the other: exclude one of them."
    return Finding(
        offenders.empty,
        "warn",
        len(made),
        summary,
        offenders,
        numbers,
        {"compared with": pd.DataFrame(compared, columns=["split", "crops with the same bytes"])},
    )


def _sku_problems(
    groups: pd.DataFrame, manifest: pd.DataFrame, only_pairs: bool
) -> dict[str, "pd.Series[bool]"]:
    """Return masks over `groups`: crops without a row, and SKUs that are on disk only in part.

    All crops of a SKU are on disk, or none: if `only_pairs`, it is left out if every crop of one
    domain has failed.
    """
    paths, ids = groups["crop_path"], groups["sku_id"]
    has_no_row = {"it has no row in the manifest": ~paths.isin(manifest["crop_path"])}
    unpaired = paths.isin(manifest["crop_path"][manifest["reason"] == UNPAIRED])
    if not only_pairs:
        return has_no_row | {"left out, though SKUs with one domain are kept": unpaired}
    made = paths.isin(manifest["crop_path"][manifest["reason"].isna()])
    is_possible = made | unpaired
    catalog, query = (ids[is_possible & (groups["domain"] == d)] for d in DOMAINS.values())
    has_both = ids.isin(catalog) & ids.isin(query)
    return has_no_row | {
        "left out, though its SKU has crops of both domains": has_both & unpaired,
        "its SKU has lost its catalog or query crops": ~has_both & made,
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
        # The summary is shown as Markdown. The table of offenders has the exact names.
        foreign = [_ACTIVE.sub("?", escape_untrusted(path, 200)) for path in problems[FOREIGN]]
        more = f" and {len(foreign) - _NAMED:,} more" if len(foreign) > _NAMED else ""
        text += f" A build never deletes foreign files: move {', '.join(foreign[:_NAMED])}{more}"
        text += " away."
    return f"{text} Then build again."


def _same_bytes(crops: pd.DataFrame, among: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return offenders: each of `crops`, with the first other crop that has the same bytes."""
    paths: dict[str, list[str]] = {}
    for path, digest in zip(among["crop_path"].tolist(), among["sha256"].tolist(), strict=True):
        paths.setdefault(digest, []).append(path)
    same_as = [
        next((other for other in paths[digest] if other != path), path)
        for path, digest in zip(crops["crop_path"].tolist(), crops["sha256"].tolist(), strict=True)
    ]
    rows = crop_rows(crops["crop_path"].tolist())
    return rows.assign(same_as=pd.Series(same_as, dtype=TEXT), what=what)

"""Whether the crops on disk are those of the manifest, and whether they are good to train on."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from df2_assets.inspection import offenders
from df2_assets.inspection.finding import Finding
from df2_assets.inspection.offenders import number_of
from df2_assets.store.crop_tree import CropTree

_TINY: Final = 32
"""Pixels of the shorter side below which a crop shows hardly more than a colour."""

_LEFT_BEHIND: Final = "no row of the manifest wants it"
_FOREIGN: Final = "not a file of this project"


def files_match(
    groups: pd.DataFrame,
    manifest: pd.DataFrame,
    tree: CropTree,
    header_sizes: Mapping[str, tuple[int, int] | None],
) -> Finding:
    """One file for each row without a reason, as recorded and as large as its box; none besides.

    `header_sizes` holds width and height as read from the files of crops new in this run (None:
    not a readable JPEG); the others are held against their recorded size and time.
    """
    made = manifest[manifest["reason"].isna()]
    boxes = _boxes(groups)
    faults: dict[str, list[str]] = {
        "the file is not there": [],
        "size or time is not the recorded one": [],
        "sku_groups does not want it": [],
        "the recorded width and height are not those of the box": [],
        "the file is no readable JPEG": [],
        "the file's width and height are not those of the box": [],
        "in the manifest twice": made["crop_path"][made["crop_path"].duplicated()].tolist(),
        **_incomplete_skus(groups, manifest),
    }
    columns = ["crop_path", "size", "mtime_ns", "width", "height"]
    for path, size, mtime_ns, width, height in zip(
        *(made[name].tolist() for name in columns), strict=True
    ):
        found = tree.crops.get(path)
        box = boxes.get(path)
        if found is None:
            faults["the file is not there"].append(path)
        elif found != (size, mtime_ns):
            faults["size or time is not the recorded one"].append(path)
        if box is None:
            faults["sku_groups does not want it"].append(path)
        elif box != (width, height):
            faults["the recorded width and height are not those of the box"].append(path)
        if found is not None and path in header_sizes:
            header = header_sizes[path]
            if header is None:
                faults["the file is no readable JPEG"].append(path)
            elif box is not None and header != box:
                faults["the file's width and height are not those of the box"].append(path)
    faults[_LEFT_BEHIND] = sorted(tree.crops.keys() - set(made["crop_path"]))
    faults["half-written, left by a build that was killed"] = tree.temporary
    faults["an empty folder"] = tree.empty
    faults[_FOREIGN] = tree.foreign
    found_wrong = _named(faults)
    on_disk = len(tree.crops) + len(tree.temporary) + len(tree.foreign)
    return Finding(
        found_wrong.empty,
        "error",
        len(made),
        _summary(len(made), on_disk, faults),
        found_wrong,
        {
            "crops": len(made),
            "files": on_disk,
            "headers_read": len(header_sizes),
            "foreign": len(tree.foreign),
        },
    )


def tiny_crops(manifest: pd.DataFrame) -> Finding:
    """Crops whose shorter side is under 32 pixels."""
    made = manifest[manifest["reason"].isna()]
    tiny = made[made[["width", "height"]].min(axis=1) < _TINY].reset_index(drop=True)
    found = offenders.crops(tiny["crop_path"]).assign(
        width=tiny["width"], height=tiny["height"], what=f"a side under {_TINY} pixels"
    )
    summary = f"{len(tiny):,} of {number_of(len(made), 'crop')} have a side under {_TINY} pixels."
    return Finding(tiny.empty, "warn", len(made), summary, found, {"tiny": len(tiny)})


def duplicate_crops(
    split: str, manifest: pd.DataFrame, others: Mapping[str, pd.DataFrame | None]
) -> Finding:
    """Crops with the same bytes as another, of this split or of another one: leakage.

    `others` are the manifests of the other splits; None for one that is not built, which is not
    compared.
    """
    paths = _by_digest(manifest)
    within = [
        (path, same[0] if path != same[0] else same[1])
        for same in paths.values()
        if len(same) > 1
        for path in same
    ]
    found = [_pairs(sorted(within), f"same bytes as another crop of {split}")]
    rows: list[tuple[str, int | None]] = [(split, len(within))]
    for other, their_manifest in others.items():
        if their_manifest is None:
            rows.append((other, None))
            continue
        theirs = _by_digest(their_manifest)
        shared = [
            (path, theirs[digest][0]) for digest in paths.keys() & theirs.keys()
            for path in paths[digest]
        ]  # fmt: skip
        found.append(_pairs(sorted(shared), f"same bytes as a crop of {other}"))
        rows.append((other, len(shared)))
    all_found = pd.concat(found, ignore_index=True)
    crops = sum(len(same) for same in paths.values())
    across = len(all_found) - len(within)
    not_compared = [other for other, count in rows if count is None]
    summary = (
        f"{number_of(crops, 'crop')}: {len(within):,} with the bytes of another of {split}, "
        f"{across:,} with those of a crop of another split."
    )
    if not_compared:
        summary += f" Not compared with {' and '.join(not_compared)}: not built yet."
    if across:
        summary += " A crop in two splits leaks from one into the other: leave one out."
    compared = pd.DataFrame(
        [(other, "not compared" if count is None else str(count)) for other, count in rows],
        columns=["split", "crops with the same bytes"],
    )
    return Finding(
        all_found.empty,
        "warn",
        crops,
        summary,
        all_found,
        {"duplicates_within": len(within), "duplicates_across": across},
        {"compared with": compared},
    )


def _boxes(groups: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Crop path -> width and height of its box."""
    width, height = groups["x2"] - groups["x1"], groups["y2"] - groups["y1"]
    sizes = zip(width.tolist(), height.tolist(), strict=True)
    return dict(zip(groups["crop_path"].tolist(), sizes, strict=True))


def _incomplete_skus(groups: pd.DataFrame, manifest: pd.DataFrame) -> dict[str, list[str]]:
    """Crops that should have a row and do not, and crops whose SKU lost a domain.

    A SKU stands whole, or not at all: it falls when every crop of one domain could not be made.
    """
    failed = groups["crop_path"].isin(manifest["crop_path"][manifest["reason"].notna()])
    made = groups["crop_path"].isin(manifest["crop_path"][manifest["reason"].isna()])
    possible = groups[~failed]
    domains = [set(possible["sku_id"][possible["domain"] == d]) for d in ("catalog", "query")]
    stands = groups["sku_id"].isin(set.intersection(*domains))
    paths = groups["crop_path"]
    return {
        "it has no row in the manifest": paths[stands & ~failed & ~made].tolist(),
        "its SKU has lost its catalog or query crops": paths[~stands & made].tolist(),
    }


def _named(faults: Mapping[str, list[str]]) -> pd.DataFrame:
    parts = [offenders.crops(paths).assign(what=what) for what, paths in faults.items()]
    return pd.concat(parts, ignore_index=True)


def _summary(made: int, on_disk: int, faults: Mapping[str, list[str]]) -> str:
    said = [f"{len(paths):,}: {what}" for what, paths in faults.items() if paths]
    text = f"{number_of(made, 'crop')} in the manifest, {number_of(on_disk, 'file')} on disk"
    if not said:
        return f"{text}: one for each, as recorded."
    text = f"{text}; {'; '.join(said)}."
    if faults[_FOREIGN]:
        text += f" Nothing is deleted that is {_FOREIGN}: move it away."
    return f"{text} Then build again."


def _by_digest(manifest: pd.DataFrame) -> dict[str, list[str]]:
    """SHA-256 -> paths of the crops with it, in order."""
    made = manifest[manifest["reason"].isna()]
    paths: dict[str, list[str]] = {}
    for path, digest in sorted(
        zip(made["crop_path"].tolist(), made["sha256"].tolist(), strict=True)
    ):
        paths.setdefault(digest, []).append(path)
    return paths


def _pairs(pairs: list[tuple[str, str]], what: str) -> pd.DataFrame:
    same_as = pd.Series([other for _, other in pairs], dtype="str")
    return offenders.crops(path for path, _ in pairs).assign(same_as=same_as, what=what)

"""The two contract files of a split, held against the rules and against what was written."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from df2_assets.checks import image_text as lines
from df2_assets.checks.faults import Fault, Seen, also, listed
from df2_assets.checks.finding import Finding
from df2_assets.checks.prompts import coverage_on_disk
from df2_assets.checks.sku_metadata import contract
from df2_assets.store.files import temporary_name
from df2_assets.store.layout import Roots
from df2_assets.store.location import locate

_EDITED: Final = "its bytes are not those that were written"
_HALF_WRITTEN: Final = "half-written, left by a build that was killed"
_NO_ORIGINAL: Final = "the original image is not there"


class _Head(msgspec.Struct):
    df2_root: str
    out_root: str


def sku_metadata(
    roots: Roots,
    split: str,
    listing: Mapping[str, str],
    current: Mapping[str, str],
    known: Collection[str],
) -> tuple[Seen, list[str]]:
    """The metadata, and what could not be looked at.

    `listing` and `current` are checksums, as recorded and as they are. Crops in `known` are at
    fault already. The file may name another SKU_ROOT: the data set may have been moved. Without
    the split's images under DF2_ROOT, nothing is said of them.
    """
    path, notes = roots.sku_metadata(split), []
    originals = roots.images(split).is_dir()
    try:
        head = msgspec.json.decode(path.read_bytes(), type=_Head)
    except (OSError, msgspec.DecodeError):
        finding = contract(roots, split)
    else:
        df2_root = roots.df2_root if originals else locate(head.df2_root)
        finding = contract(replace(roots, df2_root=df2_root, out_root=head.out_root), split)
    if not originals and len(finding.offenders):
        notes.append(f"{roots.images(split)} is not there: original images were not looked for.")
        finding = _without_originals(finding, notes[0])
    return _seen("sku_metadata: contract", split, path, finding, listing, current, known), notes


def image_text(
    roots: Roots, split: str, listing: Mapping[str, str], current: Mapping[str, str]
) -> Seen:
    """The lines, held against the metadata."""
    path, finding = roots.image_text(split), lines.matches_metadata(roots, split)
    return _seen("image_text: matches_metadata", split, path, finding, listing, current)


def prompts(roots: Roots, split: str) -> Seen:
    """What the prompts say; a combination that no crop has is no fault."""
    finding = coverage_on_disk(roots, split)
    if finding.offenders.empty:
        return Seen(finding)
    if finding.severity != "error":
        return Seen(finding)
    wrong = finding.offenders[finding.offenders["text"].notna()]
    return Seen(finding, listed("image_text: prompt_coverage", wrong))


def unlisted(
    roots: Roots, split: str, listing: Mapping[str, str], current: Mapping[str, str]
) -> bool:
    """Whether the list of checksums lacks a file, or is not of the manifest's crops."""
    documents = {roots.sku_metadata(split).name, roots.image_text(split).name}
    crops = [{n: d for n, d in one.items() if n not in documents} for one in (listing, current)]
    return crops[0] != crops[1] or not documents <= listing.keys()


def _without_originals(finding: Finding, note: str) -> Finding:
    rows = finding.offenders[finding.offenders["what"] != _NO_ORIGINAL]
    if rows.empty:
        return replace(finding, passed=True, offenders=rows, summary=note)
    return replace(finding, offenders=rows.reset_index(drop=True))


def _seen(
    check: str,
    split: str,
    path: Path,
    finding: Finding,
    listing: Mapping[str, str],
    current: Mapping[str, str],
    known: Collection[str] = (),
) -> Seen:
    name, half = path.name, temporary_name(path.name)
    digest = current.get(name)  # None: a build has put the file there since
    if finding.passed and digest is not None and listing.get(name, digest) != digest:
        finding = also(finding, split, [name], _EDITED)
    rows = finding.offenders
    if not finding.passed and rows.empty:
        faults = [Fault(check, finding.summary, path=name)]
    else:
        faults = listed(check, rows[~rows["crop_path"].isin(list(known))]) if len(rows) else []
    for fault in faults:
        if fault.path is None and fault.sku_id is None:  # of no crop: of the file itself
            fault.path = name
    if path.with_name(half).exists():
        faults.append(Fault(check, _HALF_WRITTEN, path=half))
    return Seen(finding, faults)

"""The check of exports: whether each was made from the current build, and its files are as written.

The content of the files is not checked, because that would compare the writer with itself. The
tests load it with the libraries that it is meant for.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from df2_assets.checks.finding import (
    Finding,
    Inspection,
    Problem,
    crop_rows,
    describe_first,
    number_of,
)
from df2_assets.dataset.frames import TEXT
from df2_assets.errors import Df2Error
from df2_assets.exports import EXPORTS
from df2_assets.exports import record as records
from df2_assets.exports.folder import CROP_FILES, crop_file_name, statuses
from df2_assets.exports.format import Export
from df2_assets.exports.record import Record, requested_variants
from df2_assets.exports.source import count_skus, current_digest, list_files, read_crops
from df2_assets.store.checksums import digest, digest_each
from df2_assets.store.layout import Roots
from df2_assets.store.system_files import is_in_system_folder

CHECK: Final = "matches_image_text"

_FOREIGN: Final = "not a file of this export: move it away"

_Problem = tuple[str, str]
"""A path relative to SKU_ROOT (empty: the whole export), and what is wrong."""


def matches_image_text(roots: Roots, split: str, name: str, variant: str) -> Finding:
    """Check that an export was made from this build, has all its rows, and has files as written.

    The exports of the same format with other crop variants are checked too. If only they fail, and
    the export with `variant` exists, the finding is a warning.
    """
    variants = sorted(requested_variants(roots, split, name), key=lambda v: v != variant)
    findings = [
        _inspect(roots, split, EXPORTS[name], v, deep=False).finding for v in variants or [variant]
    ]
    is_warning = variant in variants and findings[0].passed
    return replace(_join(findings), severity="warn" if is_warning else "error")


def exports_on_disk(roots: Roots, split: str, *, deep: bool) -> dict[tuple[str, str], Inspection]:
    """Check all exports that exist of a split; if `deep`, compare the digest of every file.

    The keys have the name of the export, which is that of a variant for its own.
    """
    return {
        (records.export_name(name, variant), CHECK): _inspect(
            roots, split, export, variant, deep=deep
        )
        for name, export in EXPORTS.items()
        for variant in requested_variants(roots, split, name)
    }


def join_variants(
    inspections: Mapping[tuple[str, str], Inspection],
) -> dict[tuple[str, str], Finding]:
    """Return one finding per asset and check: exports with and without variants are one asset."""
    findings = defaultdict(list)
    for (name, check), inspection in inspections.items():
        findings[records.form_of(name), check].append(inspection.finding)
    return {key: _join(parts) for key, parts in findings.items()}


def _join(findings: list[Finding]) -> Finding:
    """Return one finding on several exports of a format. Its numbers are those of the first."""
    failed = [finding for finding in findings if not finding.passed]
    if len(findings) == 1:
        return findings[0]
    return replace(
        findings[0],
        passed=not failed,
        summary=" ".join(finding.summary for finding in failed or findings),
        offenders=pd.concat([finding.offenders for finding in findings], ignore_index=True),
    )


def _inspect(roots: Roots, split: str, export: Export, variant: str, *, deep: bool) -> Inspection:
    name = records.export_name(export.name, variant)
    record = records.load(roots, name, split)
    copied: set[str] = set()
    repair = records.export_command(name, record.encoder)
    remedy = f". Run df2-assets {repair} --split {split}"
    try:
        if not records.was_requested(roots, name, split):
            problems = [("", f"{name} of {split} does not exist")]
        else:
            problems = [*_outdated(roots, split, export, variant, record)]
            if not problems:
                changed = _changed_files(roots, split, export, variant, record, copied, deep=deep)
                problems = [*changed]
    except Df2Error as error:  # its message says what to run
        problem = str(error).removesuffix(".")
        problems, remedy = [("", problem)], str(error).removeprefix(problem)
        repair = "variants" if variant else "build"
    rows = sum(record.rows.values())
    check = f"{name}: {CHECK}"
    repairs = [
        Problem(check, what, "you" if what == _FOREIGN else repair, path or None)
        for path, what in problems
    ]
    return Inspection(_finding(split, variant, problems, rows, remedy), repairs, len(copied))


def _finding(split: str, variant: str, problems: list[_Problem], rows: int, remedy: str) -> Finding:
    numbers: dict[str, int | float] = {"rows": rows}
    if not problems:
        made = f"With {variant}, made" if variant else "Made"
        summary = f"{made} from this build: {number_of(rows, 'row')}, every file as written."
        return Finding(True, "error", rows, summary, numbers=numbers)
    paths, whats = zip(*problems, strict=True)
    summary = f"{describe_first(problems)}{remedy}"
    offenders = crop_rows(paths).assign(split=split, what=pd.Series(whats, dtype=TEXT))
    return Finding(False, "error", rows, summary, offenders, numbers)


def _outdated(
    roots: Roots, split: str, export: Export, variant: str, record: Record
) -> Iterator[_Problem]:
    """Yield why an export does not belong to the current build, or which rows it lacks.

    Raises a Df2Error if the split is incomplete, or the variant is not that of the current crops.
    """
    name = records.export_name(export.name, variant)
    current = current_digest(
        roots, split, variant, has_shapes=export.has_shapes, encoder=record.encoder
    )
    if record.source_digest is None:
        yield "", f"{name} of {split} is half-written: an export is running or was stopped"
    elif record.source_digest != current:
        yield "", f"{name} was not made from the current build of {split}"
    else:
        skus = count_skus(read_crops(roots, split, variant))
        totals = {"crops": skus.sum().sum(), "pairs": (skus["catalog"] * skus["query"]).sum()}
        for table, kind in export.tables.items():
            rows, expected = record.rows.get(table, 0), int(totals[kind])
            if rows != expected:
                yield "", f"{table} has {number_of(rows, 'row')}, and {split} {expected:,} {kind}"


def _changed_files(
    roots: Roots,
    split: str,
    export: Export,
    variant: str,
    record: Record,
    copied: set[str],
    *,
    deep: bool,
) -> Iterator[_Problem]:
    """Yield files that are missing, changed or foreign; add those only copied to `copied`.

    A copied file has another time and the same digest. With `deep` the digest of every file is
    compared. Raises OutputError if a link leads out of SKU_ROOT.
    """
    name = records.export_name(export.name, variant)
    folder = roots.export(name, split)
    listed = records.digests(roots, name, split)
    if not record.files.keys() <= listed.keys():
        yield "", "the list of its digests does not have all its files"
        return
    on_disk = statuses(roots, folder)
    has_crops = any(name.startswith(f"{CROP_FILES}/") for name in listed)
    images = list_files(roots, split, variant) if has_crops else {}
    crops = {crop_file_name(path): status for path, status in images.items()}
    changed = {
        name
        for name, sha256 in listed.items()
        if name in on_disk
        and not records.is_as_written(
            on_disk[name], record.files.get(name), sha256, crops.get(name)
        )
    }
    sizes = {name: status[0] for name, status in crops.items()}
    sizes |= {name: file.size for name, file in record.files.items()}
    retimed = {name for name in changed if on_disk[name][0] == sizes.get(name)}
    read = _digests(folder, [*(listed.keys() & on_disk.keys() if deep else retimed)])
    top = folder.relative_to(roots.sku_root).as_posix()
    for name, sha256 in listed.items():
        if name not in on_disk:
            yield f"{top}/{name}", "missing"
        elif name in read and read[name] != sha256:
            yield f"{top}/{name}", "its bytes differ from those that were written"
        elif name in retimed:
            copied.add(name)
        elif name in changed:
            yield f"{top}/{name}", "changed since it was written"
    for name in sorted(on_disk.keys() - listed.keys()):
        if is_in_system_folder(name):
            continue
        is_own = records.is_own(name, export.own_paths)
        yield f"{top}/{name}", "left over: no longer part of the export" if is_own else _FOREIGN


def _digests(folder: Path, names: list[str]) -> dict[str, str | None]:
    """Return the digest of each file; None if it cannot be read. Read crops together, for speed."""
    crops = sorted(name for name in names if name.startswith(f"{CROP_FILES}/"))
    digests = dict(zip(crops, digest_each(folder, crops), strict=True))
    for name in set(names).difference(crops):
        with suppress(OSError):
            digests[name] = digest(folder / name)
    return digests

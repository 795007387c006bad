"""The comparison of a split on disk with the contract and its tables. It changes nothing.

It applies rules of the registry of checks, and adds what no check reads: digests, pixels, the list
of checksums, and half-written files.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec
import pandas as pd

from df2_assets.checks.benchmark_crops import CHECK as BENCHMARK_CHECK
from df2_assets.checks.benchmark_crops import inspect_benchmark
from df2_assets.checks.crop_variants import CHECK as VARIANTS_CHECK
from df2_assets.checks.crop_variants import inspect_variants
from df2_assets.checks.crops import CHANGED, DAMAGED, FOREIGN, files_match, settle_times
from df2_assets.checks.embeddings import CHECK as EMBEDDINGS_CHECK
from df2_assets.checks.embeddings import inspect_embeddings
from df2_assets.checks.exports import exports_on_disk, join_variants
from df2_assets.checks.finding import Finding, Inspection, Problem, crop_rows, number_of
from df2_assets.checks.registry import CHECKS, CheckContext, exists_on_disk
from df2_assets.dataset.skus import has_only_pairs
from df2_assets.dataset.variants import FORMATS
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress, silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import MissingTableError, OutputError, ProvenanceError, escape_untrusted
from df2_assets.exports.record import export_command
from df2_assets.pipeline.scanning import scan_crops
from df2_assets.store import checksums, tables
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import BENCHMARK_CROPS, CROP_VARIANTS, Roots
from df2_assets.store.location import locate
from df2_assets.store.state import consistency_problems, is_built
from df2_assets.store.store import temporary_name
from df2_assets.store.variants import list_names
from df2_assets.verification.generated_views import GeneratedView, list_views
from df2_assets.verification.rereading import Reread, reread

_HALF_WRITTEN: Final = "half-written by a build that was killed"
_SHOWN: Final = 10
"""How many ignored files a note names."""

_NO_ORIGINAL: Final = "the original image is missing"

_SETS_OF_CROPS: Final = (
    (CROP_VARIANTS, VARIANTS_CHECK, inspect_variants, ("index", "groups", "manifest")),
    (BENCHMARK_CROPS, BENCHMARK_CHECK, inspect_benchmark, ("index", "manifest")),
)
"""The asset, the check and the rule of crops that are not the contract's, and what it needs."""

Digests = Mapping[str, str]
"""SHA-256 by the name of a file, relative to SKU_ROOT."""


@dataclass(frozen=True)
class Verified:
    """The result of `verify` for a split.

    `findings` are by asset and check; `problems` are those in them and in the split as a whole.
    `damaged` are crops and files of variants whose damage shows only when all their bytes are read.
    `notes` say what was not checked or is harmless. `generated_views` are what other programs wrote
    beside the catalog.
    """

    split: str
    deep: bool
    crops: int = 0
    problems: list[Problem] = field(default_factory=list)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict, repr=False)
    damaged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    generated_views: list[GeneratedView] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(
    roots: Roots, split: str, engine: Engine | None = None, progress: Progress = silent
) -> Verified:
    """Compare all files of a split with the contract and the tables.

    With an engine, every crop is also decoded, and the digests of all crops and exports are
    compared. Anything wrong is returned as a problem and does not raise.
    """
    deep = engine is not None
    if not is_built(roots, split):
        return Verified(split, deep, problems=[Problem("state", "it has not been built")])
    problems = [Problem("state", what) for what in consistency_problems(roots, split)]
    listing, current = checksums.read(roots, split), checksums.current(roots, split)
    if not _is_listed(roots, split, listing, current):
        own = roots.checksums(split).relative_to(roots.sku_root).as_posix()
        problems.append(Problem("state", "it does not list the files of the split", path=own))
    crops, made, damaged, tree = _crops(roots, split, engine, progress)
    missing = {problem.path for problem in crops.problems if problem.path}
    metadata, notes = _metadata(roots, split)
    context = CheckContext(roots, split)
    lines = _find("image_text", "matches_metadata", context)
    documents = (
        ("sku_metadata", "contract", roots.sku_metadata(split), metadata, missing),
        ("image_text", "matches_metadata", roots.image_text(split), lines, ()),
    )
    inspections = {("crops", "files_match"): crops}
    for asset, check, path, finding, known in documents:
        finding = compare_digest(finding, split, path.name, listing, current)
        of_file = _document_problems(f"{asset}: {check}", path, finding, known)
        inspections[asset, check] = Inspection(finding, of_file)
    inspections["image_text", "prompt_coverage"] = _prompts(context)
    for asset, check, inspect, needs in _SETS_OF_CROPS:
        if exists_on_disk(asset, roots, split):
            inspection, of_bytes = _set_of_crops(inspect, needs, context, engine, progress)
            inspections[asset, check] = inspection
            damaged += of_bytes
    if exists_on_disk("labels", roots, split):
        inspections["labels", "labels_match"] = _labels(context)
    if exists_on_disk("embeddings", roots, split):
        inspections["embeddings", EMBEDDINGS_CHECK] = _embeddings(context, deep=deep)
    findings = {key: inspection.finding for key, inspection in inspections.items()}
    exports = exports_on_disk(roots, split, deep=deep)
    findings |= join_variants(exports)
    inspections |= exports
    if not deep:
        notes += [
            _copied_note(asset, split, inspection.copied)
            for (asset, _), inspection in inspections.items()
            if inspection.copied
        ]
    if tree.system:
        notes.append(_system_note(tree.system))
    views = list_views(roots, split, tree.views)
    if views:
        notes.append(_views_note(views))
    problems += [problem for inspection in inspections.values() for problem in inspection.problems]
    problems += _line_problems(roots, split, deep=deep)
    return Verified(split, deep, made, problems, findings, damaged, notes, views)


def compare_digest(
    finding: Finding, split: str, name: str, listing: Digests, current: Digests
) -> Finding:
    """Return `finding` of a contract file; it fails if the file's digest is not the listed one.

    The file is not compared if `current` lacks it, because a build wrote it after that was read.
    """
    digest = current.get(name)
    if finding.passed and digest is not None and listing.get(name, digest) != digest:
        return _add_offenders(finding, split, [name], CHANGED)
    return finding


def _copied_note(asset: str, split: str, count: int) -> str:
    commands = {"crops": "build", CROP_VARIANTS: "variants", BENCHMARK_CROPS: "benchmark"}
    command = commands.get(asset) or export_command(asset)
    have = "has" if count == 1 else "have"
    return (
        f"{number_of(count, 'file')} of {asset} {have} the bytes that were written and another "
        f"time, as after a copy. To record the times: df2-assets {command} --split {split}"
    )


def _system_note(paths: list[str]) -> str:
    shown = ", ".join(escape_untrusted(path, 200) for path in paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
    what = number_of(len(paths), "file")
    return f"Ignored {what} of operating systems or file servers: {shown}{more}"


def _views_note(views: list[GeneratedView]) -> str:
    shown = [
        f"{escape_untrusted(view.path, 200)} "
        + ("(a link)" if view.files is None else f"({number_of(view.files, 'file')})")
        for view in views[:_SHOWN]
    ]
    more = f" and {len(views) - _SHOWN:,} more" if len(views) > _SHOWN else ""
    return f"Generated views, which are not compared and never changed: {', '.join(shown)}{more}"


def _find(asset: str, name: str, context: CheckContext) -> Finding:
    (check,) = (check for check in CHECKS if (check.asset, check.name) == (asset, name))
    return check.find(context)


def _is_listed(roots: Roots, split: str, listing: Digests, current: Digests) -> bool:
    """Return whether the list of checksums has every file, and the crops of the manifest."""
    documents = {roots.sku_metadata(split).name, roots.image_text(split).name}
    crops = [
        {name: digest for name, digest in digests.items() if name not in documents}
        for digests in (listing, current)
    ]
    return crops[0] == crops[1] and documents <= listing.keys()


def _crops(
    roots: Roots, split: str, engine: Engine | None, progress: Progress
) -> tuple[Inspection, int, list[str], CropTree]:
    """Return the inspection of the crops, and what else was read.

    These are how many crops the manifest has, those with damaged bytes, and the tree of files.
    """
    check = "crops: files_match"
    groups, manifest = (tables.find(roots, asset, split) for asset in ("sku_groups", "crops"))
    try:
        tree = scan_crops(roots, contract_crops(split), engine or SerialEngine())
    except OutputError as error:
        problem = Problem(check, str(error), "you")
        return Inspection(Finding(False, "error", 0, str(error)), [problem]), 0, [], CropTree()
    if groups is None or manifest is None:
        summary = f"There is no manifest to compare the crops of {split} with: build it again."
        return Inspection(Finding(False, "error", len(tree.crops), summary)), 0, [], tree
    rows = tables.frame(manifest)
    made = rows[rows["reason"].isna()]
    on_disk = [path for path in made["crop_path"] if path in tree.crops]
    read = {} if engine is None else reread(str(roots.sku_root), on_disk, engine, progress)
    sizes = {path: crop.size for path, crop in read.items()}

    def digests_of(paths: Iterable[str]) -> Iterable[str | None]:
        if engine is None:
            return checksums.digest_each(roots.sku_root, paths)
        return [read[path].sha256 for path in paths]

    tree = settle_times(rows, tree, digests_of)
    only_pairs = has_only_pairs(groups)
    finding = files_match(tables.frame(groups), rows, tree, sizes, only_pairs=only_pairs)
    damaged = _damaged(made, tree, read)
    known = set(finding.offenders["crop_path"])
    new = [path for path in damaged if path not in known]
    finding = _add_offenders(finding, split, new, DAMAGED)
    inspection = Inspection(finding, _problems_of(check, finding.offenders), len(tree.copied))
    return inspection, len(made), damaged, tree


def _set_of_crops(
    inspect: Callable[..., tuple[Inspection, list[str]]],
    needs: Iterable[str],
    context: CheckContext,
    engine: Engine | None,
    progress: Progress,
) -> tuple[Inspection, list[str]]:
    """Return the inspection of other crops than the contract's, and those with damaged bytes.

    `inspect` is called with the tables of the context that it `needs`.
    """
    roots = context.roots
    formats = tuple(form.pillow for form in FORMATS.values())

    def read_back(paths: Sequence[str]) -> Mapping[str, Reread]:
        assert engine is not None
        return reread(str(roots.sku_root), paths, engine, progress, formats)

    reader = read_back if engine else None
    try:
        frames = [getattr(context, name) for name in needs]
        return inspect(roots, context.split, *frames, engine or SerialEngine(), reader)
    except (MissingTableError, ProvenanceError) as error:  # the crops have the same problem
        return Inspection(Finding(False, "error", 0, str(error))), []


def _labels(context: CheckContext) -> Inspection:
    """Return the inspection of the labels."""
    check = "labels: labels_match"
    try:
        finding = _find("labels", "labels_match", context)
    except (MissingTableError, ProvenanceError) as error:
        summary = str(error).rstrip(".")
        problem = Problem(check, summary, "labels")
        return Inspection(Finding(False, "error", 0, summary), [problem])
    return Inspection(finding, _problems_of(check, finding.offenders, "labels"))


def _embeddings(context: CheckContext, *, deep: bool) -> Inspection:
    """Return the inspection of the embeddings. Vectors are read only if `deep`."""
    try:
        return inspect_embeddings(context.roots, context.split, context.manifest, deep=deep)
    except (MissingTableError, ProvenanceError) as error:  # the crops have the same problem
        return Inspection(Finding(False, "error", 0, str(error)))


def _line_problems(roots: Roots, split: str, *, deep: bool) -> list[Problem]:
    """Return the tables whose JSON lines are missing or, if `deep`, have other bytes."""
    variants = (f"{CROP_VARIANTS}/{name}" for name in list_names(roots, split))
    problems = []
    for name in ("labels", *variants):
        table, path = tables.find(roots, name, split), roots.lines(name, split)
        command = "labels" if name == "labels" else "variants"
        if table is None:
            continue
        if not path.exists():
            what, repair = "the file is missing", command
        elif deep and not tables.lines_match(roots, name, split, table):
            what = f"its lines are not those of the table: remove it, and run df2-assets {command}"
            repair = "you"
        else:
            continue
        where = path.relative_to(roots.sku_root).as_posix()
        problems.append(Problem(f"{name}: JSON lines", what, repair, where))
    return problems


def _damaged(made: pd.DataFrame, tree: CropTree, read: dict[str, Reread]) -> list[str]:
    """Return the crops whose bytes differ although size and time are as recorded."""
    columns = ["crop_path", "size", "mtime_ns", "sha256"]
    return [
        path
        for path, size, mtime_ns, sha256 in made[columns].itertuples(index=False)
        if path in read and tree.crops[path] == (size, mtime_ns) and read[path].sha256 != sha256
    ]


class _Head(msgspec.Struct):
    df2_root: str


def _metadata(roots: Roots, split: str) -> tuple[Finding, list[str]]:
    """Return the finding on the metadata, and notes on what was not checked.

    If the split's images are not under DF2_ROOT, they are expected where the file says that they
    were. If they are not there either, they are not checked.
    """
    missing = roots.images(split)
    has_originals = missing.is_dir()
    if not has_originals:
        with suppress(OSError, msgspec.DecodeError):
            head = msgspec.json.decode(roots.sku_metadata(split).read_bytes(), type=_Head)
            roots = replace(roots, df2_root=locate(head.df2_root))
    finding = _find("sku_metadata", "contract", CheckContext(roots, split))
    if has_originals or finding.offenders.empty:
        return finding, []
    note = f"{missing} is missing, so the original images were not checked."
    rows = finding.offenders[finding.offenders["what"] != _NO_ORIGINAL]
    if rows.empty:
        return replace(finding, passed=True, offenders=rows, summary=note), [note]
    return replace(finding, offenders=rows.reset_index(drop=True)), [note]


def _prompts(context: CheckContext) -> Inspection:
    """Return the inspection of the prompts; a combination without crops is not a problem."""
    finding = _find("image_text", "prompt_coverage", context)
    if finding.severity != "error" or finding.offenders.empty:
        return Inspection(finding)
    wrong = finding.offenders[finding.offenders["text"].notna()]
    return Inspection(finding, _problems_of("image_text: prompt_coverage", wrong))


def _document_problems(
    check: str, path: Path, finding: Finding, known: Collection[str | None]
) -> list[Problem]:
    """Return the problems of a contract file, without those of the crops in `known`."""
    rows = finding.offenders
    if not finding.passed and rows.empty:
        problems = [Problem(check, finding.summary, path=path.name)]
    else:
        others = rows[~rows["crop_path"].isin(list(known))] if len(rows) else rows
        problems = _problems_of(check, others) if len(others) else []
    for problem in problems:
        if problem.path is None and problem.sku_id is None:  # of the file itself
            problem.path = path.name
    half = temporary_name(path.name)
    if path.with_name(half).exists():
        problems.append(Problem(check, _HALF_WRITTEN, path=half))
    return problems


def _problems_of(check: str, offenders: pd.DataFrame, command: str = "build") -> list[Problem]:
    """Return one problem per offender; a person has to move foreign files away."""
    problems = []
    columns = ["what", "crop_path", "sku_id", "image_id", "item_idx"]
    for what, *rest in offenders[columns].itertuples(index=False):
        path, sku_id, image_id, item_idx = (
            None if pd.isna(value) or value == "" else value for value in rest
        )
        item = None if item_idx is None else int(item_idx)
        repair = "you" if what == FOREIGN else command
        problems.append(Problem(check, what, repair, path, sku_id, image_id, item))
    return problems


def _add_offenders(finding: Finding, split: str, paths: list[str], what: str) -> Finding:
    """Return `finding` with further offenders; it fails if there are any."""
    if not paths:
        return finding
    more = crop_rows(paths).assign(split=split, what=what)
    summary = f"{number_of(len(paths), 'file')}: {what}. Build again."
    return replace(
        finding,
        passed=False,
        severity="error",
        summary=summary if finding.passed else f"{finding.summary} {summary}",
        offenders=pd.concat([finding.offenders, more], ignore_index=True),
    )

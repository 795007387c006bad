"""The status of a split: whether it is built, complete and up to date. Opens no image."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from df2_assets import __version__
from df2_assets.dataset.annotations import CODE_VERSION
from df2_assets.dataset.cropping import encoder
from df2_assets.dataset.prompts import Texts
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS
from df2_assets.errors import LayoutError
from df2_assets.pipeline.indexing import have_equal_stamps, place_before, place_now
from df2_assets.pipeline.publishing import find_selection_change, find_text_change
from df2_assets.store import state, tables
from df2_assets.store.layout import Roots
from df2_assets.store.listing import scan
from df2_assets.store.state import State

Condition = Literal["current", "stale", "incomplete", "not built", "no annotations"]
"""`stale`: complete, but a build would change it. `no annotations`: it cannot be built."""


@dataclass(frozen=True)
class SplitStatus:
    """The status of a split under SKU_ROOT.

    `complete`: its files are all there and belong together. `built_at` (ISO 8601) is when a build
    last changed it, `df2_root` what that read, `release` which release it was; None where that is
    not recorded. `skus` and `crops` are counts. `only_pairs`: whether SKUs with one domain were
    left out; None if it is not built. `reasons` say why it is not current.
    """

    split: str
    condition: Condition
    complete: bool = False
    built_at: str | None = None
    df2_root: str | None = None
    release: str | None = None
    skus: int | None = None
    crops: int | None = None
    only_pairs: bool | None = None
    reasons: list[str] = field(default_factory=list)


def read_status(roots: Roots, split: str, texts: Texts, *, only_pairs: bool) -> SplitStatus:
    """Compare the records of a split with the download, the settings and this release.

    `texts` are those that a build would write now, and `only_pairs` says whether it would leave out
    SKUs with one domain.
    Raises NewerReleaseError where a newer release wrote its tables.
    """
    if not state.is_built(roots, split):
        has_input = split in ANNOTATED_SPLITS or roots.annotations(split).is_dir()
        return SplitStatus(split, "not built" if has_input else "no annotations")
    tables.require_known_format(roots, split)
    recorded = state.load(roots, split)
    missing = _find_missing(roots, split, recorded)
    manifest = tables.find(roots, "crops", split)
    other_settings = (
        find_selection_change(recorded, only_pairs=only_pairs),
        find_text_change(recorded, texts),
    )
    reasons = missing or _find_stale(roots, split, recorded, other_settings, manifest)
    condition: Condition = "incomplete" if missing else "stale" if reasons else "current"
    skus, crops = _count(manifest)
    return SplitStatus(
        split,
        condition,
        not missing,
        recorded.built_at,
        place_before(roots, split),
        recorded.release,
        skus,
        crops,
        recorded.only_pairs,
        reasons,
    )


def _find_missing(roots: Roots, split: str, recorded: State) -> list[str]:
    """Return why the files of a split are not all there, or do not belong together."""
    documents = (roots.sku_metadata(split), roots.image_text(split))
    missing = [f"{path.name} is missing" for path in documents if not path.exists()]
    if not roots.state(split).exists():
        return [*missing, f"{roots.state(split)} is missing: this may be a copy without records"]
    if not recorded.complete:
        missing.append("it is half-built: a build is running or was stopped")
    return missing


def _find_stale(
    roots: Roots,
    split: str,
    recorded: State,
    other_settings: Iterable[str | None],
    manifest: pa.Table | None,
) -> list[str]:
    """Return why a build would change a complete split, `other_settings` included."""
    reasons = state.consistency_problems(roots, split)
    reasons += _compare_download(roots, split)
    reasons += filter(None, other_settings)
    if recorded.release != __version__:
        before = recorded.release or "an earlier one"
        reasons.append(f"the release was {before}, and this is {__version__}")
    reasons += _compare_rules(roots, split, manifest)
    return reasons


def _compare_download(roots: Roots, split: str) -> list[str]:
    """Return how the download differs from what the split was built from."""
    files = tables.find(roots, "files", split)
    if files is None:
        return ["no record says what it was read from"]
    before, current = place_before(roots, split), place_now(roots)
    is_elsewhere = before != current
    reasons = [f"it was read from {before}, and DF2_ROOT is {current}"] if is_elsewhere else []
    try:
        listing = scan(roots, split)
    except LayoutError as problem:
        return [*reasons, f"the download cannot be compared: {problem}"]
    known, now = (rows.set_index("image_id") for rows in (tables.frame(files), listing.files))
    images = known.index.union(now.index)
    changed = images[~have_equal_stamps(known.reindex(images), now.reindex(images))]
    if len(changed):
        first = ", ".join(changed[:3]) + (", …" if len(changed) > 3 else "")
        reasons.append(
            f"the download has changed: {len(changed):,} of {len(images):,} images or their "
            f"annotations are new, changed or gone ({first})"
        )
    return reasons


def _compare_rules(roots: Roots, split: str, manifest: pa.Table | None) -> list[str]:
    """Return which rules of reading and cutting have changed since the last build."""
    files = tables.origin(roots, "files", split)
    reasons = []
    if files is not None and files.inputs.get("code") != CODE_VERSION:
        reasons.append(f"code version {files.inputs.get('code')} -> {CODE_VERSION}")
    if manifest is not None:
        prints = manifest["fingerprint"].drop_null()
        others = prints.filter(pc.invert(pc.ends_with(prints, f" {encoder()}")))
        if len(others):
            reasons.append(f"{others[0].as_py().split(' ', 3)[3]} -> {encoder()}")
    return reasons


def _count(manifest: pa.Table | None) -> tuple[int | None, int | None]:
    """Return how many SKUs and crops are on disk according to the manifest."""
    if manifest is None:
        return None, None
    paths = manifest.filter(pc.is_null(manifest["reason"]))["crop_path"]
    sku_ids = pc.list_element(pc.split_pattern(paths, "/"), 2)
    return pc.count_distinct(sku_ids).as_py(), len(paths)

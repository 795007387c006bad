"""Bringing one export of one split up to date, with its data card."""

import errno
from dataclasses import replace
from typing import Final

import pyarrow.compute as pc

from df2_assets import __version__
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, CATEGORIES, DOMAINS
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress, silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import LayoutError, OutputError, ProvenanceError
from df2_assets.exports import EXPORTS
from df2_assets.exports.folder import ExportFolder, ExportResult
from df2_assets.exports.format import Export
from df2_assets.exports.record import export_name
from df2_assets.exports.shards import Limits
from df2_assets.exports.source import Source, count_skus, open_source, read_crops
from df2_assets.pipeline.labels import update_labels
from df2_assets.store import state, tables
from df2_assets.store.layout import Roots

_NOT_TRANSIENT: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
"""Errors that a user has to fix, unlike a disk or a network that fails for a moment."""


def export(
    roots: Roots,
    split: str,
    name: str,
    progress: Progress = silent,
    limits: Limits | None = None,
    variant: str = "",
    engine: Engine | None = None,
    encoder: str = "",
) -> ExportResult:
    """Write the files that are missing or out of date, and remove those that are obsolete.

    With a `variant`, they have the files of that crop variant instead of the crops. A format with
    shapes first brings the table `labels` up to date, on the `engine`. A format that uses vectors
    takes those of the `encoder`, if there is one.

    Raises IncompleteSplitError or ProvenanceError, which name the command to run, if the split or
    the variant has changed since it was built; MissingTableError if the variant was not made;
    OutputError if a crop is missing, a folder is a link, or the disk
    cannot be written; DiskFullError before anything is written.
    """
    form, name, note = EXPORTS[name], export_name(name, variant), None
    if form.has_shapes:
        state.require_complete(roots, split)
        note = _update_labels(roots, split, engine or SerialEngine(), progress)
    encoder = encoder if form.uses_vectors else ""
    source = open_source(roots, split, variant, has_shapes=form.has_shapes, encoder=encoder)
    try:
        folder = ExportFolder(source, name, form.own_paths, limits, progress)
        form.write(folder)
        folder.publish("README.md", [data_card(form, source).encode()])
        return replace(folder.finish(), note=note and f"{name} has no masks and landmarks. {note}")
    except OSError as error:
        if error.errno not in _NOT_TRANSIENT:
            raise
        raise OutputError(
            f"Cannot write {name} of {split} under {roots.sku_root}: {error.strerror}. Finished "
            "shards are kept: fix this, and export again."
        ) from None


def _update_labels(roots: Roots, split: str, engine: Engine, progress: Progress) -> str | None:
    """Bring the table `labels` up to date.

    Without the download of the build, an earlier table is used as it is. If there is none, the
    result says why.
    """
    try:
        update_labels(roots, split, engine, progress)
    except (LayoutError, ProvenanceError) as error:
        return str(error) if tables.find(roots, "labels", split) is None else None
    return None


_CARD: Final = """\
# DeepFashion2 visual SKUs, {split}: {title}

{summary}

## Load

{load}

## Counts

{counts}

## Rules

- A visual SKU is `(pair_id, style, category_id)` with `style` above 0 and {domains}
{files}
- `text` describes the labels of a crop: domain, category, occlusion and viewpoint.
- Rows are sorted by SKU id, catalog before query, image id and item.

## Terms

DeepFashion2 (Ge et al., CVPR 2019) is for non-commercial research only. Neither its images nor
crops of them may be redistributed: keep this folder to yourself. See the terms of its authors:
https://github.com/switchablenorms/DeepFashion2

## Source

- `{split}_image_text.jsonl`: SHA-256 `{image_text}`
- Prompts, labels and crops together: `{digest}`
- Written by df2-assets {release}, format {name}, version {code_version}

`cd SKU_ROOT && sha256sum -c _df2_assets/exports/{name}/{split}.sha256` compares these files with
their digests, as `df2-assets verify --deep` does.
"""


_CROPS: Final = """\
- A crop is the annotated box, clamped to the image, as a JPEG of quality 95; EXIF orientation is
  not applied. `bbox` is `[x1, y1, x2, y2]`, origin top left, half-open, in pixels of the image."""

_VARIANT: Final = """\
- Images are those of the crop variant `{variant}`, in
  `_df2_assets/variants/{variant}/{split}`. EXIF orientation is not applied. `bbox` is the box that
  was cut for the variant, `[x1, y1, x2, y2]`, origin top left, half-open, in pixels of the original
  image. {left_out}"""

_ENCODER: Final = """
- A triplet of the kind `nearest` has the catalog crop of another SKU with the nearest vector of
  `{encoder}` as its negative."""
_NO_LABELS: Final = """
- There are no masks and landmarks, because the annotations of the build were not there: set
  `DF2_ROOT` to the download that was built, and export again."""

_NONE_LEFT_OUT: Final = "Every crop has its image."
_LEFT_OUT: Final = """\
{count} of the crops
  of the split could not be made in this variant and {are} left out, so a SKU may lack a domain."""

_BOTH: Final = """\
at least one catalog crop
  (`shop`) and one query crop (`user`). An id identifies a SKU only together with its split."""

_EITHER: Final = """\
at least one crop. SKUs
  with only catalog crops (`shop`) or only query crops (`user`) are kept: `only_pairs` is off. An id
  identifies a SKU only together with its split."""

_BLOCK: Final = """\
```python
{example}
```

Set the path to where your `SKU_ROOT` is."""


def data_card(form: Export, source: Source) -> str:
    """Return the README.md of an export. It has the same bytes for the same source."""
    return form.front_matter.replace("SPLIT", source.split) + _CARD.format(
        split=source.split,
        title=form.title + (f", crop variant {source.variant}" if source.variant else ""),
        summary=form.summary.replace("{split}", source.split),
        load=_describe_loading(form, source),
        domains=_BOTH if source.only_pairs else _EITHER,
        files=_describe_files(source)
        + (_NO_LABELS if source.lacks_labels else "")
        + _describe_encoder(source),
        counts=_counts(source),
        image_text=source.image_text,
        digest=source.digest,
        release=__version__,
        name=export_name(form.name, source.variant),
        code_version=form.code_version,
    )


def _describe_files(source: Source) -> str:
    """Return the rule by which the images were cut, and how many the variant left out."""
    if not source.variant:
        return _CROPS
    count = read_crops(source.roots, source.split).num_rows - source.crops.num_rows
    are = "is" if count == 1 else "are"
    left_out = _LEFT_OUT.format(count=f"{count:,}", are=are) if count else _NONE_LEFT_OUT
    return _VARIANT.format(variant=source.variant, split=source.split, left_out=left_out)


def _describe_encoder(source: Source) -> str:
    """Return the rule by which vectors were used; nothing without an encoder."""
    return _ENCODER.format(encoder=source.encoder) if source.encoder else ""


def _describe_loading(form: Export, source: Source) -> str:
    """Return the Python that loads an export, or the note that a split has no SKUs."""
    split = source.split
    is_empty = source.crops.num_rows == 0
    block = _BLOCK.format(example=form.example(split, source.variant, is_empty=is_empty))
    if not is_empty:
        return block
    text = f"There is nothing to load: {split} has no SKU."
    if split not in ANNOTATED_SPLITS:
        text += f" {split} was released without annotations."
    return f"{text} As a table without rows:\n\n{block}" if form.empty_loading_code else text


def _counts(source: Source) -> str:
    skus = count_skus(source.crops)
    domains = ", ".join(f"{domain} {skus[domain].sum():,}" for domain in DOMAINS.values())
    size = pc.sum(source.crops["size"], min_count=0).as_py()
    total = f"{len(skus):,} SKUs, {skus.sum().sum():,} crops ({domains}), {size:,} bytes."
    categories = skus.sum(axis=1).groupby(level=0).agg(["count", "sum"])
    rows = [
        f"| {name} | {categories['count'][name]:,} | {categories['sum'][name]:,} |"
        for name in CATEGORIES.values()
        if name in categories.index
    ]
    header = ["", "| category | SKUs | crops |", "|---|---:|---:|"]
    return "\n".join([total, *header, *rows] if rows else [total])

"""The data card: what an export is, what is in it, by which rules, and under which terms."""

from typing import Final

from df2_assets import __version__
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.exports.form import Format
from df2_assets.exports.source import Source
from df2_assets.exports.tally import Tally

_RULES: Final = """
- A visual SKU is `(pair_id, style, category_id)` with `style` above 0, kept with at least one
  catalog crop (`shop`) and one query crop (`user`). Ids mean something only with their split.
- A crop is the annotated box, clamped to the image, as a JPEG of quality 95; EXIF orientation is
  not applied. `bbox` is `[x1, y1, x2, y2]`, origin top left, half-open, in pixels of the image.
- `text` says what the labels say: domain, category, occlusion and viewpoint.
- Rows are sorted by SKU id, catalog before query, image id and item.
"""

_TERMS: Final = """
DeepFashion2 (Ge et al., CVPR 2019) is for non-commercial research only. Neither its images nor
crops of them may be redistributed: this folder is for you alone. See the terms of its authors:
https://github.com/switchablenorms/DeepFashion2
"""


def card(export: Format, source: Source, counts: Tally) -> str:
    """README.md of an export. The same source gives the same bytes."""
    split = source.split
    parts = [
        f"# DeepFashion2 visual SKUs, {split}: {export.title}",
        export.summary.replace("{split}", split),
        "## Load",
        f"```python\n{loads(export, split)}\n```",
        "Set the path to where your `SKU_ROOT` is.",
        "## Counts",
        _counts(counts),
        "## Rules",
        _RULES.strip(),
        "## Terms",
        _TERMS.strip(),
        "## Made from",
        f"- `{split}_image_text.jsonl`, SHA-256 `{source.image_text}`\n"
        f"- that and the bytes of its crops: `{source.digest}`\n"
        f"- df2-assets {__version__}, format {export.name} {export.code_version}",
        f"`cd SKU_ROOT && sha256sum -c _df2_assets/exports/{export.name}/{split}.sha256` holds "
        "these files against their digests; `df2-assets verify --deep` does so too.",
    ]
    before = export.header(source, counts) if export.header else ""
    return before + "\n\n".join(parts) + "\n"


def loads(export: Format, split: str) -> str:
    """The Python that reads an export of a split."""
    return export.loads.strip().replace("SPLIT", split)


def _counts(counts: Tally) -> str:
    domains = ", ".join(f"{name} {counts.by_domain[name]:,}" for name in ("catalog", "query"))
    lines = [
        f"{counts.skus:,} SKUs, {counts.crops:,} crops ({domains}), {counts.bytes:,} bytes in all.",
        "",
        "| category | SKUs | crops |",
        "|---|---:|---:|",
    ]
    lines += [
        f"| {name} | {counts.skus_by_category[name]:,} | {counts.crops_by_category[name]:,} |"
        for name in CATEGORIES.values()
        if counts.skus_by_category[name]
    ]
    return "\n".join(lines if counts.crops else lines[:1])

"""The check of each export: what is on disk, held against the JSONL row by row."""

from typing import Final

import dagster as dg

from df2_assets.checks.exports import CHECK, matches_image_text
from df2_assets.checks.finding import Finding
from df2_assets.defs.checks.specs import split_checks
from df2_assets.exports import NAMES
from df2_assets.store.layout import Roots


def find(roots: Roots, split: str, name: str) -> dict[str, Finding]:
    """Reads the export back whole."""
    return {CHECK: matches_image_text(roots, split, name)}


def _check(name: str) -> dg.AssetChecksDefinition:
    says = "Read back from disk: every file, and every row with the JSONL's content; no other row."
    return split_checks(name, {CHECK: says}, lambda roots, split: find(roots, split, name))


export_checks: Final = [_check(name) for name in NAMES]

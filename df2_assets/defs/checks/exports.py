"""The check of each export: files as written, from the present build, with all rows."""

from typing import Final

import dagster as dg

from df2_assets.checks.exports import CHECK, matches_image_text
from df2_assets.checks.finding import Finding
from df2_assets.defs.checks.specs import split_checks
from df2_assets.exports import NAMES
from df2_assets.store.layout import Roots


def find(roots: Roots, split: str, name: str) -> dict[str, Finding]:
    """Compare the files of an export with its record, and that with the split."""
    return {CHECK: matches_image_text(roots, split, name)}


def _check(name: str) -> dg.AssetChecksDefinition:
    says = "Made from the present build, with all its rows; every file as written, and no other."
    return split_checks(name, {CHECK: says}, lambda roots, split: find(roots, split, name))


export_checks: Final = [_check(name) for name in NAMES]

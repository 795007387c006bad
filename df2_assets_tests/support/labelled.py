"""Labels and crop variants of a build, made without Dagster."""

from df2_assets.dataset.variant_files import parse_variants
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.labels import build_labels
from df2_assets.pipeline.variants import make_variants
from df2_assets.store import tables
from df2_assets.store.layout import Roots

INPUTS = ("sku_groups", "crops")


def write_labels(roots: Roots, split: str) -> None:
    """Write the table of labels."""
    groups, crops = (tables.read(roots, asset, split) for asset in INPUTS)
    labels = build_labels(roots, split, groups, crops, SerialEngine(), silent).table
    tables.write(roots, "labels", split, labels, tables.digests(roots, INPUTS, split))


def write_variants(roots: Roots, split: str, declared: str) -> None:
    """Make the variants that a YAML text declares."""
    variants = parse_variants(declared, "variants.yaml")
    groups, crops = (tables.read(roots, asset, split) for asset in INPUTS)
    make_variants(roots, split, variants, tables.frame(groups), crops, SerialEngine(), silent)

"""Asset checks, thin: read, ask `inspection`, report. The blocking ones run with their assets."""

from typing import Final

import dagster as dg

from df2_assets.defs.checks.crop_quality import crop_quality_checks
from df2_assets.defs.checks.crops import crops_checks
from df2_assets.defs.checks.deepfashion2 import deepfashion2_checks
from df2_assets.defs.checks.exports import export_checks
from df2_assets.defs.checks.image_text import image_text_checks
from df2_assets.defs.checks.raw_annotation_index import raw_annotation_index_checks
from df2_assets.defs.checks.sku_groups import sku_groups_checks
from df2_assets.defs.checks.sku_metadata import sku_metadata_checks

all_checks: Final[list[dg.AssetChecksDefinition]] = [
    deepfashion2_checks,
    raw_annotation_index_checks,
    sku_groups_checks,
    crops_checks,
    sku_metadata_checks,
    image_text_checks,
    crop_quality_checks,
    *export_checks,
]

"""The assets, one file each. An asset reads its input, calls the pipeline and reports the result.

`factories` has what assets have in common. `exports` makes one asset per export.
"""

from df2_assets.defs.assets.benchmark_crops import benchmark_crops
from df2_assets.defs.assets.benchmark_scores import benchmark_scores
from df2_assets.defs.assets.crop_quality import crop_quality
from df2_assets.defs.assets.crop_variants import crop_variants
from df2_assets.defs.assets.crops import crops
from df2_assets.defs.assets.deepfashion2 import deepfashion2
from df2_assets.defs.assets.embeddings import embeddings
from df2_assets.defs.assets.evaluation import evaluation
from df2_assets.defs.assets.factories import AssetMaker
from df2_assets.defs.assets.gallery import gallery
from df2_assets.defs.assets.image_text import image_text
from df2_assets.defs.assets.labels import labels
from df2_assets.defs.assets.prompt_templates import prompt_templates
from df2_assets.defs.assets.raw_annotation_index import raw_annotation_index
from df2_assets.defs.assets.refusals import refusals
from df2_assets.defs.assets.sku_groups import sku_groups
from df2_assets.defs.assets.sku_metadata import sku_metadata

core_assets: list[AssetMaker] = [
    deepfashion2,
    raw_annotation_index,
    sku_groups,
    crops,
    refusals,
    sku_metadata,
    prompt_templates,
    image_text,
    labels,
    crop_variants,
    crop_quality,
    embeddings,
    benchmark_crops,
    benchmark_scores,
    evaluation,
    gallery,
]

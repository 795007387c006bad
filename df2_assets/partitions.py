"""How the assets are partitioned: by split, and by nothing finer.

Shards of work are the engines' business; a partition a SKU or an image would make the UI crawl.
"""

import warnings

import dagster as dg

from df2_assets.dataset.taxonomy import SPLITS

# Partitioned asset checks are in preview in Dagster 1.13, which pyproject.toml bounds.
warnings.filterwarnings("ignore", ".*partitions_def", dg.PreviewWarning)

splits = dg.StaticPartitionsDefinition(SPLITS)

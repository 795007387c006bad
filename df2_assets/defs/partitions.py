"""The partitions of all assets: the splits.

Engines divide the work of a split further. One partition per SKU or image would make the UI crawl.
"""

import warnings

import dagster as dg

from df2_assets.dataset.taxonomy import SPLITS

# Preview and beta features are used on purpose: pyproject.toml bounds the version of Dagster.
warnings.filterwarnings("ignore", ".*partitions_def", dg.PreviewWarning)
_BETA = (
    "observable_source_asset",
    "DataVersionsByPartition",
    "LocalFileCodeReference",
    "UrlCodeReference",
    "CodeReferencesMetadataValue",
)
for _name in _BETA:
    warnings.filterwarnings("ignore", f".*{_name}", dg.BetaWarning)

splits = dg.StaticPartitionsDefinition(SPLITS[::-1])
"""The splits, the smallest first: schedules and commands build them in this order.

Mistakes show early, and the page of an asset opens on the split that was built last, `train`.
"""

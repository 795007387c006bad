"""How the assets are partitioned: by split, and by nothing finer.

Shards of work are the engines' business; a partition a SKU or an image would make the UI crawl.
"""

import warnings

import dagster as dg

from df2_assets.dataset.taxonomy import SPLITS

# Used on purpose, with the version of Dagster bounded in pyproject.toml.
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
"""The smallest split first, as schedules and commands run them too.

Mistakes show early, and an asset's page opens on what was built last: `train`.
"""

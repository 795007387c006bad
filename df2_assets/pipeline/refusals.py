"""Everything that was refused, from the index and the manifest, in one table."""

import pandas as pd

from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.tables import REFUSALS


def collect(
    split: str, index: pd.DataFrame, groups: pd.DataFrame, manifest: pd.DataFrame
) -> pd.DataFrame:
    """Rows with a reason, by image and item; columns of `refusals`."""
    read = index[index["reason"].notna()].assign(stage="raw_annotation_index")
    refused = manifest["reason"].notna() & (manifest["reason"] != UNPAIRED)
    failed = manifest[refused][["crop_path", "reason", "detail"]]
    cut = groups[["crop_path", "image_id", "item_idx"]].merge(failed, on="crop_path")
    cut = cut.assign(split=split, stage="crops")
    both: pd.DataFrame = pd.concat([read[REFUSALS.names], cut[REFUSALS.names]])
    return both.sort_values(
        ["image_id", "item_idx", "reason"], na_position="first", ignore_index=True
    )

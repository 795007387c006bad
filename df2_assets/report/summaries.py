"""What is in a table, counted."""

import pandas as pd

from df2_assets.dataset.taxonomy import CATEGORIES, OCCLUSIONS, VIEWPOINTS


def by_labels(groups: pd.DataFrame) -> pd.DataFrame:
    """Crops by category, occlusion and viewpoint, a column a domain; labels in words."""
    keys = ["category_id", "occlusion", "viewpoint"]
    counts = groups.groupby([*keys, "domain"]).size().unstack("domain", fill_value=0)
    counts = counts.reindex(columns=["catalog", "query"], fill_value=0).reset_index()
    return counts.assign(
        category_id=counts["category_id"].map(CATEGORIES),
        occlusion=counts["occlusion"].map(OCCLUSIONS),
        viewpoint=counts["viewpoint"].map(VIEWPOINTS),
    ).rename(columns={"category_id": "category"})


def by_reason(refusals: pd.DataFrame) -> pd.DataFrame:
    """Refused files and items by stage and reason."""
    return refusals.groupby(["stage", "reason"]).size().rename("count").reset_index()

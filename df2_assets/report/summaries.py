"""Summaries of tables, and examples of prompts."""

import pandas as pd

from df2_assets.dataset.prompts import CONTRACT, Variant, fill_template
from df2_assets.dataset.taxonomy import CATEGORIES


def count_by_category(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of SKUs and crops by category name, with one column per domain."""
    by = groups.groupby("category_id")
    counts = groups.groupby(["category_id", "domain"]).size().unstack("domain", fill_value=0)
    counts = counts.reindex(columns=["catalog", "query"], fill_value=0)
    counts.insert(0, "skus", by["sku_id"].nunique())
    counts.insert(0, "category", counts.index.map(CATEGORIES))
    return counts.reset_index(drop=True)


def count_by_reason(refusals: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of refused files and items by stage and reason."""
    return refusals.groupby(["stage", "reason"]).size().rename("count").reset_index()


def list_prompt_examples(variants: tuple[Variant, ...]) -> pd.DataFrame:
    """Return every template, the contract's first, with its prompt for a partly occluded skirt."""
    templates = [
        (variant.key, domain, viewpoint, template)
        for variant in (CONTRACT, *variants)
        for domain, by_viewpoint in variant.templates.items()
        for viewpoint, choices in by_viewpoint.items()
        for template in choices
    ]
    rows = [
        (*row, fill_template(template, domain, "skirt", 2, viewpoint))
        for row in templates
        for _, domain, viewpoint, template in [row]
    ]
    return pd.DataFrame(rows, columns=["key", "domain", "viewpoint", "template", "example"])

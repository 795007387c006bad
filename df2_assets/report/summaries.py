"""Summaries of tables, and examples of prompts."""

from itertools import product
from pathlib import Path

import msgspec
import pandas as pd

from df2_assets.dataset.prompts import CONTRACT, Subject, Texts, fill_template
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, VIEWPOINTS


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


def list_prompt_examples(texts: Texts, captions_file: str | None = None) -> pd.DataFrame:
    """Return every template, the contract's first, filled in for a red skirt.

    Captions have no template: each key has the first caption of `captions_file`, with the domain of
    its crop.
    """
    rows: list[tuple[str, str, int | None, str, str]] = [
        (template.key, domain, viewpoint, choice, fill_template(choice, domain, *labels))
        for template in (CONTRACT, *texts.templates)
        for domain, by_viewpoint in template.choices.items()
        for viewpoint, choices in by_viewpoint.items()
        for choice in choices
        for labels in [("skirt", 2, viewpoint, "red")]
    ]
    if texts.sku_token:
        template = "{text} (style {style}, SKU {sku_id})"
        always = msgspec.structs.replace(texts.sku_token, dropout=0.0)
        for domain, viewpoint in product(DOMAINS.values(), VIEWPOINTS):
            crop = Subject("train/", "000001_01_09", 1, domain, "skirt", 2, viewpoint)
            rows.append((always.key, domain, viewpoint, template, always.prompt(crop)))
    if texts.captions and captions_file:
        with Path(captions_file).open("rb") as lines:
            first = msgspec.json.decode(next(line for line in lines if line.strip()))
        domain = first["crop_path"].split("/")[1]
        rows += [(key, domain, None, captions_file, first[key]) for key in texts.captions.keys]
    columns = ["key", "domain", "viewpoint", "template", "example"]
    return pd.DataFrame(rows, columns=columns, dtype="object")

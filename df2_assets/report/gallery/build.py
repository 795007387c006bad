"""Building the gallery of a split from its tables, its prompts and the findings of its checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import pandas as pd

from df2_assets.checks.crop_quality import find_looks, looks, pairs_alike
from df2_assets.checks.finding import count_states, read_findings
from df2_assets.dataset.frames import rows
from df2_assets.dataset.metadata import further_keys
from df2_assets.dataset.record import MORE_LABELS
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress
from df2_assets.report.gallery import content, pages
from df2_assets.report.gallery.layers import find_layers
from df2_assets.report.gallery.retrieval import retrieval_page, similar_skus
from df2_assets.report.gallery.site import Site, write_site
from df2_assets.report.readiness import Readiness, assess_readiness
from df2_assets.retrieval.evaluation import read_evaluation
from df2_assets.retrieval.metrics import METRICS
from df2_assets.store.contract_files import read_image_text
from df2_assets.store.layout import Roots

TABLES: Final = ("raw_annotation_index", "sku_groups", "crops", "crop_quality", "refusals")


@dataclass(frozen=True)
class Gallery:
    """A gallery that was written, and the readiness of its split."""

    site: Site
    readiness: Readiness


def build_gallery(
    roots: Roots,
    split: str,
    frames: Mapping[str, pd.DataFrame],
    engine: Engine,
    progress: Progress,
) -> Gallery:
    """Write the gallery of a split. `frames` has the tables of `TABLES`.

    Raises MissingTableError.
    """
    records = read_image_text(roots, split)
    index, groups, manifest, quality, refusals = (frames[asset] for asset in TABLES)
    crops = manifest[manifest["reason"].isna()]
    others = {other: find_looks(roots, other) for other in SPLITS if other != split}
    alike = pairs_alike(split, looks(quality, manifest), others)
    columns = ["sku_id", "domain", "text", *(further_keys(records[0]) if records else ())]
    texts = pd.DataFrame(map(attrgetter(*columns), records), columns=columns)
    on_disk = groups[groups["crop_path"].isin(crops["crop_path"])]
    not_compared = [other for other, measured in others.items() if measured is None]
    ready = assess_readiness(index, on_disk, texts, alike, not_compared)
    findings = read_findings(roots, split)
    states = count_states(findings)
    checks, named = pages.named_skus(roots, split, findings)
    digests = dict(zip(crops["crop_path"].tolist(), crops["sha256"].tolist(), strict=True))
    more = {
        path: dict(zip(MORE_LABELS, values, strict=True))
        for path, *values in rows(on_disk, "crop_path", *MORE_LABELS)
    }
    shown = content.collect_content(records, more, digests, named)
    evaluation = read_evaluation(roots, split)
    page = {
        "figures": {
            "skus": len(shown.ids),
            "crops": len(records),
            "refused": len(refusals),
            "checks": len(findings),
            **states,
        },
        "readiness": pages.readiness_page(ready, states),
        "checks": pages.checks_page(roots, split, findings),
        "reasons": pages.reasons_page(refusals),
        "retrieval": retrieval_page(evaluation),
        "metrics": list(METRICS),
    }
    refused = content.list_refusals(refusals)
    layers, similar = find_layers(roots, split), similar_skus(evaluation, shown.ids)
    site = write_site(roots, split, shown, layers, checks, refused, similar, page, engine, progress)
    return Gallery(site, ready)

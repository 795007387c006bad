"""The check of `{split}_sku_metadata.json` as it is on disk: whether it follows the contract."""

import os
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec
import pandas as pd

from df2_assets.checks.finding import Finding, crop_rows, number_of
from df2_assets.dataset.boxes import is_reversed
from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.metadata import Crop, RawSkuMetadata, Sku, StrictSku
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS
from df2_assets.engines.base import Engine
from df2_assets.errors import escape_untrusted
from df2_assets.pipeline.scanning import missing_crops
from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets.store.location import is_url

_Problem = tuple[str, str | None, str]
"""sku_id ("": the whole document), crop_path (None: the whole SKU), what is wrong."""

_decode_sku: Final = msgspec.json.Decoder(StrictSku).decode


def contract(roots: Roots, split: str, engine: Engine) -> Finding:
    """Check the schema, counts, domains and order, and that a file is at each path.

    The rules are those of `docs/contract.md`. Whether a domain of a SKU may be empty is what the
    state of the split records. Only one SKU is decoded at a time, and files are
    looked up on `engine`.
    """
    path = roots.sku_metadata(split)
    try:
        document = msgspec.json.decode(path.read_bytes(), type=RawSkuMetadata)
    except OSError as error:
        summary = f"{path}: {os.strerror(error.errno or 0)}. Materialize sku_metadata."
        return Finding(False, "error", 0, summary)
    except msgspec.DecodeError as error:
        why = escape_untrusted(str(error))
        summary = f"{path} does not follow the contract: {why}. Rerun sku_metadata."
        return Finding(False, "error", 0, summary)
    only_pairs = state.load(roots, split).only_pairs
    images = frozenset(roots.df2.names(roots.images(split)))
    crop_paths: list[str] = []
    problems, crops = _inspect(split, document, only_pairs, images, frozenset(), crop_paths)
    missing = frozenset(missing_crops(roots, split, crop_paths, engine))
    if missing:
        problems, crops = _inspect(split, document, only_pairs, images, missing, [])
    offenders = _offenders(split, problems)
    summary = f"{number_of(len(document.skus), 'SKU')} with {number_of(crops, 'crop')}"
    if offenders.empty:
        summary += ": schema, counts, order and paths follow the contract."
    else:
        first = escape_untrusted(offenders["what"].iloc[0])
        summary += f"; {number_of(len(offenders), 'problem')}, the first: {first}. "
        summary += f"Build {split} again."
    return Finding(
        offenders.empty,
        "error",
        crops,
        summary,
        offenders,
        {"skus": len(document.skus), "crops": crops},
    )


def _inspect(
    split: str,
    document: RawSkuMetadata,
    only_pairs: bool,
    images: frozenset[str],
    missing: frozenset[str],
    crop_paths: list[str],
) -> tuple[list[_Problem], int]:
    """Return the problems of the document in its order, and the number of its crops.

    The paths of crops are added to `crop_paths`; those in `missing` are problems.
    """
    problems: list[_Problem] = [("", None, what) for what in _document_problems(split, document)]
    crops = 0
    for sku_id, raw in document.skus.items():
        try:
            sku = _decode_sku(raw)
        except msgspec.DecodeError as error:
            problems.append((sku_id, None, str(error)))
            continue
        crops += len(sku.catalog) + len(sku.query)
        problems += ((sku_id, None, what) for what in _sku_problems(sku_id, sku, only_pairs))
        for domain, entries in (("catalog", sku.catalog), ("query", sku.query)):
            start = f"{split}/{domain}/{sku_id}/"
            for crop in entries:
                what = _crop_problem(split, start, crop)
                if what is None:
                    crop_paths.append(crop.crop_path)
                    if crop.crop_path in missing:
                        what = "the crop is missing"
                    elif f"{crop.image_id}.jpg" not in images:
                        what = "the original image is missing"
                if what:
                    problems.append((sku_id, crop.crop_path, what))
    return problems, crops


def _document_problems(split: str, document: RawSkuMetadata) -> Iterator[str]:
    if document.split != split:
        yield f"split is {document.split}"
    if not (os.path.isabs(document.df2_root) or is_url(document.df2_root)):
        yield f"df2_root is {document.df2_root}, which is not absolute"
    if document.num_skus != len(document.skus):
        yield f"num_skus is {document.num_skus}, but there are {len(document.skus)}"
    ids = list(document.skus)
    if ids != sorted(ids):
        yield "SKUs are not sorted by id"


def _sku_problems(sku_id: str, sku: Sku, only_pairs: bool) -> Iterator[str]:
    expected_id = f"{sku.pair_id:06}_{sku.style:02}_{sku.category_id:02}"
    if sku_id != expected_id:
        yield f"the id of its pair, style and category is {expected_id}"
    if sku.category_name != CATEGORIES[sku.category_id]:
        yield f"category_name of {sku.category_id} is {sku.category_name}"
    empty = [domain for domain in DOMAINS.values() if not getattr(sku, domain)]
    if len(empty) == len(DOMAINS):
        yield "it has no crops"
    elif only_pairs and empty:
        yield f"it has no {empty[0]} crops, and SKUs with one domain are left out"
    for domain, crops in (("catalog", sku.catalog), ("query", sku.query)):
        keys = [(crop.image_id, crop.item_idx) for crop in crops]
        if any(key >= following for key, following in pairwise(keys)):
            yield f"{domain} crops are not sorted by image and item, or one appears twice"


def _crop_problem(split: str, start: str, crop: Crop) -> str | None:
    """Return what is wrong with an entry, or None; `start` is the folder where its crop belongs."""
    if is_reversed(crop.bbox):
        return "the box has no area"
    if crop.orig_image_path != f"{split}/image/{crop.image_id}.jpg":
        return f"orig_image_path is not {split}/image/{crop.image_id}.jpg"
    if crop.crop_path != f"{start}{crop.image_id}_item{crop.item_idx}.jpg":
        return f"crop_path is not {start}{crop.image_id}_item{crop.item_idx}.jpg"
    return None


def _offenders(split: str, problems: list[_Problem]) -> pd.DataFrame:
    rows = crop_rows(path or "" for _, path, _ in problems)
    return rows.assign(
        split=split,
        sku_id=pd.Series([sku_id for sku_id, _, _ in problems], dtype=TEXT),
        what=pd.Series([what for _, _, what in problems], dtype=TEXT),
    )

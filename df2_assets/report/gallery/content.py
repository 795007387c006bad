"""What the gallery is made of: SKUs, their crops and prompts, as compact JavaScript data."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import pandas as pd

from df2_assets.dataset.frames import rows
from df2_assets.dataset.metadata import ImageText
from df2_assets.dataset.reasons import IMAGE_REASONS
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.report.gallery.sheets import Sheet, sheet_path

A_FILE: Final = 400
"""SKUs in a file of details: read when the first of them is opened."""

_DOMAINS: Final = ("catalog", "query")
_SHOWN: Final = 2
_FRONTAL: Final = 2


@dataclass
class Content:
    """The SKUs of a split; lists are parallel, one place per SKU, sorted by id.

    `cells` has a bit for each domain, occlusion and viewpoint that a SKU has a crop of: 9 times
    the domain, 3 times the occlusion, the viewpoint, each from 0. `counts` has, for each of these
    bits from the lowest, how many crops have it. `tiles` has the bits of the crops on the sheet, by
    domain. `prompts` are the texts by category and bit.

    `keys` are those of further prompts, and `texts` what these say, each once: a crop has the place
    of its text for each key.
    """

    ids: list[str] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    counts: list[list[int]] = field(default_factory=list)
    tiles: list[list[list[int]]] = field(default_factory=list)
    catalog: list[int] = field(default_factory=list)
    query: list[int] = field(default_factory=list)
    named: list[list[int]] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    details: list[list[list[Any]]] = field(default_factory=list)
    prompts: dict[int, dict[int, str]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)

    def index(self, checks: list[str], details: list[str], images: str) -> dict[str, Any]:
        """All that browsing and searching needs; `details` and `images` name further files."""
        return {
            "categories": {str(number): name for number, name in CATEGORIES.items()},
            "prompts": self.prompts,
            "keys": self.keys,
            "texts": list(self.texts),
            "ids": self.ids,
            "cells": self.cells,
            "counts": self.counts,
            "tiles": self.tiles,
            "catalog": self.catalog,
            "query": self.query,
            "named": self.named,
            "checks": checks,
            "sheets": [sheet.path.rsplit("-", 1)[1][:-4] for sheet in self.sheets],
            "perFile": A_FILE,
            "details": details,
            "images": images,
        }

    def files_of_details(self) -> Iterator[list[list[list[Any]]]]:
        """The crops of some SKUs at a time."""
        for start in range(0, len(self.details), A_FILE):
            yield self.details[start : start + A_FILE]

    def images(self) -> list[str]:
        """The images of each SKU, to be searched in."""
        return [" ".join(dict.fromkeys(crop[1] for crop in crops)) for crops in self.details]


def collect(
    records: Iterable[ImageText], digests: Mapping[str, str], named: Mapping[str, list[int]]
) -> Content:
    """Return the content of a split from its prompts, in their order.

    `digests` are of crops by path; `named` lists, by SKU, the checks that name it.
    """
    content = Content()
    for sku_id, of_sku in groupby(records, key=lambda record: record.sku_id):
        crops = list(of_sku)
        catalog, query = ([c for c in crops if c.domain == domain] for domain in _DOMAINS)
        content.ids.append(sku_id)
        of_bit = Counter(map(_bit, crops))
        content.cells.append(sum(1 << bit for bit in of_bit))
        content.counts.append([count for _, count in sorted(of_bit.items())])
        content.catalog.append(len(catalog))
        content.query.append(len(query))
        content.named.append(named.get(sku_id, []))
        content.details.append([_details(content, crop) for crop in crops])
        shown = _best(catalog), _best(query)
        content.tiles.append([[*map(_bit, tiles)] for tiles in shown])
        paths = [tuple(crop.image_path for crop in tiles) for tiles in shown]
        on_sheet = [digests.get(path, "") for of_domain in paths for path in of_domain]
        content.sheets.append(Sheet(sheet_path(sku_id, on_sheet), *paths))
    return content


def refused(table: pd.DataFrame) -> list[list[Any]]:
    """Return the rows of `refusals` as lists: image, item, stage, reason, detail, at fault.

    The last is 1 where the image is at fault, 0 where its annotation is.
    """
    columns = ("image_id", "item_idx", "stage", "reason", "detail")
    return [[*row, int(row[3] in IMAGE_REASONS)] for row in rows(table, *columns)]


def script(call: str, *arguments: object) -> bytes:
    """Return a call with JSON arguments as a script for a page; nothing in it can end a script."""
    said = ",".join(
        json.dumps(one, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
        for one in arguments
    )
    return f"df2.{call}({said});\n".encode()


def _details(content: Content, crop: ImageText) -> list[Any]:
    """A crop: domain, image, item, box, labels, and its prompts where they are not the usual one.

    Its prompt is null where it is the usual one of its kind; further ones are places in `texts`.
    """
    of_category = content.prompts.setdefault(crop.category_id, {})
    usual = of_category.setdefault(_bit(crop), crop.text)
    content.keys = list(crop.__struct_fields__[len(ImageText.__struct_fields__) :])
    more = [getattr(crop, key) for key in content.keys]
    places = [content.texts.setdefault(text, len(content.texts)) for text in more]
    unusual = None if crop.text == usual else crop.text
    prompts = [unusual, *places] if unusual or places else []
    place = _DOMAINS.index(crop.domain), crop.image_id, crop.item_idx
    return [*place, *crop.bbox, crop.occlusion, crop.viewpoint, *prompts]


def _bit(crop: ImageText) -> int:
    return 9 * _DOMAINS.index(crop.domain) + 3 * (crop.occlusion - 1) + crop.viewpoint - 1


def _best(crops: list[ImageText]) -> list[ImageText]:
    """The crops that show a garment best: least occluded, from the front."""
    ranked = sorted(crops, key=lambda crop: (crop.occlusion, crop.viewpoint != _FRONTAL))
    return ranked[:_SHOWN]

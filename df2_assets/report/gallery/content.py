"""The data of a gallery: SKUs, crops and prompts, in a compact form for JavaScript."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, TypeVar

import pandas as pd

from df2_assets.dataset.frames import rows
from df2_assets.dataset.metadata import ImageText, further_keys
from df2_assets.dataset.reasons import IMAGE_REASONS
from df2_assets.dataset.record import CONTRACT_LABELS
from df2_assets.dataset.taxonomy import CATEGORIES, LABELS
from df2_assets.report.gallery.layers import Layer
from df2_assets.report.gallery.sheets import Sheet, sheet_path

T = TypeVar("T")

SKUS_PER_FILE: Final = 400
"""SKUs per file of details or of a layer. The page loads a file when it shows a SKU in it."""

_DOMAINS: Final = ("catalog", "query")
_SHOWN: Final = 2
_FRONTAL: Final = 2

Labels = Mapping[str, Mapping[str, int | None]]
"""The labels of crops that the contract files lack (`record.MORE_LABELS`), by path and name."""


@dataclass
class Content:
    """The SKUs of a split. All lists have one entry per SKU and are sorted by SKU id.

    - `looks`: each different look of a crop, once. A look is the domain and all labels, each
      counted from 0. A label that was not given counts as one more than its last value.
    - `crops`: the looks of the crops of a SKU, by their number in `looks`.
    - `tiles`: the looks of the crops on the thumbnail sheet, by domain.
    - `prompts`: the usual prompt of each category and each look without further labels.
    - `paths`: the paths of the crops, in the order of `details`.
    - `keys`: the keys of further prompts. `texts` has all their texts, each once: a crop refers to
      them by number.
    """

    ids: list[str] = field(default_factory=list)
    looks: dict[tuple[int, ...], int] = field(default_factory=dict)
    crops: list[list[int]] = field(default_factory=list)
    tiles: list[list[list[int]]] = field(default_factory=list)
    catalog: list[int] = field(default_factory=list)
    query: list[int] = field(default_factory=list)
    named: list[list[int]] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    details: list[list[list[Any]]] = field(default_factory=list)
    paths: list[list[str]] = field(default_factory=list)
    prompts: dict[int, dict[int, str]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)

    def index(
        self,
        checks: list[str],
        details: list[str],
        images: str,
        layers: Sequence[Layer] = (),
        files: Sequence[list[str]] = (),
    ) -> dict[str, Any]:
        """Return the data for browsing and searching.

        `details`, `images` and `files`, the files of each layer, are names of files.
        """
        return {
            "categories": {str(number): name for number, name in CATEGORIES.items()},
            "labels": {name: list(meanings.values()) for name, meanings in LABELS.items()},
            "prompts": self.prompts,
            "keys": self.keys,
            "texts": list(self.texts),
            "ids": self.ids,
            "looks": list(self.looks),
            "crops": self.crops,
            "tiles": self.tiles,
            "catalog": self.catalog,
            "query": self.query,
            "named": self.named,
            "checks": checks,
            "sheets": [sheet.path.rsplit("-", 1)[1][:-4] for sheet in self.sheets],
            "perFile": SKUS_PER_FILE,
            "details": details,
            "images": images,
            "layers": [
                {"name": layer.name, "suffix": layer.suffix, "files": names}
                for layer, names in zip(layers, files, strict=True)
            ],
        }

    def files_of_details(self) -> Iterator[list[list[list[Any]]]]:
        """Yield the crops of `SKUS_PER_FILE` SKUs at a time."""
        return _batch(self.details)

    def files_of_layer(self, layer: Layer) -> Iterator[list[list[Any]]]:
        """Yield the values of the crops of `SKUS_PER_FILE` SKUs at a time."""
        for part in _batch(self.paths):
            values = iter(layer.values([path for of_sku in part for path in of_sku]))
            yield [[next(values) for _ in of_sku] for of_sku in part]

    def images(self) -> list[str]:
        """Return the image ids of each SKU, for searching."""
        return [" ".join(dict.fromkeys(crop[0] for crop in crops)) for crops in self.details]


def collect_content(
    records: Iterable[ImageText],
    labels: Labels,
    digests: Mapping[str, str],
    named: Mapping[str, list[int]],
) -> Content:
    """Return the content of a gallery from the lines of the JSONL, in their order.

    `digests` are those of crops, by path. `named` has the checks that name a SKU, by SKU id.
    """
    content = Content()
    for sku_id, of_sku in groupby(records, key=lambda record: record.sku_id):
        crops = list(of_sku)
        catalog, query = ([c for c in crops if c.domain == domain] for domain in _DOMAINS)
        content.ids.append(sku_id)
        looks = {crop.image_path: _number_look(content, crop, labels) for crop in crops}
        content.crops.append([*looks.values()])
        content.catalog.append(len(catalog))
        content.query.append(len(query))
        content.named.append(named.get(sku_id, []))
        content.paths.append([*looks])
        content.details.append(
            [_describe_crop(content, crop, looks[crop.image_path]) for crop in crops]
        )
        shown = _choose_best(catalog), _choose_best(query)
        paths = [tuple(crop.image_path for crop in tiles) for tiles in shown]
        content.tiles.append([[looks[path] for path in of_domain] for of_domain in paths])
        on_sheet = [digests.get(path, "") for of_domain in paths for path in of_domain]
        content.sheets.append(Sheet(sheet_path(sku_id, on_sheet), *paths))
    return content


def list_refusals(table: pd.DataFrame) -> list[list[Any]]:
    """Return the rows of `refusals` as lists: image, item, stage, reason, detail, cause.

    The last value is 1 if the image causes the refusal, and 0 if the annotation does.
    """
    columns = ("image_id", "item_idx", "stage", "reason", "detail")
    return [[*row, int(row[3] in IMAGE_REASONS)] for row in rows(table, *columns)]


def make_script(call: str, *arguments: object) -> bytes:
    """Return a script that makes a call with JSON arguments. None can close the script tag."""
    values = ",".join(
        json.dumps(argument, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
        for argument in arguments
    )
    return f"df2.{call}({values});\n".encode()


def _batch(values: list[T]) -> Iterator[list[T]]:
    """Yield the values of `SKUS_PER_FILE` SKUs at a time."""
    for start in range(0, len(values), SKUS_PER_FILE):
        yield values[start : start + SKUS_PER_FILE]


def _describe_crop(content: Content, crop: ImageText, look: int) -> list[Any]:
    """Return a crop as a list: image, item, box, look and prompts.

    The prompt is null if it is the usual one, and left out if there are no further prompts, which
    are numbers in `texts`.
    """
    of_category = content.prompts.setdefault(crop.category_id, {})
    usual = of_category.setdefault(_number_prompt(crop), crop.text)
    content.keys = list(further_keys(crop))
    more = [getattr(crop, key) for key in content.keys]
    places = [content.texts.setdefault(text, len(content.texts)) for text in more]
    unusual = None if crop.text == usual else crop.text
    prompts = [unusual, *places] if unusual or places else []
    return [crop.image_id, crop.item_idx, *crop.bbox, look, *prompts]


def _number_look(content: Content, crop: ImageText, labels: Labels) -> int:
    """Return the number of a crop's look, which is added if it is new."""
    values: dict[str, int | None] = {name: getattr(crop, name) for name in CONTRACT_LABELS}
    values |= labels.get(crop.image_path, {})
    numbers = ((values.get(name) or len(meanings) + 1) - 1 for name, meanings in LABELS.items())
    return content.looks.setdefault((_DOMAINS.index(crop.domain), *numbers), len(content.looks))


def _number_prompt(crop: ImageText) -> int:
    """Return a number for what the contract's prompt depends on, besides the category."""
    return 9 * _DOMAINS.index(crop.domain) + 3 * (crop.occlusion - 1) + crop.viewpoint - 1


def _choose_best(crops: list[ImageText]) -> list[ImageText]:
    """Return the crops that show a garment best: least occluded, from the front."""
    ranked = sorted(crops, key=lambda crop: (crop.occlusion, crop.viewpoint != _FRONTAL))
    return ranked[:_SHOWN]

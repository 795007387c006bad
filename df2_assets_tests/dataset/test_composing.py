"""The text of the contract files, compared with what msgspec writes for the same records."""

import json
from dataclasses import dataclass

import msgspec
import pyarrow as pa
import pytest

from df2_assets.dataset.composing import compose_lines, compose_skus
from df2_assets.dataset.metadata import Crop, ImageText, Sku
from df2_assets.dataset.prompts import PromptTemplate, Subject, Texts, prompt
from df2_assets.dataset.tables import SKU_GROUPS
from df2_assets.dataset.taxonomy import CATEGORIES, VIEWPOINTS


@dataclass(frozen=True)
class Group:
    """A SKU and its crops: image, item, occlusion and viewpoint of each, by domain."""

    pair_id: int
    category_id: int
    catalog: tuple[tuple[int, int, int, int], ...]
    query: tuple[tuple[int, int, int, int], ...]

    @property
    def sku_id(self) -> str:
        return f"{self.pair_id:06d}_01_{self.category_id:02d}"

    def crops(self, domain: str) -> list[Crop]:
        """Return the crops of a domain; each has its own box."""
        return [
            Crop(
                f"train/{domain}/{self.sku_id}/{image:06d}_item{item}.jpg",
                f"train/image/{image:06d}.jpg",
                f"{image:06d}",
                item,
                (0, item, 1000 + image, 20 + item),
                occlusion,
                viewpoint,
            )
            for image, item, occlusion, viewpoint in getattr(self, domain)
        ]


GROUPS = (
    Group(1, 5, ((1, 1, 1, 1),), ((2, 1, 3, 3), (2, 12, 2, 2), (7, 1, 1, 1))),
    Group(2, 13, ((3, 1, 1, 2), (4, 1, 2, 2)), ((5, 10, 3, 3),)),
    Group(999_999, 1, ((6, 1, 1, 1),), ((8, 2, 1, 2),)),
)
UNPAIRED = (
    Group(3, 2, (), ((9, 1, 1, 1), (9, 2, 1, 1))),
    Group(4, 2, ((10, 1, 1, 1),), ()),
    GROUPS[0],
    Group(5, 2, (), ((11, 1, 1, 1),)),
    Group(5, 3, (), ((11, 2, 1, 1),)),
)
"""SKUs with one domain: first, last, and next to each other."""
CAPTION = PromptTemplate(
    "caption",
    7,
    {
        domain: dict.fromkeys(VIEWPOINTS, ('"{category_name}" <x1>', "Ärmel \\ {category_name}"))
        for domain in ("catalog", "query")
    },
)


def table(groups: tuple[Group, ...] = GROUPS) -> pa.Table:
    """Return the rows of `sku_groups` for SKUs."""
    rows = []
    for group in groups:
        for domain in ("catalog", "query"):
            for crop in group.crops(domain):
                edges = dict(zip(("x1", "y1", "x2", "y2"), crop.bbox, strict=True))
                rows.append(
                    dict.fromkeys(SKU_GROUPS.names)
                    | {
                        name: getattr(crop, name)
                        for name in crop.__struct_fields__
                        if name != "bbox"
                    }
                    | edges
                    | {f"anno_{name}": edge for name, edge in edges.items()}
                    | {"split": "train", "sku_id": group.sku_id, "pair_id": group.pair_id}
                    | {"style": 1, "category_id": group.category_id, "domain": domain}
                    | {"category_name": CATEGORIES[group.category_id], "scale": 1, "zoom_in": 1}
                )
    return pa.Table.from_pylist(rows, SKU_GROUPS)


@pytest.mark.parametrize("groups", [GROUPS, UNPAIRED, UNPAIRED[:1], UNPAIRED[1:2]])
def test_skus_are_composed_as_a_document_of_their_records_is_formatted(
    groups: tuple[Group, ...],
) -> None:
    skus = {
        group.sku_id: Sku(
            group.pair_id,
            1,
            group.category_id,
            CATEGORIES[group.category_id],
            group.crops("catalog"),
            group.crops("query"),
        )
        for group in groups
    }
    whole = json.dumps({"skus": msgspec.to_builtins(skus)}, indent=2)
    assert msgspec.json.format(msgspec.json.encode({"skus": skus}), indent=2).decode() == whole
    composed = ",\n".join(compose_skus(table(groups)))
    assert f'{{\n  "skus": {{\n{composed}\n  }}\n}}' == whole


def test_lines_are_composed_as_their_records_are_encoded() -> None:
    lines, captions = [], []
    for group in GROUPS:
        for domain in ("catalog", "query"):
            for crop in group.crops(domain):
                name = CATEGORIES[group.category_id]
                labels = (domain, name, crop.occlusion, crop.viewpoint)
                lines.append(
                    ImageText(
                        "train", group.sku_id, group.pair_id, 1, group.category_id, name, domain,
                        crop.crop_path, crop.orig_image_path, crop.image_id, crop.item_idx,
                        crop.bbox, crop.occlusion, crop.viewpoint, prompt(*labels),
                    )
                )  # fmt: skip
                captions.append(CAPTION.prompt(Subject(crop.crop_path, group.sku_id, 1, *labels)))
    encoded = [msgspec.json.encode(line) + b"\n" for line in lines]
    assert compose_lines(table()) == b"".join(encoded)
    assert compose_lines(table().slice(2, 3)) == b"".join(encoded[2:5])

    composed = [json.loads(line) for line in compose_lines(table(), Texts((CAPTION,))).splitlines()]
    plain = [json.loads(line) for line in encoded]
    assert composed == [
        line | {"caption": caption} for line, caption in zip(plain, captions, strict=True)
    ]
    assert len(set(captions)) > len(GROUPS), "both templates are used"

"""The prompt of a crop, by domain, viewpoint and occlusion (the contract, design section 2)."""

from typing import Final

_OCCLUSION: Final = {1: "", 2: "partially occluded ", 3: "heavily occluded "}

_TEMPLATES: Final = {
    ("catalog", 1): "A catalog product photo of a {garment} that is not being worn.",
    ("catalog", 2): "A catalog product photo of a {garment} from the front.",
    ("catalog", 3): "A catalog product photo of a {garment} from the side or back.",
    ("query", 1): "A user photo of a {garment} that is not being worn.",
    ("query", 2): "A user photo of a person wearing a {garment} from the front.",
    ("query", 3): "A user photo of a person wearing a {garment} from the side or back.",
}


def prompt(domain: str, category_name: str, occlusion: int, viewpoint: int) -> str:
    """The text that belongs to a crop.

    Raises KeyError for a domain, occlusion or viewpoint outside the taxonomy: such items are
    refused when annotations are read, so it means a bug.
    """
    garment = _OCCLUSION[occlusion] + category_name
    return _TEMPLATES[domain, viewpoint].format(garment=garment)

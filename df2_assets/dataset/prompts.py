"""The prompts of a crop: the contract's, and variants of it."""

from functools import cache
from hashlib import blake2b, sha256
from typing import Final

import msgspec

from df2_assets.dataset.taxonomy import VIEWPOINTS

_OCCLUSION: Final = {1: "", 2: "partially occluded ", 3: "heavily occluded "}
_VIEW: Final = {1: "that is not being worn", 2: "from the front", 3: "from the side or back"}

PLACEHOLDERS: Final = ("category_name", "domain", "occ", "view")
"""The placeholders of a template. Unless it is empty, `occ` ends with a space."""


class Variant(msgspec.Struct, frozen=True):
    """The templates of the prompts under one key of the JSONL.

    `templates` has one or more per domain and viewpoint. `seed`, `key` and the path of a crop
    decide which of them the crop gets.
    """

    key: str
    seed: int
    templates: dict[str, dict[int, tuple[str, ...]]]

    def prompt(
        self, image_path: str, domain: str, category_name: str, occlusion: int, viewpoint: int
    ) -> str:
        """Return the prompt of a crop. `image_path` is its path relative to SKU_ROOT."""
        templates = self.templates[domain][viewpoint]
        digest = blake2b(f"{self.seed}/{self.key}/{image_path}".encode(), digest_size=8).digest()
        template = templates[int.from_bytes(digest) % len(templates)]
        return fill_template(template, domain, category_name, occlusion, viewpoint)


CONTRACT: Final = Variant(
    "text",
    0,
    {
        "catalog": dict.fromkeys(
            VIEWPOINTS, ("A catalog product photo of a {occ}{category_name} {view}.",)
        ),
        "query": {
            1: ("A user photo of a {occ}{category_name} {view}.",),
            2: ("A user photo of a person wearing a {occ}{category_name} {view}.",),
            3: ("A user photo of a person wearing a {occ}{category_name} {view}.",),
        },
    },
)
"""The prompts of the contract, which every build writes: one template per case."""


def version(variants: tuple[Variant, ...]) -> str:
    """Return a digest of everything that decides the prompts in addition to the contract's."""
    return sha256(msgspec.json.encode(variants)).hexdigest()


def prompt(domain: str, category_name: str, occlusion: int, viewpoint: int) -> str:
    """Return the contract's prompt for a crop.

    Raises KeyError for a domain, occlusion or viewpoint outside the taxonomy. Such items are
    refused when annotations are read, so the error means a bug.
    """
    (template,) = CONTRACT.templates[domain][viewpoint]
    return fill_template(template, domain, category_name, occlusion, viewpoint)


@cache
def fill_template(
    template: str, domain: str, category_name: str, occlusion: int, viewpoint: int
) -> str:
    """Return a template filled with the words for a crop. Raises KeyError as `prompt` does."""
    return template.format(
        category_name=category_name,
        domain=domain,
        occ=_OCCLUSION[occlusion],
        view=_VIEW[viewpoint],
    )

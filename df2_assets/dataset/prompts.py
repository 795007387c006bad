"""The prompts of a crop: the contract's, and variants of it."""

from functools import cache
from hashlib import blake2b, sha256
from typing import Final

import msgspec

from df2_assets.dataset.taxonomy import VIEWPOINTS

_OCCLUSION: Final = {1: "", 2: "partially occluded ", 3: "heavily occluded "}
_VIEW: Final = {1: "that is not being worn", 2: "from the front", 3: "from the side or back"}

PLACEHOLDERS: Final = ("category_name", "domain", "occ", "view")
"""What a template may name; `occ` ends with a space where it is not empty."""


class Variant(msgspec.Struct, frozen=True):
    """Prompts under a key of the JSONL.

    `templates` has some for each domain and viewpoint; which of them a crop gets, `seed`, `key`
    and the path of the crop decide.
    """

    key: str
    seed: int
    templates: dict[str, dict[int, tuple[str, ...]]]

    def prompt(
        self, image_path: str, domain: str, category_name: str, occlusion: int, viewpoint: int
    ) -> str:
        """Return the text of a crop; `image_path` is its path relative to SKU_ROOT."""
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
"""The one that every build has; it leaves nothing to choose."""


def version(variants: tuple[Variant, ...]) -> str:
    """Return a digest of all that decides which prompts crops get beside the contract's."""
    return sha256(msgspec.json.encode(variants)).hexdigest()


def prompt(domain: str, category_name: str, occlusion: int, viewpoint: int) -> str:
    """Return the contract's text for a crop.

    Raises KeyError for a domain, occlusion or viewpoint outside the taxonomy: such items are
    refused when annotations are read, so it means a bug.
    """
    (template,) = CONTRACT.templates[domain][viewpoint]
    return fill_template(template, domain, category_name, occlusion, viewpoint)


@cache
def fill_template(
    template: str, domain: str, category_name: str, occlusion: int, viewpoint: int
) -> str:
    """Return a template with the words for a crop in it. Raises KeyError as `prompt` does."""
    return template.format(
        category_name=category_name,
        domain=domain,
        occ=_OCCLUSION[occlusion],
        view=_VIEW[viewpoint],
    )

"""The texts of a crop: the contract's prompt, and further texts under other keys of the JSONL."""

from functools import cache
from hashlib import blake2b, sha256
from string import Formatter
from typing import Final, NamedTuple

import msgspec

from df2_assets.dataset.taxonomy import VIEWPOINTS

_OCCLUSION: Final = {1: "", 2: "partially occluded ", 3: "heavily occluded "}
_VIEW: Final = {1: "that is not being worn", 2: "from the front", 3: "from the side or back"}

_COLOUR: Final = "colour"
PLACEHOLDERS: Final = ("category_name", _COLOUR, "domain", "occ", "view")
"""The placeholders of a template. Unless they are empty, `colour` and `occ` end with a space."""

_HEAVILY_OCCLUDED: Final = 3


SKU_KEY: Final = "text_sku"
"""The key of the texts that name a SKU."""


class Subject(NamedTuple):
    """A crop, as far as its texts depend on it. `crop_path` is relative to SKU_ROOT.

    `colour` is its word in the table of colours: None where it is unknown, or no text needs it.
    """

    crop_path: str
    sku_id: str
    style: int
    domain: str
    category_name: str
    occlusion: int
    viewpoint: int
    colour: str | None = None

    @property
    def prompt(self) -> str:
        """The contract's prompt for the crop."""
        return prompt(self.domain, self.category_name, self.occlusion, self.viewpoint)


class PromptTemplate(msgspec.Struct, frozen=True):
    """The rule of the prompts under one key of the JSONL.

    `choices` has one or more texts with placeholders per domain and viewpoint. `seed`, `key` and
    the path of a crop decide which of them the crop gets.
    """

    key: str
    seed: int
    choices: dict[str, dict[int, tuple[str, ...]]]

    def prompt(self, crop: Subject) -> str:
        """Return the prompt of a crop."""
        choices = self.choices[crop.domain][crop.viewpoint]
        template = choices[_draw(self.seed, self.key, crop) % len(choices)]
        return fill_template(
            template,
            crop.domain,
            crop.category_name,
            crop.occlusion,
            crop.viewpoint,
            crop.colour,
        )

    @property
    def uses_colour(self) -> bool:
        """Whether a template has the placeholder `{colour}`."""
        return any(
            field == _COLOUR
            for by_viewpoint in self.choices.values()
            for choices in by_viewpoint.values()
            for choice in choices
            for _, field, _, _ in Formatter().parse(choice)
        )


class SkuToken(msgspec.Struct, frozen=True):
    """The texts under `text_sku`: the contract's prompt and, on train rows, style and SKU.

    `dropout` is the probability, from 0 to 1, that a train row has only the prompt. The path of the
    crop decides. This is the training text of the original recipe.
    """

    dropout: float

    @property
    def key(self) -> str:
        return SKU_KEY

    def prompt(self, crop: Subject) -> str:
        """Return the text of a crop. Only rows of train name their SKU."""
        is_train = crop.crop_path.startswith("train/")
        if is_train and _draw(0, self.key, crop) >= self.dropout * 2**64:
            return f"{crop.prompt} (style {crop.style}, SKU {crop.sku_id})"
        return crop.prompt


class Captions(msgspec.Struct, frozen=True):
    """The texts from a file of captions: their keys, and the SHA-256 of the file.

    `dataset.captions` says what such a file has.
    """

    keys: tuple[str, ...]
    digest: str


class Texts(msgspec.Struct, frozen=True):
    """What decides the texts of a line in addition to the contract's `text`."""

    templates: tuple[PromptTemplate, ...] = ()
    sku_token: SkuToken | None = None
    captions: Captions | None = None

    @property
    def rules(self) -> tuple[PromptTemplate | SkuToken, ...]:
        """Those that derive a text from the crop alone."""
        return (*self.templates, self.sku_token) if self.sku_token else self.templates

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the texts, in the order of a line."""
        return (*(rule.key for rule in self.rules), *(self.captions.keys if self.captions else ()))

    @property
    def use_colour(self) -> bool:
        """Whether a text names the colour of its crop."""
        return any(template.uses_colour for template in self.templates)

    @property
    def version(self) -> str:
        """A digest of everything that decides these texts."""
        return sha256(msgspec.json.encode(self)).hexdigest()


NO_TEXTS: Final = Texts()


def _draw(seed: int, key: str, crop: Subject) -> int:
    """Return a number from 0 to 2**64 - 1: always the same for the same crop."""
    digest = blake2b(f"{seed}/{key}/{crop.crop_path}".encode(), digest_size=8).digest()
    return int.from_bytes(digest)


CONTRACT: Final = PromptTemplate(
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


def prompt(domain: str, category_name: str, occlusion: int, viewpoint: int) -> str:
    """Return the contract's prompt for a crop.

    Raises KeyError for a domain, occlusion or viewpoint outside the taxonomy. Such items are
    refused when annotations are read, so the error means a bug.
    """
    (template,) = CONTRACT.choices[domain][viewpoint]
    return fill_template(template, domain, category_name, occlusion, viewpoint)


@cache
def fill_template(
    template: str,
    domain: str,
    category_name: str,
    occlusion: int,
    viewpoint: int,
    colour: str | None = None,
) -> str:
    """Return a template filled with the words for a crop. Raises KeyError as `prompt` does.

    A heavily occluded garment gets no colour, because little of it is seen.
    """
    is_shown = colour is not None and occlusion != _HEAVILY_OCCLUDED
    return template.format(
        category_name=category_name,
        colour=f"{colour} " if is_shown else "",
        domain=domain,
        occ=_OCCLUSION[occlusion],
        view=_VIEW[viewpoint],
    )

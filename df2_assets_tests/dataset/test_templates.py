"""What a file of prompt templates may contain, and the messages about mistakes."""

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from df2_assets.dataset.prompts import CONTRACT, PromptTemplate, Subject
from df2_assets.dataset.templates import parse_templates
from df2_assets.errors import TemplatesError
from df2_assets.settings import read_templates

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "prompts.yaml"
CASES = list(product(("catalog", "query"), (1, 2, 3)))


def subject(path: str, domain: str, category: str, occlusion: int, viewpoint: int) -> Subject:
    return Subject(path, "000001_01_02", 1, domain, category, occlusion, viewpoint)


def parse_one(said: str) -> PromptTemplate:
    (template,) = parse_templates(f"prompts:\n  k: {said}\n", "FILE")
    return template


def test_the_example_has_the_prompts_that_it_describes() -> None:
    templates = {template.key: template for template in read_templates(EXAMPLE)}
    assert list(templates) == ["text_short", "text_search", "text_varied", "text_colour"]
    crop = subject("train/query/a.jpg", "query", "vest", 3, 2)
    assert templates["text_short"].prompt(crop) == "heavily occluded vest"
    assert templates["text_search"].prompt(crop) == "customer wearing a vest, front view"
    assert templates["text_varied"].prompt(crop) in {
        "A photo of a heavily occluded vest from the front.",
        "This heavily occluded vest is shown in a query image.",
        "The vest from the front.",
    }
    painted = crop._replace(occlusion=1, colour="red")
    assert templates["text_colour"].prompt(painted) == (
        "A user photo of a person wearing a red vest from the front."
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("all", ["all"] * 6),
        ("[a, b]", ["a b"] * 6),
        ("{catalog: shop, query: user}", ["shop"] * 3 + ["user"] * 3),
        ("{1: flat, 2: front, 3: back}", ["flat", "front", "back"] * 2),
        (
            "{catalog: shop, query: {1: flat, 2: [front, ahead], 3: back}}",
            ["shop", "shop", "shop", "flat", "front ahead", "back"],
        ),
    ],
)
def test_templates_are_for_all_crops_or_by_domain_or_by_viewpoint(
    said: str, expected: list[str]
) -> None:
    choices = parse_one(said).choices
    assert [" ".join(choices[domain][viewpoint]) for domain, viewpoint in CASES] == expected


def test_placeholders_are_the_words_of_the_contract() -> None:
    template = parse_one('"{{{domain}}} {occ}{category_name} {view}"')
    said = [
        template.prompt(subject("a.jpg", "catalog", "skirt", occ, view))
        for occ, view in ((1, 1), (2, 3))
    ]
    assert said == [
        "{catalog} skirt that is not being worn",
        "{catalog} partially occluded skirt from the side or back",
    ]


def test_path_key_and_seed_decide_which_template_a_crop_gets() -> None:
    """The expected values are fixed: they must never change, on any machine."""

    def chosen(seed: int, key: str, count: int = 300) -> list[str]:
        (template,) = parse_templates(f"seed: {seed}\nprompts: {{{key}: [a, b, c]}}", "FILE")
        paths = (f"train/query/000001_01_01/{n:06d}_item1.jpg" for n in range(count))
        return [template.prompt(subject(path, "query", "vest", 1, 2)) for path in paths]

    assert "".join(chosen(0, "k", 20)) == "bbbccccaccabbbbabcbc"
    assert chosen(0, "k") == chosen(0, "k")
    assert min(Counter(chosen(0, "k")).values()) > 70
    assert chosen(0, "k") != chosen(1, "k")
    assert chosen(0, "k") != chosen(0, "k2")


PROMPTS = "FILE: prompts"
K = f"{PROMPTS}.k"
ALL = "{category_name}, {colour}, {domain}, {occ}, {view}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]", "FILE: the keys are `prompts` and, optionally, `seed`; remove all others."),
        ("prompts: {k: a}\nprompt: {}", "FILE: the keys are `prompts`"),
        ("seed: 1", "FILE: the keys are `prompts`"),
        ("seed: x\nprompts: {k: a}", "FILE: seed is x: give a whole number."),
        ("seed: true\nprompts: {k: a}", "FILE: seed is True: give a whole number."),
        ("prompts: {}", f"{PROMPTS} is {{}}: give templates by key."),
        ("prompts: a", f"{PROMPTS} is a: give templates by key."),
        ("prompts:\n\tk: a", "FILE, line 2: this is not YAML: "),
        ("prompts: {k: !!python/object:os.system a}", "FILE, line 1: this is not YAML: "),
        ("prompts: {k: \0}", "FILE: this is not YAML: "),
        ("[" * 1000, "FILE: this is not YAML: "),
        ("prompts: {k: 2001-99-99}", "FILE: this is not YAML: "),
        ("prompts:\n  k: a\n  k: b", "FILE, line 3: k appears twice: give each key once."),
        (
            "prompts:\n  k: {catalog: a, query: b,\n      query: c}",
            "FILE, line 3: query appears twice",
        ),
        ("prompts: {Text: a}", "FILE: prompts.Text: Text cannot be the name of a field: use a-z"),
        ("prompts: {1: a}", "FILE: prompts.1: 1 cannot be the name of a field"),
        ("prompts: {text: a}", f"{PROMPTS}.text: text is a field of the contract"),
        ("prompts: {k: {catalog: a}}", f"{K}: query is missing: give all of catalog, query"),
        ("prompts: {k: {shop: a, query: b}}", f"{K}: unknown case shop: give catalog, query"),
        (
            "prompts: {k: {catalog: a, query: {1: b, 2: c}}}",
            f"{K}.query: 3 is missing: give all of 1, 2, 3.",
        ),
        ("prompts: {k: {}}", f"{K}: 1 is missing"),
        (
            "prompts: {k: {catalog: a, query: {1: b, 2: c, 3: d, 4: e}}}",
            f"{K}.query: unknown case 4: give 1, 2, 3.",
        ),
        (
            "prompts: {k: {catalog: a, query: {yes: b, 2: c, 3: d}}}",
            f"{K}.query: unknown case True: give 1, 2, 3.",
        ),
        ("prompts: {k: {catalog: {1: {}, 2: a, 3: a}, query: b}}", f"{K}.catalog.1 is {{}}, no"),
        ("prompts: {k: 3}", f"{K} is 3, not text: give a template, a list of"),
        ("prompts: {k: }", f"{K} is None, not text"),
        ("prompts: {k: []}", f"{K}: the list is empty"),
        ("prompts: {k: [a, [b]]}", f"{K}[1] is ['b'], not text"),
        ("prompts: {k: &a [*a]}", f"{K}[0] is [[...]], not text"),
        ("prompts: {k: '{occ}'}", f"{K}: {{occ}} is empty for some crops"),
        ('prompts: {k: "a\\tb"}', f"{K}: a\\tb has a line break, a tab or another"),
        ('prompts: {k: "a\\e[31m"}', f"{K}: a\\x1b[31m has a line break"),
        ('prompts: {k: "a\\Nb"}', f"{K}: a\\x85b has a line break"),
        ('prompts: {k: "a\\Lb"}', f"{K}: a\\u2028b has a line break"),
        ('prompts: {k: "a\\Pb"}', f"{K}: a\\u2029b has a line break"),
        ('prompts: {k: "a\\ud800b"}', f"{K}: a\\ud800b has a line break"),
        ('prompts: {k: "\u5199\u771f {\u8272}"}', f"{K}: unknown placeholder {{\u8272}}: the"),
        (
            "prompts: {k: 'a {style}'}",
            f"{K}: unknown placeholder {{style}}: the placeholders are {ALL}.",
        ),
        ("prompts: {k: 'a {}'}", f"{K}: unknown placeholder {{}}"),
        ("prompts: {k: 'a {occ.__class__}'}", f"{K}: unknown placeholder {{occ.__class__}}"),
        ("prompts: {k: 'a {occ!r}'}", f"{K}: {{occ}} takes no format"),
        ("prompts: {k: 'a {view:>999999999}'}", f"{K}: {{view}} takes no format"),
        ("prompts: {k: 'a {occ'}", f"{K}: a {{occ: expected '}}' before end of string."),
    ],
)
def test_a_bad_file_is_refused_with_place_problem_and_remedy(text: str, message: str) -> None:
    with pytest.raises(TemplatesError) as caught:
        parse_templates(text, "FILE")
    assert str(caught.value).startswith(message)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "\u0639\u06a9\u0633 \u0646\u06cc\u0645\u200c\u062a\u0646\u0647",  # Persian, ZWNJ
        "\u0d28\u0d4d\u200d",  # Malayalam, ZWJ
        "Photo\u202f: une \xab\xa0robe\xa0\xbb",  # French, spaces that do not break
        "\u5199\u771f\u3000\u670d",  # Japanese, ideographic space
        "Kleider\xadschrank",  # soft hyphen
        "\u05ea\u05de\u05d5\u05e0\u05d4 \u2068vest\u2069\u200f",  # Hebrew, isolates and a mark
        "\U0001f469\u200d\U0001f9b0\ufe0f",  # emoji
    ],
)
def test_a_template_may_be_in_any_script(text: str) -> None:
    (template,) = parse_templates(f"prompts: {{k: '{text}'}}", "FILE")
    assert template.prompt(subject("path", "query", "vest", 1, 2)) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"mine\.yaml cannot be read \(No such file or dir"),
        (b"\xff", r"mine\.yaml cannot be read \(it is not UTF-8\)"),
        (b"prompts: {text: a}", r"mine\.yaml: prompts\.text: text is a field"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(TemplatesError, match=message):
        read_templates(tmp_path / "mine.yaml")


def test_the_contract_has_one_template_per_case() -> None:
    assert [len(CONTRACT.choices[domain][viewpoint]) for domain, viewpoint in CASES] == [1] * 6

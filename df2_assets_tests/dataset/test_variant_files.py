"""Declarations of crop variants: what they mean, and how bad ones are refused."""

from pathlib import Path

import pytest

from df2_assets.dataset.variant_files import parse_variants
from df2_assets.dataset.variants import FORMATS, RESAMPLING, SQUARES, CropVariant
from df2_assets.errors import VariantsError
from df2_assets.settings import read_variants
from df2_assets_tests.support.processes import PROJECT


def test_the_example_declares_what_its_comments_say() -> None:
    assert read_variants(PROJECT / "examples" / "variants.yaml") == (
        CropVariant("letterbox_224", square="pad", size=224),
        CropVariant("square_512", square="widen", fill="edge", size=512),
        CropVariant("white_background", cut_out="#ffffff"),
        CropVariant("transparent", margin=0.05, cut_out="alpha", format="png"),
        CropVariant("margin_2", margin=0.02),
    )


def test_the_page_has_an_example_and_every_option_with_its_values() -> None:
    page = (PROJECT / "docs" / "variants.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert [variant.name for variant in parse_variants(example, "PAGE")] == (
        ["letterbox_224", "transparent"]
    )
    section = page.partition("\n## Options\n")[2]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| [`")]
    options = {cells[1].split("`")[1]: cells[2] for cells in rows}
    assert [*options] == [name for name in CropVariant.__struct_fields__ if name != "name"]
    for option, words in (("square", SQUARES), ("resample", RESAMPLING), ("format", FORMATS)):
        values, _, _ = options[option].partition(";")
        assert values.strip().replace("`", "").split(", ") == [*words]


def test_json_declares_the_same_as_yaml() -> None:
    yaml = "variants:\n  a-1:\n    size: 96\n    resample: lanczos\n    quality: 80\n"
    json = '{"variants": {"a-1": {"size": 96, "resample": "lanczos", "quality": 80}}}'
    expected = (CropVariant("a-1", size=96, resample="lanczos", quality=80),)
    assert parse_variants(yaml, "FILE") == parse_variants(json, "FILE") == expected


def test_a_variant_without_options_is_the_crop_of_the_contract() -> None:
    assert parse_variants("variants: {plain: }", "FILE") == (CropVariant("plain"),)


def test_none_declares_no_variants() -> None:
    assert read_variants("none") == ()


@pytest.mark.parametrize(
    ("colour", "value"),
    [("black", "#000000"), ("'#FFF'", "#ffffff"), ("'rgb(1, 2, 3)'", "#010203"), ("edge", "edge")],
)
def test_colours_are_those_of_pillow(colour: str, value: str) -> None:
    (variant,) = parse_variants(f"variants: {{a: {{square: pad, fill: {colour}}}}}", "FILE")
    assert variant.fill == value


COLOUR = "or a colour, such as white or '#f0f0f0' (with quotes)."
BAD = [
    ("a: {sise: 224}", "a: unknown option sise: the options are margin, square, fill, size, "),
    ("a: {size: 0}", "a.size is 0: give a whole number from 1 to 4096, such as 224."),
    ("a: {size: 5000}", "a.size is 5000: give a whole number from 1 to 4096"),
    ("a: {size: 1.5}", "a.size is 1.5: give a whole number"),
    ("a: {size: yes}", "a.size is True: give a whole number"),
    ("a: {margin: 1.01}", "a.margin is 1.01: give a share of the box from 0 to 1, such as 0.02."),
    ("a: {margin: -0.1}", "a.margin is -0.1: give a share"),
    ("a: {margin: .nan}", "a.margin is nan: give a share"),
    ("a: {margin: 2%}", "a.margin is 2%: give a share"),
    ("a: {margin: [1]}", "a.margin is [1]: give a share"),
    ("a: {square: yes}", "a.square is True: choose from pad, widen."),
    ("a: {square: [pad]}", "a.square is ['pad']: choose from pad, widen."),
    ("a: {resample: area, size: 9}", "a.resample is area: choose from nearest, box, bilinear,"),
    ("a: {format: gif}", "a.format is gif: choose from jpeg, png, webp."),
    ("a: {quality: 101}", "a.quality is 101: give a whole number from 1 to 100, such as 95."),
    ("a: {square: pad, fill: snowy}", f"a.fill is snowy: give edge, {COLOUR}"),
    ("a: {square: pad, fill: '#00000080'}", f"a.fill is #00000080: give edge, {COLOUR}"),
    ("a: {square: pad, fill: }", f"a.fill is None: give edge, {COLOUR}"),
    ("a: {cut_out: edge}", f"a.cut_out is edge: give alpha, {COLOUR}"),
    ("a: {cut_out: alpha}", "a: JPEG has no alpha: give format: png or webp, or another cut_out"),
    ("a: {format: png, quality: 9}", "a.quality: PNG has no quality, it loses nothing: leave"),
    ("a: {fill: white}", "a.fill is for squares: give square as well, or leave it out."),
    (
        "a: {square: pad, fill: white, cut_out: white}",
        "a.fill: a cut-out is filled with the background of cut_out: leave fill out.",
    ),
    ("a: {resample: box}", "a.resample is for a size: give size as well, or leave it out."),
    ("a: 224", "a is 224: give options, such as size: 224."),
    ("Square: {}", "Square: this cannot be the name of a folder everywhere: use up to 64 of a-z"),
    ("a/b: {}", "a/b: this cannot be the name of a folder everywhere"),
    ("..: {}", "..: this cannot be the name of a folder everywhere"),
    ("_a: {}", "_a: this cannot be the name of a folder everywhere"),
    (f"{65 * 'a'}: {{}}", f"{65 * 'a'}: this cannot be the name of a folder everywhere"),
    ("224: {}", "224: the name is not text: put it in quotes."),
    ("lpt1: {}", "lpt1: file servers refuse this name: give another one, such as lpt1_2."),
]


@pytest.mark.parametrize(("variant", "message"), BAD)
def test_a_bad_variant_is_refused_in_one_line_with_its_place(variant: str, message: str) -> None:
    with pytest.raises(VariantsError) as caught:
        parse_variants(f"variants:\n  good: {{size: 224}}\n  {variant}\n", "FILE")
    assert str(caught.value).startswith(f"FILE: variants.{message}")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "FILE: the only key is `variants`: put every variant below it."),
        ("seed: 1\nvariants: {a: }", "FILE: the only key is `variants`"),
        ("variants: {}", "FILE: variants is {}: give options by name."),
        ("variants: [a]", "FILE: variants is ['a']: give options by name."),
        ("variants:\n  a: {size: 1}\n  a: {size: 2}", "FILE, line 3: a appears twice: give each"),
        ("variants:\n  a: {size: 1, size: 2}", "FILE, line 2: size appears twice: give each"),
        ("variants: {", "FILE, line 1: this is not YAML: "),
    ],
)
def test_a_bad_file_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(VariantsError) as caught:
        parse_variants(text, "FILE")
    assert str(caught.value).startswith(message)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VariantsError, match=r"mine\.yaml cannot be read \(No such file or dir"):
        read_variants(tmp_path / "mine.yaml")
    (tmp_path / "mine.yaml").write_bytes(b"\xff")
    with pytest.raises(VariantsError, match=r"cannot be read \(it is not UTF-8\): set DF2_VAR"):
        read_variants(tmp_path / "mine.yaml")

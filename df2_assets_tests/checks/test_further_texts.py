"""The checks of texts that name a SKU and of captions, after somebody has edited the files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from df2_assets.checks.finding import Finding
from df2_assets.dataset.prompts import SkuToken, Texts
from df2_assets.dataset.templates import parse_templates
from df2_assets.pipeline.publishing import publish_image_text
from df2_assets.settings import read_captions
from df2_assets.store import declaration, state, tables
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import fails, find, named, passes
from df2_assets_tests.support.builder import DataSet

CROPS = 52
Edit = Callable[[dict[str, Any]], object]


def read_lines(roots: Roots, split: str = "train") -> list[dict[str, Any]]:
    return [json.loads(line) for line in roots.image_text(split).read_text().splitlines()]


def write_lines(roots: Roots, lines: list[dict[str, Any]], split: str = "train") -> None:
    encoded = (json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    roots.image_text(split).write_text("".join(encoded))


def edit_line(roots: Roots, edit: Edit, split: str = "train") -> str:
    """Edit the seventh line, and return the path of its crop."""
    lines = read_lines(roots, split)
    edit(lines[6])
    write_lines(roots, lines, split)
    return str(lines[6]["image_path"])


@pytest.fixture
def token(disk: Roots) -> Roots:
    """The split with a token on every row."""
    publish_image_text(disk, "train", Texts(sku_token=SkuToken(0.0)))
    return disk


def test_tokens_of_train_pass_and_are_counted(token: Roots) -> None:
    finding = find("sku_tokens", token)
    assert passes(finding)
    assert finding.numbers == {"tokens": CROPS, "wrong_tokens": 0}
    assert finding.summary == "52 texts in 52 lines name a SKU; each names its own."
    assert passes(find("prompt_coverage", token))
    assert passes(find("matches_metadata", token))


OTHER = "000002_01_05"


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (
            lambda line: line.update(text_sku=line["text_sku"].replace(line["sku_id"], OTHER)),
            "text_sku names another SKU",
        ),
        (
            lambda line: line.update(text_sku=line["text_sku"].replace("style 1", "style 2")),
            "text_sku names another style",
        ),
        (lambda line: line.update(text_sku=f"Like {OTHER}"), "text_sku names another SKU"),
        (
            lambda line: line.update(text_sku=f"{line['text_sku']}, {OTHER}"),
            "text_sku names another SKU",
        ),
        (
            lambda line: line.update(text=f"{line['text']} (style 1, SKU ?)"),
            "text names another SKU",
        ),
        (lambda line: line.update(sku_id=OTHER), "text_sku names another SKU"),
    ],
)
def test_a_token_of_another_sku_or_style_is_an_error_and_named(
    token: Roots, edit: Edit, what: str
) -> None:
    path = edit_line(token, edit)
    finding = find("sku_tokens", token)
    assert fails(finding, "error")
    assert named(finding.offenders, "crop_path", "what") == [(path, what)]
    assert "1 must not" in finding.summary


def test_a_token_that_the_rule_does_not_give_is_a_wrong_prompt(token: Roots) -> None:
    path = edit_line(token, lambda line: line.update(text_sku=line["text"]))
    finding = find("prompt_coverage", token)
    assert fails(finding, "error")
    what = "text_sku is not what its template gives"
    assert named(finding.offenders, "crop_path", "what") == [(path, what)]


@pytest.fixture
def validation(roots: Roots) -> Roots:
    """A split for evaluation with the SKU token on and a template that every crop gets."""
    clean.write(DataSet(roots.df2_root), "validation", looks=2)
    clean.build(roots, "validation")
    templates = parse_templates("prompts: {text_short: '{category_name}'}", "FILE")
    publish_image_text(roots, "validation", Texts(templates, SkuToken(0.0)))
    return roots


def test_a_split_for_evaluation_has_no_token(validation: Roots) -> None:
    finding = find("sku_tokens", validation, "validation")
    assert passes(finding)
    assert finding.numbers["tokens"] == 0
    lines = read_lines(validation, "validation")
    assert all(line["text_sku"] == line["text"] for line in lines)


@pytest.mark.parametrize("key", ["text", "text_short", "text_sku"])
@pytest.mark.parametrize(
    "form", ["{text} (style {style}, SKU {sku_id})", "{sku_id}", "a {sku_id}b"]
)
def test_a_sku_in_any_text_of_an_evaluation_is_an_error_and_named(
    validation: Roots, key: str, form: str
) -> None:
    path = edit_line(validation, lambda line: line.update({key: form.format(**line)}), "validation")
    finding = find("sku_tokens", validation, "validation")
    assert fails(finding, "error")
    assert named(finding.offenders, "crop_path", "key", "what") == [
        (path, key, f"{key} names a SKU outside train")
    ]


def test_a_template_with_the_id_of_a_sku_is_an_error_in_an_evaluation(validation: Roots) -> None:
    templates = parse_templates(f"prompts: {{text_short: 'like {OTHER}'}}", "FILE")
    publish_image_text(validation, "validation", Texts(templates))
    finding = find("sku_tokens", validation, "validation")
    assert fails(finding, "error")
    assert len(finding.offenders) == CROPS


def test_a_split_with_only_the_contract_s_prompts_is_searched_too(disk: Roots) -> None:
    path = edit_line(
        disk, lambda line: line.update(text=f"{line['text']} {line['sku_id']}b {OTHER}")
    )
    finding = find("sku_tokens", disk)
    assert fails(finding, "error")
    assert named(finding.offenders, "crop_path") == [(path,)]


def write_captions(roots: Roots, change: Callable[[list[dict[str, str]]], object]) -> Path:
    """Write captions of all crops of train, after a change."""
    manifest = tables.read(roots, "crops", "train").select(["crop_path", "sha256"]).to_pylist()
    lines = [{**crop, "caption": f"Number {n}"} for n, crop in enumerate(manifest)]
    change(lines)
    file = roots.sku_root.with_name("captions.jsonl")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def publish(roots: Roots, change: Callable[[list[dict[str, str]]], object]) -> Finding:
    """Publish with captions, and return the finding."""
    file = write_captions(roots, change)
    captions = read_captions(file)[0]
    declaration.save(roots, captions_file=str(file), captions=captions)
    publish_image_text(roots, "train", Texts(captions=captions), str(file))
    return find("caption_coverage", roots)


def keep(_: object) -> None:
    """Change nothing."""


def test_captions_of_all_crops_pass(disk: Roots) -> None:
    finding = publish(disk, keep)
    assert passes(finding)
    assert finding.summary == "52 of 52 crops have a current caption (100.0 %)."
    assert finding.numbers["captioned"] == CROPS
    lines = read_lines(disk)
    assert {line["caption"] for line in lines} == {f"Number {n}" for n in range(CROPS)}
    for check in ("matches_metadata", "prompt_coverage", "sku_tokens"):
        assert passes(find(check, disk)), check


def test_crops_without_a_caption_are_a_warning_named_and_have_the_prompt(disk: Roots) -> None:
    finding = publish(disk, lambda lines: lines.pop(3))
    assert fails(finding, "warn")
    assert finding.summary == "51 of 52 crops have a current caption (98.1 %)."
    (offender,) = named(finding.offenders, "crop_path", "what")
    assert offender[1] == "no caption"
    (line,) = (line for line in read_lines(disk) if line["image_path"] == offender[0])
    assert line["caption"] == line["text"]


def test_a_stale_caption_is_refused_by_name(disk: Roots) -> None:
    stale: list[str] = []

    def edit(lines: list[dict[str, str]]) -> None:
        lines[5]["sha256"] = "0" * 64
        stale.append(lines[5]["crop_path"])

    finding = publish(disk, edit)
    assert fails(finding, "warn")
    assert "1 caption refused, written for other bytes of the crop" in finding.summary
    assert named(finding.offenders, "crop_path", "what") == [
        (stale[0], "the caption is of other bytes")
    ]
    (line,) = (line for line in read_lines(disk) if line["image_path"] == stale[0])
    assert line["caption"] == line["text"]


def test_a_caption_without_a_crop_is_named(disk: Roots) -> None:
    path = "train/query/000009_01_05/000099_item1.jpg"
    finding = publish(disk, lambda lines: lines.append(lines[0] | {"crop_path": path}))
    assert fails(finding, "warn")
    assert named(finding.offenders, "crop_path", "what") == [(path, "a caption without a crop")]


def test_captions_of_other_splits_do_not_count(disk: Roots) -> None:
    path = "test/query/000009_01_05/000099_item1.jpg"
    assert passes(publish(disk, lambda lines: lines.append(lines[0] | {"crop_path": path})))


def test_an_edited_caption_is_an_error_and_named(disk: Roots) -> None:
    publish(disk, keep)
    path = edit_line(disk, lambda line: line.update(caption="Edited"))
    finding = find("caption_coverage", disk)
    assert fails(finding, "error")
    assert named(finding.offenders, "crop_path", "what") == [
        (path, "caption is not what the file of captions has")
    ]
    assert "1 wrong text. Rerun image_text for train." in finding.summary


def test_a_caption_that_names_its_sku_is_an_error_only_outside_train(disk: Roots) -> None:
    def name_sku(lines: list[dict[str, str]]) -> None:
        lines[0]["caption"] = f"Garment {lines[0]['crop_path'].split('/')[2]}"

    publish(disk, name_sku)
    finding = find("sku_tokens", disk)
    assert passes(finding)
    assert finding.numbers["tokens"] == 1
    shutil.copy(disk.image_text("train"), disk.image_text("test"))
    state.save(disk, "test", state.load(disk, "train"))
    assert fails(find("sku_tokens", disk, "test"), "error")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda roots, file: file.unlink(), "captions.jsonl cannot be read (No such file"),
        (lambda roots, file: file.write_text("{"), "captions.jsonl, line 1: this is not JSON"),
        (
            lambda roots, file: write_captions(roots, lambda lines: lines.pop()),
            "captions.jsonl is not the file that image_text was built with.",
        ),
        (
            lambda roots, file: roots.declaration.unlink(),
            "No record says which file they are from.",
        ),
        (
            lambda roots, file: roots.image_text("train").write_text("{}\n"),
            "train_image_text.jsonl cannot be read (Object missing required field",
        ),
        (
            lambda roots, file: roots.image_text("train").unlink(),
            "train_image_text.jsonl cannot be read (No such file or directory): materialize",
        ),
    ],
)
def test_captions_that_cannot_be_compared_are_a_warning(
    disk: Roots, damage: Callable[[Roots, Path], object], says: str
) -> None:
    publish(disk, keep)
    damage(disk, disk.sku_root.with_name("captions.jsonl"))
    finding = find("caption_coverage", disk)
    assert fails(finding, "warn")
    assert finding.summary.startswith("The captions were not compared: ")
    assert says in finding.summary

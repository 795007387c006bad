"""Prompts that name the colour of a crop: `{colour}` in a template."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from df2_assets.checks.image_text import count_prompts, prompt_coverage
from df2_assets.dataset.prompts import Subject, Texts
from df2_assets.dataset.templates import parse_templates
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import MissingTableError, ProvenanceError, TemplatesError
from df2_assets.pipeline.publishing import publish_image_text
from df2_assets.pipeline.quality import update_colours
from df2_assets.store import state, tables
from df2_assets.store.layout import Roots
from df2_assets.verification.verify import verify
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.conftest import small
from df2_assets_tests.support.engines import build_with
from df2_assets_tests.support.site import CROPS as CROPS_OF_SITE
from df2_assets_tests.support.site import Site

__all__ = ["small"]

SPLIT = "train"
CROPS = 52
OF_AN_IMAGE = 13
CROP = "train/query/000001_01_08/000003_item8.jpg"
TEMPLATE = "{colour}{category_name}"


def texts(*templates: str) -> Texts:
    listed = "".join(f"  text_{n}: '{template}'\n" for n, template in enumerate(templates))
    return Texts(parse_templates(f"prompts:\n{listed}", "prompts.yaml"))


COLOURED = texts(TEMPLATE)


@pytest.fixture
def disk(small: tuple[Roots, clean.Built], tmp_path: Path) -> Roots:
    """A built split, which tests may change. Its items have no shapes."""
    roots = clean.copied(small[0], tmp_path)
    clean.build(roots)
    return roots


def publish(roots: Roots) -> int:
    """Measure and publish as the asset does; return how many crops were opened."""
    opened = update_colours(roots, SPLIT, SerialEngine(), silent)
    publish_image_text(roots, SPLIT, COLOURED)
    return opened


def colours(roots: Roots) -> dict[str, str | None]:
    table = tables.read_colours(roots, SPLIT)
    return dict(zip(table["crop_path"].to_pylist(), table["colour"].to_pylist(), strict=True))


def lines(roots: Roots) -> list[dict[str, Any]]:
    data = roots.image_text(SPLIT).read_bytes().splitlines()
    return [msgspec.json.decode(line) for line in data]


def paint(roots: Roots, image_id: int, colour: str) -> None:
    """Replace an image by one of a single colour, and build up to the metadata."""
    path = roots.images(SPLIT) / f"{image_id:06d}.jpg"
    Image.new("RGB", clean.SIZE, colour).save(Path(path), quality=95)
    clean.build(roots)


def paint_halves(roots: Roots, left: str, right: str) -> Path:
    """Replace image 3 by one whose item 8 is `left`, but for its right quarter; build.

    Returns the image's annotation.
    """
    annotation = roots.annotations(SPLIT) / "000003.json"
    x1, y1, x2, y2 = json.loads(annotation.read_text())["item8"]["bounding_box"]
    image = Image.new("RGB", clean.SIZE, left)
    image.paste(right, ((x1 + 3 * x2) // 4, y1, x2, y2))
    image.save(Path(roots.images(SPLIT) / "000003.jpg"), quality=95)
    clean.build(roots)
    return Path(annotation)


@pytest.mark.parametrize(
    ("colour", "occlusion", "prompt"),
    [("red", 1, "A red vest"), ("red", 2, "A red vest"), (None, 1, "A vest"), ("red", 3, "A vest")],
)
def test_an_unknown_colour_takes_its_space_with_it(
    colour: str | None, occlusion: int, prompt: str
) -> None:
    """That of a heavily occluded garment is unknown: most pixels show something else."""
    (template,) = texts("A {colour}{category_name}").templates
    crop = Subject("train/a.jpg", "000001_01_05", 1, "query", "vest", occlusion, 2, colour)
    assert template.prompt(crop) == prompt


def test_only_templates_with_the_placeholder_need_colours() -> None:
    assert COLOURED.use_colour
    assert not texts("{{colour}} {category_name}").use_colour
    assert not Texts().use_colour


def test_a_template_of_nothing_but_the_colour_is_refused() -> None:
    with pytest.raises(TemplatesError, match="empty for some crops"):
        texts("{colour}")


def test_each_line_names_the_colour_of_its_crop(disk: Roots) -> None:
    paint(disk, 3, "#0343df")
    assert publish(disk) == CROPS
    words = colours(disk)
    painted = [line for line in lines(disk) if line["image_id"] == "000003"]
    assert len(painted) == OF_AN_IMAGE
    assert {words[line["image_path"]] for line in painted} == {"blue"}
    assert {line["text_0"] for line in painted if line["occlusion"] != 3} == {
        f"blue {line['category_name']}" for line in painted
    }


def test_only_crops_with_new_bytes_are_opened_and_their_lines_follow(disk: Roots) -> None:
    paint(disk, 3, "#0343df")
    assert publish(disk) == CROPS
    before = lines(disk)
    assert publish(disk) == 0
    assert lines(disk) == before
    paint(disk, 3, "#15b01a")
    assert publish(disk) == OF_AN_IMAGE
    changed = [now for now, then in zip(lines(disk), before, strict=True) if now != then]
    assert len(changed) == OF_AN_IMAGE
    assert all(line["text_0"].startswith("green ") for line in changed)


def test_the_pixels_of_the_mask_decide_and_a_new_mask_is_a_new_colour(disk: Roots) -> None:
    """The garment is the right quarter of its box, and the middle shows something else."""
    path = paint_halves(disk, "red", "#0343df")
    publish(disk)
    before = colours(disk)

    annotation = json.loads(path.read_text())
    x1, y1, x2, y2 = annotation["item8"]["bounding_box"]
    quarter = (x1 + 3 * x2) / 4
    annotation["item8"]["segmentation"] = [[quarter, y1, x2, y1, x2, y2, quarter, y2]]
    path.write_text(json.dumps(annotation))
    clean.build(disk)
    assert publish(disk) == 1
    assert colours(disk) == before | {CROP: "blue"}
    assert publish(disk) == 0


def test_a_build_without_colours_makes_no_table(disk: Roots) -> None:
    publish_image_text(disk, SPLIT, texts("{category_name}"))
    assert not disk.table("colours", SPLIT).exists()
    assert state.consistency_problems(disk, SPLIT, ["crops"]) == []


def test_prompts_with_colours_are_not_published_before_they_are_measured(disk: Roots) -> None:
    with pytest.raises(MissingTableError, match="rerun image_text"):
        publish_image_text(disk, SPLIT, COLOURED)
    publish(disk)
    paint(disk, 3, "#15b01a")
    with pytest.raises(MissingTableError, match="rerun image_text"):
        publish_image_text(disk, SPLIT, COLOURED)


def test_a_crop_that_vanished_is_named_with_the_remedy(disk: Roots) -> None:
    disk.crop(CROP).unlink()
    with pytest.raises(ProvenanceError, match=f"{CROP}.*build --split {SPLIT}"):
        publish(disk)


def test_a_split_is_incomplete_while_its_prompts_have_the_colours_before(disk: Roots) -> None:
    publish(disk)
    assert state.load(disk, SPLIT).complete
    paint(disk, 3, "#15b01a")
    before = disk.image_text(SPLIT).read_bytes()
    update_colours(disk, SPLIT, SerialEngine(), silent)  # and the process is killed here
    assert disk.image_text(SPLIT).read_bytes() == before
    assert not state.load(disk, SPLIT).complete
    assert publish(disk) == 0
    assert state.consistency_problems(disk, SPLIT, ["crops"]) == []
    assert prompt_coverage(disk, SPLIT, count_prompts(disk, SPLIT, COLOURED), COLOURED).passed


def test_every_engine_measures_the_same(disk: Roots) -> None:
    publish(disk)
    serial = colours(disk)
    path = disk.table("colours", SPLIT)
    data = path.read_bytes()
    path.unlink()
    engine = LocalEngine(2)
    assert update_colours(disk, SPLIT, engine, silent) == CROPS
    engine.close()
    assert colours(disk) == serial
    assert path.read_bytes() == data


def test_the_check_compares_each_prompt_with_the_colour_of_the_table(disk: Roots) -> None:
    paint(disk, 3, "#0343df")
    publish(disk)
    counts = count_prompts(disk, SPLIT, COLOURED)
    assert counts is not None
    finding = prompt_coverage(disk, SPLIT, counts, COLOURED)
    assert finding.passed
    assert finding.numbers["colour_blue"] == OF_AN_IMAGE
    by_word = [n for name, n in finding.numbers.items() if name.startswith("colour_")]
    assert sum(by_word) == CROPS

    path = disk.image_text(SPLIT)
    path.write_bytes(path.read_bytes().replace(b'"blue trousers"', b'"red trousers"'))
    assert count_prompts(disk, SPLIT, COLOURED) is None
    finding = prompt_coverage(disk, SPLIT, None, COLOURED)
    assert (finding.passed, finding.severity) == (False, "error")
    assert set(finding.offenders["what"]) == {"text_0 is not what its template gives"}
    assert set(finding.offenders["text"]) == {"red trousers"}


def test_prompts_whose_colours_are_gone_fail_the_check_and_verify(disk: Roots) -> None:
    publish(disk)
    disk.table("colours", SPLIT).unlink()
    finding = prompt_coverage(disk, SPLIT, count_prompts(disk, SPLIT, COLOURED), COLOURED)
    assert (finding.passed, finding.severity) == (False, "error")
    assert "rerun image_text" in finding.summary
    assert any("rerun image_text" in problem.what for problem in verify(disk, SPLIT).problems)


def test_the_asset_measures_before_it_writes(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "prompts.yaml"
    file.write_text(f"prompts: {{text_0: '{TEMPLATE}'}}", encoding="utf-8")
    build_with(SerialEngine(), replace(site.settings, prompts=file), SPLIT)
    words = colours(site.roots)
    assert len(words) == CROPS_OF_SITE
    for line in lines(site.roots):
        word = words[line["image_path"]]
        expected = line["category_name"] if word is None else f"{word} {line['category_name']}"
        assert line["text_0"] == expected
    assert verify(site.roots, SPLIT).ok

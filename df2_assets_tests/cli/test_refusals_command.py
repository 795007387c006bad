"""The refusals at the end of a build, and the command that lists all of them."""

import csv
import io

from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support.site import SPLIT, TOP, TROUSERS, Site

REVERSED = {"bounding_box": [70, 100, 5, 5]}
FILES = "_df2_assets/checks/raw_annotation_index.refusals_within_limit/train.parquet"


def spoil(site: Site, *images: int) -> None:
    """Reverse the first box of some user images, and write an annotation that is not JSON."""
    for image in images:
        site.describe(image, {1: TOP | REVERSED, 3: TROUSERS})
    site.annotation(41).write_text("{")


def test_a_build_ends_with_the_first_refusal_of_each_reason_and_the_command_that_lists_all(
    desk: Desk, site: Site
) -> None:
    spoil(site, 12, 22)
    done = desk.run("build", "--split", SPLIT)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    start = lines.index("The first refusal for each reason:")
    head, *rows = (line.split(maxsplit=4) for line in lines[start + 1 : start + 4])
    assert head == ["split", "image_id", "item_idx", "reason", "rows  detail"]
    assert [row[:3] for row in rows] == [
        ["train", "000012", "1"],
        ["train", "000041", "unreadable_json"],
    ]
    assert "box_reversed     2     bounding_box is [70, 100, 5, 5]" in lines[start + 2]
    assert lines[start + 4] == "All of them: df2-assets refusals --split train"
    (split,) = desk.json("build", "--split", SPLIT)["splits"]
    assert [(row["reason"], row["rows"]) for row in split["refused"]] == [
        ("box_reversed", 2),
        ("unreadable_json", 1),
    ]


def test_a_warned_check_names_its_first_offenders_and_the_file_with_all(
    desk: Desk, site: Site
) -> None:
    spoil(site, 12, 22)
    lines = desk.run("build", "--split", SPLIT).stdout.splitlines()
    (place,) = (
        number
        for number, line in enumerate(lines)
        if line.startswith("warning: train: raw_annotation_index: refusals_within_limit: ")
    )
    assert lines[place + 1].startswith("  image_id 000012, item_idx 1, reason box_reversed, ")
    assert lines[place + 2].startswith("  image_id 000041, reason unreadable_json, ")
    assert lines[place + 3].startswith("  image_id 000022, item_idx 1, reason box_reversed, ")
    assert lines[place + 4] == f"  all 3, in SKU_ROOT: {FILES}"
    assert (desk.sku / FILES).is_file()


def test_a_failed_check_names_them_too_and_the_refusals_are_listed(desk: Desk, site: Site) -> None:
    spoil(site, 12, 22, 32)
    done = desk.run("build", "--split", SPLIT)
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: train: raw_annotation_index: refusals_within_limit: ")
    assert lines[1].startswith("  image_id 000012, item_idx 1, reason box_reversed, ")
    assert lines[4] == f"  all 4, in SKU_ROOT: {FILES}"
    assert "All of them: df2-assets refusals --split train" in done.stdout
    listed = desk.json("refusals")["refusals"]
    assert [(row["image_id"], row["item_idx"]) for row in listed] == [
        ("000012", 1),
        ("000022", 1),
        ("000032", 1),
        ("000041", None),
    ]


def test_refused_crops_are_listed_with_refused_annotations(desk: Desk, site: Site) -> None:
    spoil(site, 12)
    image = site.image(13)
    image.write_bytes(image.read_bytes()[:-100])
    assert desk.run("build", "--split", SPLIT).exit_code == 0
    rows = [*csv.DictReader(io.StringIO(desk.run("refusals", "--csv").stdout))]
    assert [(row["image_id"], row["stage"], row["file"]) for row in rows] == [
        ("000012", "raw_annotation_index", "train/annos/000012.json"),
        ("000013", "crops", "train/image/000013.jpg"),
        ("000041", "raw_annotation_index", "train/annos/000041.json"),
    ]
    (only,) = desk.json("refusals", "--reason", "box_reversed")["refusals"]
    assert only == {
        "split": SPLIT,
        "image_id": "000012",
        "item_idx": 1,
        "reason": "box_reversed",
        "detail": "bounding_box is [70, 100, 5, 5]",
        "stage": "raw_annotation_index",
        "file": "train/annos/000012.json",
    }
    table = desk.run("refusals").stdout.splitlines()
    assert len(table) == 4
    assert table[1].split() == [
        *("train", "000012", "1", "box_reversed"),
        *("bounding_box", "is", "[70,", "100,", "5,", "5]", "train/annos/000012.json"),
    ]


def test_no_refusals_are_reported_as_a_sentence_or_no_rows(desk: Desk, site: Site) -> None:
    assert desk.run("refusals").stdout == "Nothing was refused in train.\n"
    few = desk.run("refusals", "--reason", "box_reversed", "--reason", "box_outside").stdout
    assert few == "Nothing was refused in train for box_reversed or box_outside.\n"
    assert desk.json("refusals") == {"splits": [SPLIT], "refusals": []}
    assert desk.run("refusals", "--csv").stdout.count("\n") == 1
    assert "refused of each reason" not in desk.run("build", "--split", SPLIT).stdout


def test_wrong_use_names_the_valid_values(desk: Desk, site: Site) -> None:
    reason = desk.run("refusals", "--reason", "bad_box")
    assert reason.exit_code == 2
    assert "'bad_box' is not one of" in reason.stderr
    assert "'box_reversed'" in reason.stderr
    other = desk.run("refusals", "--split", "validation")
    assert other.exit_code == 1
    assert other.stderr.endswith("run df2-assets build --split validation\n")
    assert desk.run("refusals", "--json", "--csv").exit_code == 2
    nothing = desk.run("refusals", SKU_ROOT=desk.folder / "nothing")
    assert nothing.exit_code == 1
    assert "Nothing is built under SKU_ROOT" in nothing.stderr

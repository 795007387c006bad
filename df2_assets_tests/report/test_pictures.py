"""Pictures of the data: small, and with the right content."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from df2_assets.dataset.taxonomy import OCCLUSIONS, VIEWPOINTS
from df2_assets.report import pictures, plots
from df2_assets.report.pictures import BeforeAndAfter, draw_contact_sheet
from df2_assets.report.tiles import (
    GAP,
    MAX_BYTES,
    SIDE,
    Picture,
    Row,
    Tile,
    draw_sheet,
    encode_jpeg,
)
from df2_assets.store.layout import Roots
from df2_assets_tests.support.looks import jpeg, path, picture, plain, seen

CROP = 25_000
"""Pixels of a crop in a tile. These crops are 160 by 160 pixels, and are not enlarged."""

ALARM = (0xC2, 0x41, 0x0C)
BOXES = ["split", "image_id", "item_idx", "what", "x1", "y1", "x2", "y2"]


def open_picture(picture: Picture | None) -> Image.Image:
    """Return the image of a picture, which has under 300 KB and the format of its suffix."""
    assert picture is not None
    assert len(picture.data) < MAX_BYTES
    assert not set(picture.alt) & set("[]\n")
    image = Image.open(io.BytesIO(picture.data))
    assert image.format == {".jpeg": "JPEG", ".png": "PNG"}[picture.suffix]
    return image.convert("RGB")


def has_colour(image: Image.Image, colour: tuple[int, int, int], least: int = 200) -> bool:
    """Return whether about this many pixels have a colour."""
    apart = np.abs(np.asarray(image, np.int16) - np.array(colour, np.int16))
    return int((apart.max(axis=2) < 40).sum()) >= least


def write(root: Path, name: str, data: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)


def test_any_image_is_made_to_fit() -> None:
    noise = Image.effect_noise((1600, 1600), 120).convert("RGB")
    assert open_picture(encode_jpeg(noise, "noise")).size[0] >= 400


def test_a_contact_sheet_leaves_out_what_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, path(1), jpeg(plain("#ff0000")))
    write(tmp_path, path(2), jpeg(picture(2))[:400])
    crops = pd.DataFrame({"crop_path": [path(2), path(1)]}).assign(
        sku_id="000001_01_01", category_id=1, category_name="short sleeve top", domain="catalog"
    )
    assert has_colour(open_picture(draw_contact_sheet(tmp_path, crops)), (255, 0, 0))


def test_the_worst_crops_are_shown_with_their_value_and_a_gap_for_a_missing_one(
    roots: Roots,
) -> None:
    rows = pd.DataFrame(
        {"crop_path": [path(1)], "image_id": ["000001"], "item_idx": [1], "brightness": [3.5]}
    )
    gap = open_picture(pictures.draw_worst_crops(roots, rows, "brightness", "dark"))
    assert not has_colour(gap, (255, 0, 0), 1)
    write(roots.sku_root, path(1), jpeg(plain("#ff0000")))
    image = open_picture(pictures.draw_worst_crops(roots, rows, "brightness", "dark"))
    assert has_colour(image, (255, 0, 0), 8000)
    assert pictures.draw_worst_crops(roots, rows.iloc[:0], "brightness", "dark") is None


@pytest.mark.parametrize(
    "box", [(40, 40, 120, 120), (-50, 40, 120, 900), (120, 120, 40, 40), (300, 300, 400, 400)]
)
def test_boxes_are_drawn_on_their_image_wherever_they_lie(
    roots: Roots, box: tuple[int, int, int, int]
) -> None:
    write(roots.df2_root, "train/image/000001.jpg", jpeg(plain("#0000ff")))
    rows = pd.DataFrame([("train", "000001", 1, "past the edge", *box)], columns=BOXES)
    image = open_picture(pictures.draw_boxes(roots, rows, "boxes"))
    assert has_colour(image, (0, 0, 255), 4000)
    assert has_colour(image, (0xC2, 0x41, 0x0C), 20)


def test_items_without_a_box_are_not_shown(roots: Roots) -> None:
    rows = pd.DataFrame([("train", "000001", 1, "misnamed", *[None] * 4)], columns=BOXES)
    assert pictures.draw_boxes(roots, rows, "boxes") is None


def test_a_pair_is_shown_once(roots: Roots) -> None:
    for number, colour in ((1, "#ff0000"), (2, "#00ff00")):
        write(roots.sku_root, path(number), jpeg(plain(colour)))
    rows = pd.DataFrame({"crop_path": [path(1), path(2)], "like": [path(2), path(1)]})
    image = open_picture(pictures.draw_pairs(roots, rows, "pairs"))
    assert has_colour(image, (255, 0, 0), CROP)
    assert has_colour(image, (0, 255, 0), CROP)
    assert not has_colour(image, (255, 0, 0), 2 * CROP)


def test_the_odd_crop_of_a_sku_is_framed_next_to_the_others(roots: Roots) -> None:
    paths = [path(number) for number in range(3)]
    for one in paths:
        write(roots.sku_root, one, jpeg(plain("#0000ff")))
    rows = pd.DataFrame({"sku_id": ["000001_01_01"], "crop_path": [paths[2]]})
    image = open_picture(pictures.draw_skus(roots, rows, paths, "unlike"))
    assert has_colour(image, (0, 0, 255), 3 * 8000)
    assert has_colour(image, (0xC2, 0x41, 0x0C), 800)


def test_what_a_build_changed_is_shown_before_and_after(tmp_path: Path) -> None:
    remade, removed, added = path(1), path(2), path(3)
    write(tmp_path, remade, jpeg(plain("#ff0000")))
    write(tmp_path, removed, jpeg(plain("#ff00ff")))
    changes = BeforeAndAfter(tmp_path, {remade, removed}, [remade, added], [removed])
    write(tmp_path, remade, jpeg(plain("#00ff00")))
    (tmp_path / removed).unlink()
    write(tmp_path, added, jpeg(plain("#0000ff")))
    image = open_picture(changes.draw([remade, added]))
    for colour in ((255, 0, 0), (0, 255, 0), (255, 0, 255), (0, 0, 255)):
        assert has_colour(image, colour, CROP), colour


def test_a_first_build_shows_its_crops_without_a_row_for_those_before(tmp_path: Path) -> None:
    changes = BeforeAndAfter(tmp_path, set(), [path(1)], [])
    write(tmp_path, path(1), jpeg(plain("#0000ff")))
    first = open_picture(changes.draw([path(1)]))
    write(tmp_path, path(1), jpeg(plain("#ff0000")))
    again = BeforeAndAfter(tmp_path, {path(1)}, [path(1)], [])
    assert first.height < 2 * SIDE < open_picture(again.draw([path(1)])).height


def test_two_pairs_are_further_apart_than_the_two_of_a_pair(roots: Roots) -> None:
    for number in range(4):
        write(roots.sku_root, path(number), jpeg(plain("#ff0000")))
    rows = pd.DataFrame({"crop_path": [path(0), path(2)], "like": [path(1), path(3)]})
    image = np.asarray(open_picture(pictures.draw_pairs(roots, rows, "pairs")), np.int16)
    is_paper = (image[GAP + SIDE // 2] > 250).all(axis=1)
    edges = np.flatnonzero(np.diff(is_paper.astype(int)))
    within, between, _ = np.diff(edges)[1::2]
    assert between >= 3 * within


def test_combinations_without_a_crop_stand_out_in_the_heat_map() -> None:
    table = pd.DataFrame(
        {"category": ["skirt"], "domain": ["query"], "heavy occlusion, frontal": 5}
    )
    full = open_picture(pictures.draw_heat_map(table, "combinations"))
    empty = open_picture(
        pictures.draw_heat_map(table.assign(**{"heavy occlusion, frontal": 0}), "combinations")
    )
    assert has_colour(empty, ALARM, 150)
    assert not has_colour(full, ALARM, 1)
    assert has_colour(full, (18, 78, 120), 1000)
    assert pictures.draw_heat_map(table.iloc[:0], "combinations") is None


def test_no_picture_is_wider_than_a_dialog_of_dagster_in_a_window_of_1280_pixels(
    roots: Roots,
) -> None:
    paths = [path(number, f"{number:06d}_01_01") for number in range(14)]
    for name in paths:
        write(roots.sku_root, name, jpeg(plain("#ff0000")))
    crops = pd.DataFrame({"crop_path": paths, "like": [*paths[1:], paths[0]]}).assign(
        sku_id="000001_01_01", image_id="000001", item_idx=1, brightness=3.5
    )
    combinations = [f"{o} occlusion, {v}" for o in OCCLUSIONS.values() for v in VIEWPOINTS.values()]
    counts = pd.DataFrame({"category": ["short sleeve outwear"], "domain": ["catalog"]})
    drawn = [
        pictures.draw_worst_crops(roots, crops, "brightness", "dark"),
        pictures.draw_pairs(roots, crops, "pairs"),
        pictures.draw_skus(roots, crops, paths, "unlike"),
        pictures.draw_heat_map(counts.assign(**dict.fromkeys(combinations, 9)), "combinations"),
        BeforeAndAfter(roots.sku_root, {*paths}, paths, []).draw(paths),
    ]
    assert max(open_picture(one).width for one in drawn) <= 984


def test_words_that_do_not_fit_under_a_tile_go_to_the_next_line() -> None:
    short, long = (
        open_picture(draw_sheet([Row([Tile(None, (text,))])], "a tile"))
        for text in ("reversed", "reversed, but fits as x, y, width, height")
    )
    assert long.height > short.height
    assert long.width == short.width


def test_a_build_that_changed_nothing_shows_nothing(tmp_path: Path) -> None:
    assert BeforeAndAfter(tmp_path, {path(1)}, [], []).draw([]) is None


def test_at_most_a_dozen_crops_of_all_kinds_are_shown(tmp_path: Path) -> None:
    remade, removed = ([path(number) for number in range(start, start + 50)] for start in (0, 50))
    for paths, colour in ((remade, "#ff0000"), (removed, "#ff00ff")):
        for name in paths:
            write(tmp_path, name, jpeg(plain(colour)))
    changes = BeforeAndAfter(tmp_path, {*remade, *removed}, remade, removed)
    image = open_picture(changes.draw(remade))
    for rgb, tiles in (((255, 0, 255), 6), ((255, 0, 0), 12)):  # red: before and after
        assert has_colour(image, rgb, tiles * CROP)
        assert not has_colour(image, rgb, (tiles + 1) * CROP)


def test_distributions_are_one_picture_and_none_without_crops() -> None:
    crops = seen((path(number), jpeg(picture(number))) for number in range(3))
    groups = crops[["crop_path", "sku_id", "domain"]].assign(
        category_name="skirt",
        occlusion=1,
        viewpoint=2,
        scale=pd.array([1, None, 3], "Int8"),
        zoom_in=1,
    )
    manifest, quality = crops[["crop_path", "width", "height"]], crops[["crop_path", "brightness"]]
    image = open_picture(plots.plot_distributions("train", groups, manifest, quality))
    assert image.width > 800
    assert plots.plot_distributions("train", groups.iloc[:0], manifest, quality) is None


def test_shapes_are_drawn_over_crops_that_have_both(roots: Roots) -> None:
    for number in (1, 2):
        write(roots.sku_root, path(number), jpeg(plain("#ffffff")))
    labels = pd.DataFrame(
        {
            "crop_path": [path(1), path(2)],
            "mask": ["counts", None],
            "polygons": [[[0, 0, 80, 0, 80, 160, 0, 160]], None],
            "landmarks": [[120, 40, 2, 120, 120, 1, 0, 0, 0]] * 2,
        }
    )
    image = open_picture(pictures.draw_shapes(roots, labels))
    assert image.width < 2 * SIDE + 2 * GAP, "only the first crop has both"
    red, green, _ = np.asarray(image, np.int16)[GAP + 80, GAP + 30]
    assert green > red + 40, "the mask is green"
    assert has_colour(image, (0xD9, 0x46, 0xEF), 30), "landmarks are pink"
    assert pictures.draw_shapes(roots, labels[1:]) is None

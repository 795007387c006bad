"""The columns that people read: few, with short text, and nothing twice."""

import pandas as pd

from df2_assets.report.columns import OFFENDERS_WIDTH, WIDTH, make_offenders_readable, make_readable
from df2_assets_tests.support.looks import path

CROP = {"split": "train", "sku_id": "000001_01_01", "image_id": "000001", "item_idx": 1}
ITEM = {"split": "train", "image_id": "000001", "item_idx": 1}


def read_rows(*rows: dict[str, object]) -> list[dict[str, str]]:
    table = make_readable(pd.DataFrame(rows))
    names = [str(name) for name in table]
    return [dict(zip(names, row, strict=True)) for row in table.itertuples(index=False)]


def width(table: pd.DataFrame) -> int:
    """Return the characters that the longest words of all columns need side by side, with gaps."""
    words = (max(map(len, " ".join([str(name), *table[name]]).split(" "))) for name in table)
    return sum(word + 2 for word in words)


def test_a_crop_is_named_by_its_sku_image_and_item_and_not_by_its_path() -> None:
    named = {"sku_id": "000001_01_01", "image_id": "000001", "item_idx": "1"}
    assert read_rows({"crop_path": path(1), "width": 40, "height": 50}) == [
        named | {"pixels": "40 x 50"}
    ]
    assert read_rows(CROP | {"crop_path": path(1), "brightness": 3.14159}) == [
        named | {"brightness": "3.14"}
    ]


def test_a_file_that_is_not_a_crop_keeps_its_path() -> None:
    assert read_rows({"crop_path": "train/catalog/notes.txt", "what": "foreign"}) == [
        {"path": "train/catalog/notes.txt", "what": "foreign"}
    ]


def test_another_crop_is_named_with_its_split_if_it_differs() -> None:
    rows = [
        CROP | {"crop_path": path(1), "like": path(2)},
        CROP | {"crop_path": path(1), "like": path(3, "000002_01_01", "test")},
    ]
    assert [row["like"] for row in read_rows(*rows)] == [
        "000001_01_01 000002 item 1",
        "test 000002_01_01 000003 item 1",
    ]


def test_boxes_categories_and_labels_are_one_column_each() -> None:
    row = {"x1": 1, "y1": 2, "x2": 30, "y2": 40, "category_id": 9, "category_name": "skirt"}
    row |= {"occlusion": 1, "viewpoint": 2, "scale": None, "zoom_in": 3}
    assert read_rows(row) == [
        {
            "box": "1, 2, 30, 40",
            "category": "9 skirt",
            "labels": "occlusion 1, viewpoint 2, zoom_in 3",
        }
    ]


def test_technical_columns_are_left_out() -> None:
    row = ITEM | {"sha256": "ab" * 32, "mtime_ns": 1795889543444123456, "detail": None, "size": 9}
    assert read_rows(row) == [{"image_id": "000001", "item_idx": "1", "bytes": "9"}]
    (first, _) = read_rows({"split": "train", "crops": 1}, {"split": "test", "crops": 2})
    assert first == {"split": "train", "crops": "1"}  # here the split is what a row is about


def test_a_table_fits_the_page_and_the_problem_comes_first() -> None:
    row = ITEM | {f"column_{n}": "word " * n for n in range(1, 12)}
    row |= {"detail": f"style is {'x' * 300}, not a number", "reason": "wrong_field"}
    table = make_readable(pd.DataFrame([row]))
    assert [*table][:4] == ["image_id", "item_idx", "reason", "detail"]
    assert table["detail"].iloc[0].startswith("style is xxx")
    assert table["detail"].iloc[0].endswith("xxx, not a number")
    assert width(table) <= WIDTH


def test_one_offender_of_each_reason_is_shown_before_a_second_one_of_any() -> None:
    reasons = ["dark"] * 30 + ["blank", "tiny", "blank"]
    rows = [ITEM | {"item_idx": n, "reason": reason} for n, reason in enumerate(reasons)]
    table, in_common = make_offenders_readable(pd.DataFrame(rows), 5)
    assert table["item_idx"].tolist() == ["0", "30", "31", "1", "2"]
    assert in_common == {}


def test_values_that_all_offenders_share_are_shown_once() -> None:
    rows = [ITEM | {"item_idx": n, "what": "too dark", "brightness": n / 3} for n in range(3)]
    table, in_common = make_offenders_readable(pd.DataFrame(rows), 20)
    assert [*table] == ["image_id", "item_idx", "brightness"]
    assert in_common == {"what": "too dark"}
    alone, nothing = make_offenders_readable(pd.DataFrame(rows[:1]), 20)
    assert [*alone] == ["image_id", "item_idx", "what", "brightness"]
    assert nothing == {}
    assert width(alone) <= OFFENDERS_WIDTH

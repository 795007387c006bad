"""Boxes as table columns follow the rules of single boxes, which `test_properties.py` tests."""

import pandas as pd
import pytest

from df2_assets.dataset import boxes

WIDTH, HEIGHT = 50, 40
CASES = [
    ((10, 10, 20, 30), (10, 10, 20, 30)),
    ((-5, -5, 20, 30), (0, 0, 20, 30)),
    ((10, 10, 70, 90), (10, 10, 50, 40)),
    ((-9, -9, 99, 99), (0, 0, 50, 40)),
    ((60, 10, 70, 30), (50, 10, 50, 30)),
]


@pytest.mark.parametrize("kind", ["int32[pyarrow]", "Int64", "int64"])
def test_columns_of_boxes_are_cut_as_single_boxes_are(kind: str) -> None:
    table = pd.DataFrame([(*box, WIDTH, HEIGHT) for box, _ in CASES], dtype=kind)
    x1, y1, x2, y2, width, height = (table[column] for column in table)
    cut = boxes.cut((x1, y1, x2, y2), width, height)
    assert list(zip(*(edge.tolist() for edge in cut), strict=True)) == [box for _, box in CASES]
    sizes = zip(*(side.tolist() for side in boxes.size(cut)), strict=True)
    assert list(sizes) == [boxes.size(box) for _, box in CASES]

"""JSON lines beside tables of crops, for machines without pyarrow."""

from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from df2_assets.dataset.tables import SCHEMAS
from df2_assets.errors import MissingTableError
from df2_assets.store import tables
from df2_assets.store.crop_lines import describe_source, find_label_lines, find_variant_lines
from df2_assets.store.layout import Roots

INPUTS = {"crops": "c", "sku_groups": "g", "files": "f"}
ROWS: list[dict[str, object]] = [
    {"crop_path": "train/query/a/1_item1.jpg", "polygons": [[1.5, 2.0, 3.0, 4.0, 5.0, 0.0]]},
    {"crop_path": "train/query/a/2_item1.jpg", "reason": "missing_field"},
]


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    return Roots(tmp_path / "df2", tmp_path / "sku", "")


def table(rows: list[dict[str, object]], asset: str = "labels") -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMAS[asset])


def read(path: Path) -> list[dict[str, object]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def test_the_first_line_describes_the_table_and_each_other_is_a_crop(roots: Roots) -> None:
    digest = tables.write(roots, "labels", "train", table(ROWS), INPUTS)
    header, *lines = read(find_label_lines(roots, "train"))
    assert header == {"digest": digest, "source": "sku_groups g crops c", "variant": None}
    nothing: dict[str, object] = dict.fromkeys(("polygons", "landmarks", "reason"))
    assert lines == [nothing | row for row in ROWS]


def test_other_tables_have_no_lines(roots: Roots) -> None:
    tables.write(roots, "colours", "train", table([], "colours"), INPUTS)
    assert list(roots.tables("colours").iterdir()) == [roots.table("colours", "train")]


def test_lines_are_written_again_only_if_the_table_or_its_source_has_changed(
    roots: Roots,
) -> None:
    def write(rows: list[dict[str, object]], **inputs: str) -> int:
        tables.write(roots, "labels", "train", table(rows), INPUTS | inputs)
        return find_label_lines(roots, "train").stat().st_ino

    first = write(ROWS)
    assert write(ROWS) == write(ROWS, files="another") == first
    second = write(ROWS, crops="another")
    third = write(ROWS[:1], crops="another")
    assert len({first, second, third}) == 3
    path = find_label_lines(roots, "train")
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    write(ROWS[:1], crops="another")
    assert path.read_bytes() == whole


def test_what_is_missing_is_named_with_the_command(roots: Roots) -> None:
    with pytest.raises(MissingTableError, match="run df2-assets labels --split train"):
        find_label_lines(roots, "train")
    with pytest.raises(MissingTableError, match=r"no crop variant 'big', it has none.*variants"):
        find_variant_lines(roots, "train", "big")
    for name in ("small", "large"):
        tables.write(roots, f"crop_variants/{name}", "train", table([], "crop_variants"), INPUTS)
    with pytest.raises(MissingTableError, match="'big', it has large, small: declare it"):
        find_variant_lines(roots, "train", "big")
    with pytest.raises(MissingTableError, match="it has none"):
        find_variant_lines(roots, "validation", "small")
    assert find_variant_lines(roots, "train", "small").name == "train.jsonl"


def test_a_source_names_groups_and_manifest_and_no_other_table() -> None:
    assert describe_source(INPUTS) == "sku_groups g crops c"
    assert describe_source({"files": "f"}) == ""

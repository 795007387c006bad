"""Changes of tables: what they count, and which keys they show."""

import pyarrow as pa

from df2_assets.pipeline.changes import Changes, compare_tables

KEY = ["image_id", "item_idx"]


def table(*rows: tuple[str, int | None, int]) -> pa.Table:
    names = [*KEY, "style"]
    return pa.table([list(column) for column in zip(*rows, strict=True)], names)


def counts(changes: Changes) -> tuple[int, int, int, int]:
    return changes.added, changes.removed, changes.remade, changes.unchanged


def test_all_rows_of_a_first_table_are_added_and_the_first_are_shown() -> None:
    changes = compare_tables(None, table(*((f"{n:06d}", n or None, 1) for n in range(50))), KEY)
    assert counts(changes) == (50, 0, 0, 0)
    assert str(changes) == "50 added; 0 unchanged."
    assert changes.first["key"].tolist()[:2] == ["000000 -", "000001 1"]
    assert (changes.first["what"] == "added").all()
    assert len(changes.first) == 20


def test_rows_are_compared_by_their_keys() -> None:
    before = table(("000001", 1, 1), ("000001", 2, 1), ("000002", 1, 1))
    after = table(("000001", 1, 1), ("000001", 2, 5), ("000003", 1, 1))
    changes = compare_tables(before, after, KEY)
    assert counts(changes) == (1, 1, 1, 1)
    assert dict(changes.first.itertuples(index=False)) == {
        "000003 1": "added",
        "000002 1": "removed",
        "000001 2": "remade",
    }
    assert counts(compare_tables(before, before, KEY)) == (0, 0, 0, 3)

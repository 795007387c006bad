"""A table records its digest and the digests of its inputs."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from df2_assets.dataset.tables import CROPS, SCHEMAS
from df2_assets.errors import MissingTableError, NewerReleaseError, ProvenanceError
from df2_assets.store import tables
from df2_assets.store.layout import Roots


def manifest(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=CROPS)


ROW = {"crop_path": "train/query/a.jpg", "size": 5, "mtime_ns": 7, "fingerprint": "f"}


def test_a_table_comes_back_as_it_was_written(roots: Roots) -> None:
    table = manifest(ROW, {**ROW, "crop_path": "b", "reason": "not_a_jpeg"})
    tables.write(roots, "crops", "train", table, {})
    assert tables.read(roots, "crops", "train").equals(table)


def test_a_table_from_before_there_was_sku_uid_is_read_with_it(roots: Roots) -> None:
    path = "train/query/000001_01_08/000003_item8.jpg"
    table = manifest({**ROW, "crop_path": path, "sku_uid": "train/000001_01_08"})
    tables.write(roots, "crops", "train", table.drop_columns("sku_uid"), {"sku_groups": "a"})
    assert tables.find(roots, "crops", "train") == table
    recorded = tables.origin(roots, "crops", "train")
    assert recorded is not None
    assert recorded.digest == tables.digest(table.drop_columns("sku_uid"))
    assert tables.write(roots, "crops", "train", table, {}) == tables.digest(table)
    assert "sku_uid" in pq.read_schema(roots.table("crops", "train")).names


def test_the_digest_follows_the_values_but_times_and_not_how_they_lie_in_memory() -> None:
    whole = manifest(ROW, {**ROW, "size": None})
    chunked = pa.concat_tables([manifest(ROW), manifest({**ROW, "size": None})])
    sliced = manifest({**ROW, "size": 9}, ROW, {**ROW, "size": None}).slice(1)
    later = manifest({**ROW, "mtime_ns": 8}, {**ROW, "size": None})
    assert len({tables.digest(table) for table in (whole, chunked, sliced, later)}) == 1
    assert tables.digest(whole) != tables.digest(manifest(ROW, {**ROW, "size": 0}))


def test_a_table_that_is_not_there_says_what_to_materialize(roots: Roots) -> None:
    with pytest.raises(MissingTableError, match=r"crops for train does not exist.*materialize"):
        tables.read(roots, "crops", "train")


def parquet_of_another_schema() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"crop_path": ["a"]}), sink)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing", parquet_of_another_schema()])
def test_a_table_that_is_damaged_or_of_another_schema_counts_as_not_there(
    roots: Roots, content: bytes
) -> None:
    path = roots.table("crops", "train")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert tables.find(roots, "crops", "train") is None
    with pytest.raises(MissingTableError, match="cannot be read"):
        tables.read(roots, "crops", "train")


def test_a_table_of_a_newer_release_is_refused_whatever_it_holds(
    roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "FORMAT", tables.FORMAT + 1)
    tables.write(roots, "crops", "train", manifest(ROW), {})
    tables.require_known_format(roots, "train")
    monkeypatch.undo()
    for read in (tables.find, tables.read, tables.origin):
        with pytest.raises(NewerReleaseError, match=r"format 2; this one knows 1"):
            read(roots, "crops", "train")
    with pytest.raises(NewerReleaseError, match="use that release, or set SKU_ROOT"):
        tables.require_known_format(roots, "train")


def test_a_table_made_from_another_input_is_refused_with_the_remedy(roots: Roots) -> None:
    groups = pa.Table.from_pylist([], schema=SCHEMAS["sku_groups"])
    inputs = {"sku_groups": tables.write(roots, "sku_groups", "train", groups, {})}
    tables.write(roots, "crops", "train", manifest(ROW), inputs)
    tables.read(roots, "crops", "train")

    other = pa.Table.from_pylist([{"sku_id": "000001_01_01"}], schema=SCHEMAS["sku_groups"])
    tables.write(roots, "sku_groups", "train", other, {})
    with pytest.raises(ProvenanceError, match=r"made from another sku_groups.*rerun crops"):
        tables.read(roots, "crops", "train")


def test_a_table_supersedes_the_journal_beside_it(roots: Roots) -> None:
    roots.journal("train").parent.mkdir(parents=True)
    roots.journal("train").write_bytes(b"[]\n")
    tables.write(roots, "crops", "train", manifest(ROW), {})
    assert not roots.journal("train").exists()


@pytest.mark.parametrize("asset", SCHEMAS)
def test_every_column_says_what_it_holds(asset: str) -> None:
    for field in SCHEMAS[asset]:
        assert field.metadata[b"description"]
        for source in field.metadata.get(b"sources", b"").decode().split():
            table, column = source.split(".")
            assert column in SCHEMAS[table].names


def test_the_digest_of_lists_depends_on_their_values_alone() -> None:
    kind = pa.list_(pa.list_(pa.float64()))
    lists = [[[1.0, 2.0], [3.0]], None, [], [[], [4.0]]]
    table = pa.table({"lists": pa.array(lists, kind)})
    turned = table.take(pa.array([3, 2, 1, 0])).take(pa.array([3, 2, 1, 0]))
    parts = pa.concat_tables([table, table]).slice(4)
    assert tables.digest(turned) == tables.digest(parts) == tables.digest(table)
    for other in (
        [[[1.0, 2.0, 3.0]], None, [], [[], [4.0]]],
        [[[1.0, 2.0], [3.0]], [], None, [[], [4.0]]],
        [[[1.0], [2.0, 3.0]], None, [], [[], [4.0]]],
        [[[1.0, 2.0], [3.0]], None, [], [[4.0], []]],
    ):
        changed = pa.table({"lists": pa.array(other, kind)})
        assert tables.digest(changed) != tables.digest(table), other

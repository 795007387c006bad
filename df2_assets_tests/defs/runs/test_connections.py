"""Connections of a block to the SQLite files of a home."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
from sqlalchemy.pool import Pool

from df2_assets.cli.instance import open_instance


@dg.asset
def some_asset() -> None:
    """An asset, so that a run has events to store."""


def run(instance: dg.DagsterInstance) -> str:
    result = dg.materialize([some_asset], instance=instance)
    assert result.success
    return result.run_id


@pytest.fixture
def connections() -> Iterator[Counter[str]]:
    """The number of connections to each file, counted as they are opened."""
    counts: Counter[str] = Counter()

    def count(connection: object, _: object) -> None:
        cursor = connection.execute("PRAGMA database_list")  # type: ignore[attr-defined]
        counts[Path(cursor.fetchone()[2]).name] += 1

    sqlalchemy.event.listen(Pool, "connect", count)
    yield counts
    sqlalchemy.event.remove(Pool, "connect", count)


def test_a_run_connects_to_a_file_of_its_home_no_more_than_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connections: Counter[str]
) -> None:
    """A new file is looked at through a second connection while its tables are made."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with open_instance() as instance:
        run_id = run(instance)
    counts = {name: connections[name] for name in (f"{run_id}.db", "index.db", "runs.db")}
    assert all(1 <= count <= 2 for count in counts.values()), counts


def test_after_the_block_all_of_it_is_in_the_files_and_dagster_connects_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connections: Counter[str]
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with open_instance() as instance:
        run_id = run(instance)
    assert [path.name for path in (tmp_path / "home").rglob("*.db-wal")] == []
    connections.clear()
    with dg.DagsterInstance.get() as instance:
        (record,) = instance.fetch_materializations(some_asset.key, limit=10).records
        assert record.run_id == run_id
        assert instance.get_asset_keys() == [some_asset.key]
    assert connections["index.db"] > 2

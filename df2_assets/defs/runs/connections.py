"""Connections to the SQLite files of a DAGSTER_HOME, for commands that run jobs themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final, cast

import sqlalchemy

# No public names in Dagster 1.13, whose version is bounded: its storages for SQLite let nobody
# choose their engines.
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy.pool import QueuePool

_STORAGES: Final = (sqlite_event_log, sqlite_run_storage)
_MAKER: Final = "create_engine"
"""The name by which both call `sqlalchemy.create_engine`."""


class _LastingPool(QueuePool):
    """A pool whose connections stay open when their engine is disposed of."""

    def recreate(self) -> "_LastingPool":
        """Return the pool itself: its connections are in use until the end of the block."""
        return self

    def dispose(self) -> None:
        """Do nothing. `close` ends the connections."""

    def close(self) -> None:
        """Close all connections."""
        super().dispose()


@contextmanager
def lasting_connections() -> Iterator[None]:
    """Keep the connections that storages open in a block until its end.

    For each statement, Dagster makes an engine, compiles the statement, connects, and disconnects.
    With the last connection, SQLite also copies its journal into the file. Together this is half of
    what a run of an empty split takes.
    """
    pools: list[_LastingPool] = []

    @cache
    def engine_of(url: str) -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine(
            url, poolclass=_LastingPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
        )
        pools.append(cast(_LastingPool, engine.pool))
        return engine

    before = [getattr(storage, _MAKER) for storage in _STORAGES]
    for storage in _STORAGES:
        setattr(storage, _MAKER, lambda url, **_: engine_of(url))
    try:
        yield
    finally:
        for storage, maker in zip(_STORAGES, before, strict=True):
            setattr(storage, _MAKER, maker)
        for pool in pools:
            pool.close()

"""The same build from every door that Dagster has: its commands, its UI's API, its schedules."""

import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from df2_assets.definitions import build_defs
from df2_assets.settings import Settings, read_settings
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import DataSet, item, jpeg, random_dataset
from df2_assets_tests.support.processes import DAGSTER, PROJECT, Text
from df2_assets_tests.support.run import build
from df2_assets_tests.support.site import QUIET, touch
from df2_assets_tests.support.snapshots import contract

SPLITS = ("train", "validation", "test")
MODULE = ("-m", "df2_assets.definitions")
REPOSITORY = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "df2_assets.definitions",
}
Checks = set[tuple[str, str, str]]


class Expected(NamedTuple):
    """A small data set, and what the command line makes of each split: bytes, checks."""

    df2_root: Path
    bytes: dict[str, dict[str, bytes | None]]
    checks: dict[str, Checks]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    folder = tmp_path_factory.mktemp("expected")
    data = random_dataset(folder / "df2", 5, SPLITS, images=30)
    checks: dict[str, Checks] = {}
    bytes_of: dict[str, dict[str, bytes | None]] = {}
    for split in SPLITS:
        # Splits are compared with those that are there: each is built alone here.
        with dg.DagsterInstance.ephemeral() as instance:
            result = build(data.root, folder / split, (split,), instance=instance)
            assert result.success, result.problems
            checks[split] = checks_of(instance, split)
        bytes_of[split] = contract(folder / split, split)
    return Expected(data.root, bytes_of, checks)


def checks_of(instance: dg.DagsterInstance, split: str) -> Checks:
    """Asset, name and verdict of each check that was evaluated for the split."""
    defs = build_defs(Settings())
    keys = defs.resolve_asset_graph().asset_check_keys
    found = set()
    for key in keys:
        for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=100):
            event = record.event
            evaluation = event.dagster_event.asset_check_evaluation_data if event else None
            if evaluation is not None and evaluation.partition == split:
                found.add((key.asset_key.path[-1], key.name, str(evaluation.passed)))
    return found

"""Records of the last runs of assets."""

import platform
from datetime import datetime
from pathlib import Path

import pytest

from df2_assets.settings import make_roots
from df2_assets.store import runs
from df2_assets.store.layout import Roots


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    return make_roots(str(tmp_path / "df2"), str(tmp_path / "sku"))


def test_the_last_run_of_an_asset_is_known_by_split(roots: Roots) -> None:
    assert runs.load(roots, "crops", "train") is None
    for run_id in ("first", "second"):
        runs.save(roots, "crops", "train", run_id)
    record = runs.load(roots, "crops", "train")
    assert record is not None
    assert record.run_id == "second"
    assert datetime.fromisoformat(record.at).tzinfo is not None
    assert runs.load(roots, "crops", "validation") is None
    assert runs.load(roots, "sku_groups", "train") is None


def test_a_rate_stays_until_another_is_measured(roots: Roots) -> None:
    runs.save(roots, "crops", "train", "first", 800.0)
    runs.save(roots, "crops", "train", "second")
    assert runs.load_rate(roots, "crops", "train") == 800.0
    runs.save(roots, "crops", "train", "third", 900.0)
    assert runs.load_rate(roots, "crops", "train") == 900.0


def test_the_rate_of_another_machine_does_not_count(
    roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.save(roots, "crops", "train", "first", 800.0)
    monkeypatch.setattr(platform, "node", lambda: "another")
    assert runs.load_rate(roots, "crops", "train") is None
    runs.save(roots, "crops", "train", "second")
    assert runs.load_rate(roots, "crops", "train") is None

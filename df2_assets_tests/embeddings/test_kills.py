"""Encoding that is killed, and the next run: finished parts stay, and the bytes are the same."""

import os
import signal
import sys
from pathlib import Path

import pytest

from df2_assets.embeddings.encoders import resolve_encoder
from df2_assets.embeddings.files import folder_of
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.progress import silent
from df2_assets.pipeline import embedding
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.conftest import disk, small
from df2_assets_tests.support import encoders, processes

__all__ = ["disk", "small"]

pytestmark = pytest.mark.slow

SPLIT = "train"
CROPS = 52
PROGRAM = """
import sys
from df2_assets.embeddings.encoders import resolve_encoder
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.progress import silent
from df2_assets.pipeline import embedding
from df2_assets_tests.checks import clean
from pathlib import Path

embedding._MOST, embedding._BATCH = 10, 4
roots = clean.roots_in(Path(sys.argv[1]))
embedding.embed_split(roots, "train", resolve_encoder(sys.argv[2]), LocalEngine(2), silent)
"""


def embed(roots: Roots, name: str) -> int:
    return embedding.embed_split(
        roots, SPLIT, resolve_encoder(name), LocalEngine(2), silent
    ).encoded


def parts(roots: Roots, name: str) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in Path(folder_of(roots, SPLIT, name)).glob("part-*")
    }


@pytest.mark.parametrize("encoder", [encoders.slow, encoders.slow_in_workers])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_keeps_its_parts_and_the_next_continues_after_them(
    disk: Roots, tmp_path: Path, encoder: object, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_MOST", 10)
    monkeypatch.setattr(embedding, "_BATCH", 4)
    name = encoders.setting(encoder)
    whole = clean.copied(disk, tmp_path / "whole")
    command = (sys.executable, "-c", PROGRAM, str(disk.sku_root.parent), name)
    env = {**os.environ, "PYTHONPATH": str(processes.PROJECT)}
    with processes.start(command, env, tmp_path) as process:
        processes.wait_until(lambda: len(parts(disk, name)) >= 2, process)
        children = processes.descendants(process.pid)
        process.signal(number)
        process.end()
        processes.assert_gone(children)
    finished = parts(disk, name)
    assert 2 <= len(finished) < 6

    assert embed(disk, name) == CROPS - 10 * len(finished)

    assert embed(whole, name) == CROPS
    assert parts(disk, name) == parts(whole, name)
    assert finished.items() <= parts(disk, name).items()
    assert {path.name for path in Path(folder_of(disk, SPLIT, name)).iterdir()} == {
        *parts(whole, name)
    }

"""Runs that make crop variants and are killed: the next one ends in the same bytes."""

import random
import signal
import time
from pathlib import Path

import pytest

from df2_assets.dataset.rendering import fingerprint
from df2_assets.dataset.variant_files import parse_variants
from df2_assets.pipeline.planning import read_known_crops
from df2_assets.store.crop_sets import variant_crops
from df2_assets.store.variants import list_variants
from df2_assets_tests.faults.arena import SPLIT, Arena, Undisturbed, arena
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import Started
from df2_assets_tests.support.snapshots import contract

IMAGES = 400
TWO = "variants: {square: {square: pad, size: 96}, cut: {cut_out: white, format: png}}"
OTHERS = (
    "variants: {square: {square: widen, size: 64, format: webp}, plain: {margin: 0.1}}",
    "variants: {cut: {cut_out: alpha, format: png}}",
)
"""Declarations that change, add and remove variants of `TWO`."""


def declare(ground: Arena, text: str) -> str:
    file = ground.station.folder / "variants.yaml"
    file.write_text(text)
    return str(file)


def files(ground: Arena) -> dict[str, bytes]:
    folder = Path(ground.roots.variants)
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def make(ground: Arena, text: str) -> None:
    with ground.command("variants", "--variants", declare(ground, text)) as process:
        done = process.end()
    assert done.returncode == 0, done


@pytest.fixture(scope="module")
def expected(
    undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], float]:
    """The files of `TWO` after a run that nothing disturbs, and its seconds."""
    ground = arena(tmp_path_factory.mktemp("expected"), undisturbed.df2_root)
    ground.rerun()
    start = time.monotonic()
    make(ground, TWO)
    return files(ground), time.monotonic() - start


def kill(ground: Arena, text: str, after: float, rng: random.Random) -> None:
    send = rng.choice((Started.signal, Started.signal_group))
    with ground.command("variants", "--variants", declare(ground, text)) as process:
        time.sleep(after)
        started = processes.descendants(process.pid)
        send(process, signal.SIGKILL)
        process.end()
        processes.assert_gone(started, 20)


def finished(ground: Arena) -> set[str]:
    """Return the files that manifests and journals list, and that are made as `TWO` declares."""
    return {
        row["crop_path"]
        for variant in parse_variants(TWO, "TWO")
        for row in read_known_crops(
            ground.roots, variant_crops(ground.roots, SPLIT, variant.name)
        ).to_pylist()
        if not row["reason"] and row["fingerprint"].endswith(f" {fingerprint(variant)}")
    }


def test_a_run_killed_at_any_moment_is_continued_and_ends_in_the_same_bytes(
    undisturbed: Undisturbed, expected: tuple[dict[str, bytes], float], faults: Faults
) -> None:
    """Variants are also changed, added and removed by runs that are killed in between."""
    expected_files, seconds = expected
    for rng, ground in faults.arenas(undisturbed.df2_root, short=2, long=30):
        ground.rerun()
        for _ in range(rng.choice((1, 2, 3))):
            text = rng.choice((TWO, TWO, *OTHERS))
            kill(ground, text, rng.uniform(0, 1.1 * seconds), rng)
            faults.count("kills")
        kill(ground, TWO, rng.uniform(0.3, 1) * seconds, rng)
        faults.count("kills")
        left = {path: (ground.sku / path).stat().st_mtime_ns for path in finished(ground)}
        make(ground, TWO)
        after = {path: (ground.sku / path).stat().st_mtime_ns for path in left}
        assert after == left
        assert files(ground) == expected_files
        assert contract(ground.sku) == undisturbed.contract
        assert list_variants(ground.roots, SPLIT) == ["cut", "square"]
        with ground.command("verify", "--deep") as process:
            done = process.end()
        assert done.returncode == 0, done

"""A data set built by processes on disk, and by Ray in a bucket: the same bytes."""

import hashlib
import os
import platform
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pytest

from df2_assets.sample import make_sample
from df2_assets_tests.objects.conftest import Source
from df2_assets_tests.objects.outputs import digest, digests, in_folder
from df2_assets_tests.support import processes
from df2_assets_tests.support.engines import raylets, two_nodes
from df2_assets_tests.support.object_store import ObjectStore, Place

pytestmark = pytest.mark.ray

SPLITS = ("train", "validation")
IMAGES = 150
BUILD = (*processes.DF2_ASSETS, "build", *(word for split in SPLITS for word in ("--split", split)))


@pytest.fixture(scope="module")
def faulty(store: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Draw a sample with planted defects, on disk and in the bucket."""
    pytest.importorskip("ray", reason="needs the ray extra")
    folder = make_sample(tmp_path_factory.mktemp("faulty") / "df2", IMAGES, defects=True).root
    place = Place(store, "faulty")
    place.upload(folder)
    return Source(folder, place.root)


def environment(home: Path, df2_root: Path, sku_root: object, engine: str) -> dict[str, str]:
    return processes.environment(
        home,
        DF2_ROOT=df2_root,
        SKU_ROOT=sku_root,
        DF2_ENGINE=engine,
        DF2_WORKERS=2,
        DF2_MAX_REFUSED=1,
    )


def digest_of_splits(files: dict[str, bytes]) -> str:
    """Return one digest of all splits, without their roots."""
    found = {split: sorted(digests(files, split).items()) for split in SPLITS}
    assert all(len(of) > 50 for of in found.values())
    return hashlib.sha256(repr(found).encode()).hexdigest()


@pytest.fixture(scope="module")
def expected_of_faulty(faulty: Source, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the digest of a build by local processes, from disk to disk."""
    folder = tmp_path_factory.mktemp("local")
    env = environment(folder / "home", faulty.folder, folder / "sku", "local")
    done = processes.run(BUILD, env, folder)
    assert done.returncode == 0, done
    return digest_of_splits(in_folder(folder / "sku"))


def test_the_digest_in_a_bucket_is_the_same_on_ray(
    source: Source,
    expected: dict[str, str],
    tmp_path: Path,
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    env = environment(tmp_path / "home", source.url, place.url, "ray")
    command = (*processes.DF2_ASSETS, "build", "--split", "train")
    done = processes.run(command, env, tmp_path)
    assert done.returncode == 0, done
    left = digests(place.contents())
    with capsys.disabled():
        click.echo(f"\n{place.store.kind}, ray: {digest(left)} (folder: {digest(expected)})")
    assert left == expected


def on_cluster(cluster: Any, df2_root: Path, sku_root: str, folder: Path) -> dict[str, str]:
    """Return the environment of a build on the cluster."""
    more = {"RAY_ADDRESS": cluster.address}
    return environment(folder / "home", df2_root, sku_root, "ray") | more


def test_workers_of_a_cluster_that_are_killed_between_puts_cost_no_crop(
    faulty: Source, expected_of_faulty: str, tmp_path: Path, place: Place
) -> None:
    killed: list[int] = []
    with two_nodes() as cluster:

        def kill(operation: str, path: str) -> None:
            """Kill the workers that are cutting when the first crop is put."""
            if operation == "put" and path.endswith(".jpg") and not killed:
                for raylet in raylets(cluster):
                    killed.extend(processes.workers(raylet))
                for pid in killed:
                    os.kill(pid, signal.SIGKILL)

        env = on_cluster(cluster, faulty.url, place.url, tmp_path)
        with place.store.failing(kill):
            done = processes.run(BUILD, env, tmp_path)
    assert done.returncode == 0, done
    assert killed
    assert "A worker process ended unexpectedly" in done.stderr
    assert digest_of_splits(place.contents()) == expected_of_faulty


def test_a_node_that_does_not_know_the_store_is_named(
    faulty: Source, tmp_path: Path, place: Place
) -> None:
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as of_nodes:
            for name in place.store.environment:
                of_nodes.delenv(name)
            of_nodes.setenv("AWS_EC2_METADATA_DISABLED", "true")
            cluster = stack.enter_context(two_nodes())
        env = on_cluster(cluster, faulty.url, place.url, tmp_path)
        done = processes.run(BUILD, env, tmp_path)
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert len(said) == 2 * len(SPLITS), done
    for problem, where in zip(said[::2], said[1::2], strict=True):
        assert "no usable credentials" in problem
        assert where == f"On Ray's node {platform.node()}, with the environment that it has there."
    assert not any(name.startswith(SPLITS) for name in place.tags())

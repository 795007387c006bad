"""A data set on this machine and in a bucket, and the result of a local build."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from df2_assets.sample import make_sample
from df2_assets_tests.objects.outputs import digests, in_folder
from df2_assets_tests.support.object_store import ObjectStore, Place, serving
from df2_assets_tests.support.run import build

IMAGES = 100


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder as tests that need the extras."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.objects)


@dataclass(frozen=True)
class Source:
    """A data set as a folder, and a copy of it in the bucket."""

    folder: Path
    url: Path


def on(*kinds: str) -> pytest.MarkDecorator:
    """Run a test on these stores of `SERVERS`. By default, tests run on `s3` only."""
    return pytest.mark.parametrize("store", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], ObjectStore]]:
    """Start each server when a test first needs it. It runs until the tests end."""
    pytest.importorskip("obstore", reason="needs the objects extra")
    pytest.importorskip("moto", reason="needs the e2e extra")
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(serving(kind)))


@pytest.fixture(scope="session", params=["s3"])
def store(
    request: pytest.FixtureRequest, servers: Callable[[str], ObjectStore]
) -> Iterator[ObjectStore]:
    """Provide a server, which this process knows only by its environment."""
    running = servers(request.param)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("source") / "df2", images=IMAGES).root


@pytest.fixture(scope="session")
def source(store: ObjectStore, sample: Path) -> Source:
    place = Place(store, "df2")
    place.upload(sample)
    return Source(sample, place.root)


@pytest.fixture(scope="session")
def local(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from folder to folder."""
    sku_root = tmp_path_factory.mktemp("local") / "sku"
    assert build(sample, sku_root).problems == []
    return sku_root


@pytest.fixture(scope="session")
def expected(local: Path) -> dict[str, str]:
    """Return the digests of the local build."""
    return digests(in_folder(local))


@pytest.fixture
def place(store: ObjectStore, request: pytest.FixtureRequest) -> Place:
    """Provide an empty place in the bucket for one test."""
    return Place(store, f"out/{request.node.name}".replace("[", "-").rstrip("]"))


@pytest.fixture
def changing(source: Source, place: Place) -> Place:
    """Provide a place with a copy of `train` in `df2`, which is built to `sku`."""
    (place / "df2/train").upload(source.folder / "train")
    assert build((place / "df2").root, (place / "sku").root).problems == []
    return place

"""A data set on this machine and in a bucket, and what a build of it on this machine leaves."""

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
    """All tests of this folder need the extras."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.objects)


@dataclass(frozen=True)
class Source:
    """A data set as a folder, and the same one in the bucket."""

    folder: Path
    url: Path


def on(*kinds: str) -> pytest.MarkDecorator:
    """Run a test on these stores of `SERVERS`; without, tests run on `s3` alone."""
    return pytest.mark.parametrize("store", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], ObjectStore]]:
    """Each server, started when a test first asks for it: a client finds it until the tests end."""
    pytest.importorskip("obstore", reason="needs the objects extra")
    pytest.importorskip("moto", reason="needs the e2e extra")
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(serving(kind)))


@pytest.fixture(scope="session", params=["s3"])
def store(
    request: pytest.FixtureRequest, servers: Callable[[str], ObjectStore]
) -> Iterator[ObjectStore]:
    """A server, known to this process by its environment alone."""
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
    """What a build from folder to folder leaves."""
    sku_root = tmp_path_factory.mktemp("local") / "sku"
    assert build(sample, sku_root).problems == []
    return sku_root


@pytest.fixture(scope="session")
def expected(local: Path) -> dict[str, str]:
    """Its digests."""
    return digests(in_folder(local))


@pytest.fixture
def place(store: ObjectStore, request: pytest.FixtureRequest) -> Place:
    """A place of the test's own in the bucket."""
    return Place(store, f"out/{request.node.name}".replace("[", "-").rstrip("]"))


@pytest.fixture
def changing(source: Source, place: Place) -> Place:
    """The same with a copy of the data set's `train`, which is built from `df2` to `sku` there."""
    (place / "df2/train").upload(source.folder / "train")
    assert build((place / "df2").root, (place / "sku").root).problems == []
    return place

"""A data set on this machine and in a bucket, and what a build of it on this machine leaves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from df2_assets.sample import make_sample
from df2_assets.store.location import locate
from df2_assets_tests.support.object_store import ObjectStore, serving
from df2_assets_tests.support.run import build

BUCKET = "garments"
IMAGES = 100


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the extras."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.s3)


@dataclass(frozen=True)
class Source:
    """A data set as a folder, and the same one in the bucket."""

    folder: Path
    url: Path


@pytest.fixture(scope="session")
def store() -> Iterator[ObjectStore]:
    """The server, with a bucket, known to this process by its environment alone."""
    pytest.importorskip("s3fs", reason="needs the s3 extra")
    pytest.importorskip("moto", reason="needs the e2e extra")
    with serving() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        running.make_bucket(BUCKET)
        yield running


@pytest.fixture(scope="session")
def source(store: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = make_sample(tmp_path_factory.mktemp("source") / "df2", images=IMAGES).root
    store.upload(folder, BUCKET, "df2")
    return Source(folder, locate(f"s3://{BUCKET}/df2"))


@pytest.fixture(scope="session")
def local(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build from folder to folder leaves."""
    sku_root = tmp_path_factory.mktemp("local") / "sku"
    assert build(source.folder, sku_root).problems == []
    return sku_root


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A place of the test's own in the bucket."""
    return f"out/{request.node.name}".replace("[", "-").rstrip("]")

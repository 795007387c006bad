"""A build survives a store that fails occasionally, and reports one that fails permanently."""

import pytest

from df2_assets_tests.objects.conftest import Source, on
from df2_assets_tests.objects.outputs import crops, digests
from df2_assets_tests.support.object_store import Place, sprinkled
from df2_assets_tests.support.run import build

pytestmark = on("s3", "azure")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the client give up soon."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")


def test_a_build_ends_complete_though_requests_fail_now_and_then(
    source: Source, expected: dict[str, str], place: Place
) -> None:
    before = place.store.gate.failed.copy()
    kinds = {11: "500", 13: "503", 37: "cut", 400: "hang"}
    with place.store.failing(sprinkled(kinds)):
        assert build(source.url, place.root).problems == []
    failed = place.store.gate.failed - before
    assert all(failed[kind] for kind in kinds.values()), failed
    assert digests(place.contents()) == expected


@pytest.mark.usefixtures("impatient")
def test_a_build_whose_puts_are_refused_says_so_and_the_next_one_keeps_finished_crops(
    source: Source, expected: dict[str, str], place: Place
) -> None:
    enough = len(crops(expected)) // 2
    puts = 0

    def fault(operation: str, path: str) -> str | None:
        nonlocal puts
        puts += operation == "put" and path.endswith(".jpg")
        return "500" if puts > enough and operation == "put" and path.endswith(".jpg") else None

    with place.store.failing(fault):
        (problem,) = build(source.url, place.root).problems
    assert f"{place.url}/train/" in problem
    assert "the store answers with an error (InternalError)" in problem
    assert "\n" not in problem
    finished = (place / "train").tags()
    assert len(finished) >= enough
    resumed = build(source.url, place.root)
    assert resumed.problems == []
    kept = (place / "train").tags()
    again = {name for name in finished if kept[name] != finished[name]}
    assert len(again) < len(finished), "nothing that was finished was kept"
    assert int(resumed.runs[0].numbers["crops"]["unchanged"]) > 0
    assert digests(place.contents()) == expected


@pytest.mark.usefixtures("impatient")
def test_a_source_that_cannot_be_read_ends_the_build_and_refuses_no_image(
    source: Source, expected: dict[str, str], place: Place
) -> None:
    def fault(operation: str, path: str) -> str | None:
        return "500" if operation == "get" and path.endswith("5.jpg") else None

    with place.store.failing(fault):
        (problem,) = build(source.url, place.root).problems
    assert f"{source.url}/train/image/" in problem
    assert build(source.url, place.root).problems == []
    assert digests(place.contents()) == expected


@pytest.mark.usefixtures("impatient")
def test_credentials_that_expire_during_a_build_are_named_and_nothing_is_lost(
    source: Source, expected: dict[str, str], place: Place
) -> None:
    enough = len(crops(expected)) // 2
    scheme = place.url.partition(":")[0]
    puts = 0

    def fault(operation: str, path: str) -> str | None:
        nonlocal puts
        puts += operation == "put" and path.endswith(".jpg")
        return f"expired in {scheme}" if puts > enough else None

    with place.store.failing(fault):
        problems = build(source.url, place.root).problems
    assert problems
    assert any("credentials" in problem for problem in problems), problems
    if scheme == "s3":
        assert any("expired" in problem for problem in problems), problems
    assert len((place / "train").tags()) >= enough

    (place / "_df2_assets/locks").delete("train.lock")  # nobody could give it back
    assert build(source.url, place.root).problems == []
    assert digests(place.contents()) == expected

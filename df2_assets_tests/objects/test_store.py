"""All servers behave in the same way: S3 twice, Azure, Google Cloud."""

import pytest

from df2_assets.store.lease import Conflict
from df2_assets.store.location import locate
from df2_assets.store.objects import PAGE, ObjectStore, run_each, stamp
from df2_assets_tests.objects.conftest import on
from df2_assets_tests.support.object_servers import SERVERS
from df2_assets_tests.support.object_store import Place

pytestmark = on(*SERVERS)


@pytest.fixture
def tested(place: Place) -> ObjectStore:
    store = locate(place.url).store
    assert isinstance(store, ObjectStore)
    return store


def test_an_object_is_put_only_if_it_is_new_or_the_one_that_was_read(
    tested: ObjectStore, place: Place
) -> None:
    path = f"{place.url}/lock"
    first = tested.put(path, b"first", "create")
    with pytest.raises(Conflict):
        tested.put(path, b"another", "create")
    second = tested.put(path, b"second", first)
    with pytest.raises(Conflict):
        tested.put(path, b"another", first)
    assert tested.get(path) == (b"second", second)
    place.delete("lock")
    with pytest.raises(Conflict):
        tested.put(path, b"another", second)


@pytest.mark.parametrize("size", [0, 7, 6_000_000])
def test_an_object_has_the_same_status_in_every_request(
    tested: ObjectStore, place: Place, size: int
) -> None:
    path, data = f"{place.url}/folder/a b+c%d é#=&.bin", bytes(size)
    status = size, stamp(tested.put(path, data))
    assert tested.head(path) == status
    assert list(tested.list_objects(place.url)) == [("folder/a b+c%d é#=&.bin", status)]
    assert (tested.get(path)[0], stamp(tested.get(path)[1])) == (data, status[1])
    assert place.get("folder/a b+c%d é#=&.bin") == data
    place.put("folder/a b+c%d é#=&.bin", data + b"more")
    assert tested.head(path) != status


def test_a_part_of_an_object_ends_where_the_object_does(tested: ObjectStore, place: Place) -> None:
    place.put("ten", b"0123456789")
    place.put("empty", b"")
    ten = f"{place.url}/ten"
    assert [tested.part(ten, at, 4) for at in (0, 8, 10)] == [b"0123", b"89", b""]
    assert tested.part(f"{place.url}/empty", 0, 4) == b""
    assert tested.read_end(ten, 3).endswith(b"789")


def test_objects_are_deleted_though_some_are_missing(tested: ObjectStore, place: Place) -> None:
    for name in ("first", "last", "kept"):
        place.put(name, b"")
    tested.delete(*(f"{place.url}/{name}" for name in ("first", "missing", "last")))
    assert set(place.tags()) == {"kept"}
    tested.delete(f"{place.url}/missing")


def test_a_copy_has_the_bytes_and_a_missing_object_is_named(
    tested: ObjectStore, place: Place
) -> None:
    place.put("folder/a b+%é.bin", b"copied")
    ((name, time),) = tested.link(place.url, [("folder/a b+%é.bin", "other/name.bin")])
    assert (name, place.get(name)) == ("other/name.bin", b"copied")
    assert tested.stat(f"{place.url}/{name}").st_mtime_ns == time
    with pytest.raises(FileNotFoundError, match=f"{place.url}/missing"):
        tested.get(f"{place.url}/missing")


def test_all_pages_of_a_listing_are_read_and_a_neighbour_is_not(
    tested: ObjectStore, place: Place
) -> None:
    names = {f"many/{number % 3}/{number:05d}.jpg" for number in range(PAGE + 50)}
    for _ in run_each(lambda name: place.put(name, b""), [*names, "many-more/1.jpg"]):
        pass
    assert {f"many/{name}" for name, _ in tested.list_objects(f"{place.url}/many")} == names
    assert sorted(tested.folders(f"{place.url}/many")) == ["0", "1", "2"]
    assert sorted(tested.names(place.url)) == ["many", "many-more"]
    tested.delete(*(f"{place.url}/{name}" for name in names))
    assert set(place.tags()) == {"many-more/1.jpg"}


def test_the_clock_of_the_store_decides_the_age_of_an_object(
    tested: ObjectStore, place: Place
) -> None:
    place.put("old", b"")
    assert tested.age(f"{place.url}/old") >= 0
    assert set(place.tags()) == {"old"}

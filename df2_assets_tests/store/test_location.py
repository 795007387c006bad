"""Roots in the form that users write: paths, and URLs of object stores."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets.errors import RootsError, SettingsError
from df2_assets.settings import make_roots
from df2_assets.store.layout import require_safe_roots
from df2_assets.store.location import Location, locate, store_at


@pytest.mark.parametrize("root", ["s3://bucket/a b/sku/", "/data/a b/sku/"])
def test_an_address_survives_the_operations_of_pathlib(root: str) -> None:
    place = locate(root)
    assert str(place) == root[:-1]
    table = place / "_df2_assets/tables" / "train.parquet"
    assert str(table) == f"{root}_df2_assets/tables/train.parquet"
    assert str(table.with_suffix(".json").parent) == f"{root}_df2_assets/tables"
    assert table.relative_to(place).as_posix() == "_df2_assets/tables/train.parquet"
    assert pickle.loads(pickle.dumps(table)) == table  # noqa: S301 - just pickled
    assert {type(one) for one in (place, table, table.parent)} == {Location}
    store = pickle.loads(pickle.dumps(table.store))  # noqa: S301 - just pickled
    assert store.uri(table) == table.as_uri()


def test_a_place_of_this_machine_is_the_path_that_names_it(tmp_path: Path) -> None:
    place = locate(str(tmp_path)) / "file"
    place.write_text("text")
    assert place == tmp_path / "file"
    assert (place.read_text(), os.path.getsize(place)) == ("text", 4)
    assert store_at(place) is store_at("relative/path")


@pytest.mark.parametrize("text", ["crlf\r", "a\nb", "caf\udce9", "s3://bucket/a\rb"])
def test_a_root_is_plain_text(text: str) -> None:
    with pytest.raises(RootsError, match="in UTF-8 and without control characters") as refused:
        locate(text)
    assert str(refused.value).isprintable()


def test_an_unknown_home_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="home folder of ~nobody-here is unknown"):
        locate("~nobody-here/x")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # no HOME, and an unknown user
    with pytest.raises(SettingsError, match="home folder of ~ is unknown"):
        locate("~/x")


def test_without_a_home_a_root_is_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    require_safe_roots(make_roots(str(tmp_path / "df2"), str(tmp_path / "sku")))


def test_an_object_cannot_be_used_as_a_local_file() -> None:
    path = locate("s3://bucket/key")
    uses: list[Callable[[Path], object]]
    uses = [os.listdir, Path.mkdir, Path.rmdir, lambda path: path.write_bytes(b"")]
    for use in uses:
        with pytest.raises(TypeError, match="s3://bucket/key is not a file on this machine"):
            use(path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://key:secret@bucket/sku", "contains a user, password or query"),
        ("abfs://key:secret@bucket/sku", "contains a user, password or query"),
        ("s3://bucket/sku?versionId=1", "contains a user, password or query"),
        ("s3://bucket/sku#part", "contains a user, password or query"),
        ("s3://", "names no bucket"),
        ("s3:///sku", "names no bucket"),
        ("file:///data/sku", "names no bucket"),
        ("s3://bucket//sku", "contains an empty part"),
        ("s3://bucket/../other", "contains an empty part"),
        ("sthree://bucket/sku", r"sthree:// cannot be used: give a path, or s3://, gs:// or az://"),
    ],
)
def test_a_url_that_cannot_be_a_root_is_refused_without_its_secrets(url: str, said: str) -> None:
    with pytest.raises(RootsError, match=said) as refused:
        locate(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("df2", "sku"),
    [
        ("s3://bucket/data", "s3://bucket/data"),
        ("s3://bucket/data", "s3://bucket/data/sku"),
        ("s3://bucket/data/df2", "s3://bucket/data/"),
        ("s3://bucket/df2", "s3://bucket"),
        ("s3://bucket/data", "s3a://bucket/data"),
        ("s3a://bucket/data", "s3://bucket/data/sku"),
        ("s3://bucket/data/df2", "s3a://bucket/data"),
        ("gs://bucket/data", "gcs://bucket/data/sku"),
        ("az://container/data", "azure://container/data/sku"),
    ],
)
def test_roots_inside_each_other_are_refused(
    df2: str, sku: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "df2_assets.store.layout._holds_any_split", lambda folder: True
    )  # asks no store
    with pytest.raises(RootsError, match="one is inside the other"):
        require_safe_roots(make_roots(df2, sku))


def test_roots_next_to_each_other_are_accepted(tmp_path: Path) -> None:
    sources = ("s3://bucket/data", "gs://bucket/data2", "s3://other/data2/sku", f"{tmp_path}/df2")
    for df2 in sources:
        for sku in ("s3://bucket/data2", "s3a://bucket/data2", f"{tmp_path}/sku"):
            require_safe_roots(make_roots(df2, sku))

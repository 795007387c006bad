"""Roots as they are given: paths, and URLs of object stores."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets.errors import RootsError, SettingsError
from df2_assets.settings import make_roots
from df2_assets.store.layout import require_safe_roots
from df2_assets.store.location import locate
from df2_assets.store.objects.client import Conflict, client, stamp
from df2_assets.store.objects.path import ObjectPath


def test_a_url_stays_one_whatever_is_done_with_its_names() -> None:
    root = locate("s3://bucket/a b/sku/")
    assert str(root) == "s3://bucket/a b/sku"
    table = root / "_df2_assets/tables" / "train.parquet"
    assert str(table) == "s3://bucket/a b/sku/_df2_assets/tables/train.parquet"
    assert str(table.with_suffix(".json").parent) == "s3://bucket/a b/sku/_df2_assets/tables"
    assert table.relative_to(root).as_posix() == "_df2_assets/tables/train.parquet"
    assert pickle.loads(pickle.dumps(table)) == table  # noqa: S301 - just pickled
    assert table.as_uri() == f"{table}"


@pytest.mark.parametrize("text", ["crlf\r", "a\nb", "caf\udce9", "s3://bucket/a\rb"])
def test_a_root_is_plain_text(text: str) -> None:
    with pytest.raises(RootsError, match="in UTF-8 and without control characters") as refused:
        locate(text)
    assert str(refused.value).isprintable()


def test_an_unknown_home_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="home folder of ~nobody-here is not known"):
        locate("~nobody-here/x")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # no HOME, and an unknown user
    with pytest.raises(SettingsError, match="home folder of ~ is not known"):
        locate("~/x")


def test_without_a_home_a_root_is_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    require_safe_roots(make_roots(str(tmp_path / "df2"), str(tmp_path / "sku")))


def test_nothing_takes_an_object_for_a_file_of_this_machine() -> None:
    path = ObjectPath("s3://bucket/key")
    uses: list[Callable[[ObjectPath], object]]
    uses = [os.listdir, ObjectPath.mkdir, ObjectPath.rmdir, lambda path: path.write_bytes(b"")]
    for use in uses:
        with pytest.raises(TypeError, match="s3://bucket/key is no file of this machine"):
            use(path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://key:secret@bucket/sku", "has a user, password or query in it"),
        ("s3://bucket/sku?versionId=1", "has a user, password or query in it"),
        ("s3://bucket/sku#part", "has a user, password or query in it"),
        ("s3://", "names no bucket"),
        ("s3:///sku", "names no bucket"),
        ("file:///data/sku", "names no bucket"),
        ("s3://bucket//sku", "has an empty part"),
        ("s3://bucket/../other", "has an empty part"),
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
    ],
)
def test_roots_inside_each_other_are_refused(df2: str, sku: str) -> None:
    with pytest.raises(RootsError, match="one lies in the other"):
        require_safe_roots(make_roots(df2, sku))


def test_roots_side_by_side_are_not_whatever_they_are(tmp_path: Path) -> None:
    sources = ("s3://bucket/data", "gs://bucket/data2", "s3://other/data2/sku", f"{tmp_path}/df2")
    for df2 in sources:
        for sku in ("s3://bucket/data2", "s3a://bucket/data2", f"{tmp_path}/sku"):
            require_safe_roots(make_roots(df2, sku))


def test_any_store_that_fsspec_knows_is_asked_for_the_same_things() -> None:
    memory = client("memory")
    tag = memory.put("box/a/one", b"first", only_new=True)
    with pytest.raises(Conflict):
        memory.put("box/a/one", b"second", only_new=True)
    assert memory.get("box/a/one", 1, 3)[0] == b"ir"
    assert memory.get("box/a/one", -2)[0] == b"st"
    other = memory.put("box/a/one", b"third", instead_of=tag)
    with pytest.raises(Conflict):
        memory.put("box/a/one", b"fourth", instead_of=tag)
    assert stamp(tag) != stamp(other)
    memory.put("box/a/deep/two", b"")
    found = {one.name: one.size for one in memory.listed("box/a", deep=False)}
    assert found == {"one": 5, "deep": None}
    assert {one.name for one in memory.listed("box/a", deep=True)} == {"one", "deep/two"}
    assert {one.tag for one in memory.listed("box/a", deep=False) if one.name == "one"} == {other}
    copied = memory.copy("box/a/one", "box/a/deep/two")
    assert memory.get("box/a/deep/two") == (b"third", copied)
    memory.delete(["box/a/one", "box/a/deep/two", "box/a/never"])
    assert list(memory.listed("box/a", deep=True)) == []
    with pytest.raises(FileNotFoundError):
        memory.get("box/a/one")

"""The server of the reports serves what people look at, and no other file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from df2_assets.report.addresses import address, data_set_id
from df2_assets.settings import Settings
from df2_assets_tests.support.reports import Served, running

CROP = "train/catalog/000001_01_05/000001_item1.jpg"
SERVED = {
    "sku/_df2_assets/report/train/index.html": "text/html; charset=utf-8",
    "sku/_df2_assets/report/train/static/gallery-1.js": "text/javascript; charset=utf-8",
    "sku/_df2_assets/report/train/thumbs/001/000001_01_05-1.jpg": "image/jpeg",
    "sku/_df2_assets/exports/coco/train/README.md": "text/plain; charset=utf-8",
    f"sku/{CROP}": "image/jpeg",
    f"sku/_df2_assets/variants/square224/{CROP}": "image/jpeg",
    f"sku/_df2_assets/variants/cut_out/{CROP[:-4]}.png": "image/png",
    f"sku/_df2_assets/variants/cut_out/{CROP[:-4]}.webp": "image/webp",
    "df2/train/image/000001.jpg": "image/jpeg",
    "df2/train/annos/000001.json": "application/json",
}
NOT_SERVED = (
    "sku/train_sku_metadata.json",
    "sku/_df2_assets/state/train.json",
    "sku/_df2_assets/variants/square224/train/notes.txt",
    "sku/_df2_assets/exports/coco/train/annotations.json",
    "sku/_df2_assets/report/train/.index.html.tmp",
    "sku/_df2_assets/report/train",
    "sku/_df2_assets/report/train/",
    "sku/",
    "df2/train/image",
    "df2/secret.json",
    "df2/train/secret.json",
)
SECRET = b"nobody may read this"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(df2_root=folder / "df2", sku_root=str(folder / "sku"))
    for name in (*SERVED, *(name for name in NOT_SERVED if Path(name).suffix)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() if name in SERVED else SECRET)
    (folder / "secret.jpg").write_bytes(SECRET)
    (folder / "secret").mkdir()
    (folder / "secret" / "000001_item1.jpg").write_bytes(SECRET)
    for link, target in {
        "df2/train/image/000009.jpg": folder / "secret.jpg",
        "df2/train/image/000008.jpg": folder / "df2/train/image/000008.jpg",
        "sku/train/query": folder / "secret",
        "sku/train/catalog/000001_01_05/000009_item1.jpg": folder / "sku/train_sku_metadata.json",
        "sku/_df2_assets/report/train/state": folder / "sku/_df2_assets/state",
    }.items():
        (folder / link).symlink_to(target)
    with running(settings) as server:
        yield server


@pytest.mark.parametrize("name", SERVED)
def test_what_people_look_at_is_served_with_its_type(served: Served, name: str) -> None:
    status, headers, body = served.get_file(name)
    assert (status, body) == (200, name.encode())
    assert headers["Content-Type"] == SERVED[name]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert served.get_file(name, **{"If-None-Match": headers["ETag"]})[0] == 304


def test_the_address_of_a_file_is_where_it_is_served(served: Served) -> None:
    page = served.settings.roots.gallery("train")
    at = address(served.settings, page)
    assert at.startswith("http://127.0.0.1:3001/")
    assert served.get(at.removeprefix("http://127.0.0.1:3001"))[2] == (
        b"sku/_df2_assets/report/train/index.html"
    )


@pytest.mark.parametrize("name", NOT_SERVED)
def test_no_other_file_and_no_folder_is_served(served: Served, name: str) -> None:
    status, _, body = served.get_file(name)
    assert status == 404
    assert SECRET not in body


@pytest.mark.parametrize("up", ["..", "%2e%2e", "..%2f..", "..%5c..", ".%00.", "%252e%252e"])
@pytest.mark.parametrize(
    "where", ["sku/_df2_assets/report/train", "sku/train/catalog/x", "df2/train/image"]
)
def test_no_path_leads_out_of_a_folder(served: Served, where: str, up: str) -> None:
    for steps in range(1, 9):
        for target in ("secret.jpg", "secret.json", "train_sku_metadata.json", "etc/passwd"):
            status, _, body = served.get_file("/".join([where, *[up] * steps, target]))
            assert status == 404, (up, steps, target)
            assert SECRET not in body
            assert b"root:" not in body


@pytest.mark.parametrize(
    "name",
    [
        "//etc/passwd",
        "sku//etc/passwd",
        "sku/%2fetc%2fpasswd",
        "df2/train/image//etc/passwd",
        "df2/train/image/%2fetc%2fpasswd",
        "df2/train/image/000001.jpg%00",
        "df2/train/image/000001.jpg%00.json",
        "sku/_df2_assets/report/train/index.html%00",
        "df2/train/image/" + 300 * "a" + ".jpg",
        "df2/train/image/%ff%fe.jpg",
        "df2/train/image/C:\\secret.jpg",
    ],
)
def test_absolute_long_and_broken_paths_are_not_found(served: Served, name: str) -> None:
    assert served.get_file(name)[0] == 404


@pytest.mark.parametrize(
    "name",
    [
        "df2/train/image/000009.jpg",
        "df2/train/image/000008.jpg",
        "sku/train/query/000001_item1.jpg",
        "sku/train/query/x/000001_item1.jpg",
        "sku/train/catalog/000001_01_05/000009_item1.jpg",
        "sku/_df2_assets/report/train/state/train.json",
    ],
)
def test_a_link_gives_access_only_to_files_that_are_served(served: Served, name: str) -> None:
    status, _, body = served.get_file(name)
    assert status == 404
    assert SECRET not in body


def test_a_folder_of_originals_may_be_a_link(served: Served, tmp_path: Path) -> None:
    (tmp_path / "df2" / "train").mkdir(parents=True)
    (tmp_path / "df2" / "train" / "image").symlink_to(served.folders["df2"] / "train" / "image")
    settings = Settings(df2_root=tmp_path / "df2", sku_root=str(tmp_path / "sku"))
    with running(settings) as server:
        assert server.get_file("df2/train/image/000001.jpg")[0] == 200
        assert server.get_file("df2/train/annos/000001.json")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_only_reads(served: Served, method: str) -> None:
    for name in SERVED:
        assert served.get_file(name, method=method)[0] == 405
        assert (served.folders["sku"].parent / name).read_bytes() == name.encode()


def test_a_request_for_another_data_set_gets_the_name_of_this_one(served: Served) -> None:
    status, _, body = served.get("/another-00000000/sku/_df2_assets/report/train/index.html")
    assert status == 404
    assert f"This server shows {served.folders['sku']}" in body.decode()
    status, _, body = served.get_file("sku/_df2_assets/report/test/index.html")
    assert body.decode() == f"The reports of {served.folders['sku']} have no such file.\n"


def test_the_front_page_leads_to_the_galleries_that_are_there(served: Served) -> None:
    status, _, body = served.get("/")
    assert status == 200
    page = body.decode()
    name = data_set_id(served.settings.roots)
    assert f'href="{name}/sku/_df2_assets/report/train/index.html"' in page
    assert "validation" not in page


def test_a_host_name_that_resolves_to_this_machine_is_refused(served: Served) -> None:
    assert served.get_file(next(iter(SERVED)), host="evil.example.org")[0] == 400
    assert served.get_file(next(iter(SERVED)), host=f"localhost:{served.port}")[0] == 200

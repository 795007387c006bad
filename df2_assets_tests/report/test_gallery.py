"""The files of a gallery: complete, deterministic, incremental and without active content."""

import json
import re
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from PIL import Image

from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.report.gallery import site as gallery_site
from df2_assets.report.gallery.build import TABLES, Gallery, build_gallery
from df2_assets.report.gallery.content import make_script
from df2_assets.store import tables
from df2_assets_tests.support.site import SPLIT, USER_TOP, Site, write_and_build

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028'\"&"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = write_and_build(tmp_path_factory.mktemp("gallery"))
    assert site.materialize("crop_quality", "gallery") is None
    return site


@pytest.fixture
def site(built: Site, tmp_path: Path) -> Site:
    return built.copy(tmp_path)


def build(site: Site) -> Gallery:
    return build_gallery(site.roots, SPLIT, frames(site), SerialEngine(), silent)


def frames(site: Site) -> dict[str, pd.DataFrame]:
    return {asset: tables.frame(tables.read(site.roots, asset, SPLIT)) for asset in TABLES}


def folder(site: Site) -> Path:
    return site.roots.gallery(SPLIT).parent


def content(site: Site) -> dict[str, bytes]:
    root = folder(site)
    paths = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def page_of(site: Site) -> str:
    return site.roots.gallery(SPLIT).read_text(encoding="utf-8")


def index(site: Site) -> dict[str, object]:
    """Return what the page knows about the SKUs."""
    (path,) = folder(site).glob("data/index-*.js")
    call = re.fullmatch(r"df2\.index\((.*)\);\n", path.read_text(encoding="ascii"))
    assert call
    found: dict[str, object] = json.loads(call[1])
    return found


def test_every_sku_is_in_it_with_its_crops_and_prompts(built: Site) -> None:
    found = index(built)
    kinds = ("01_01", "02_08")
    assert found["ids"] == [f"{pair:06d}_{kind}" for pair in (1, 2, 3) for kind in kinds]
    assert found["catalog"] == [1] * 6
    assert found["query"] == [2, 1] * 3
    catalog, query = ([domain, 0, 1, 1, 0] for domain in (0, 1))  # frontal, modest, not zoomed
    assert found["looks"] == [catalog, query]
    assert found["crops"] == [[0, 1, 1], [0, 1]] * 3
    assert found["tiles"] == [[[0], [1, 1]], [[0], [1]]] * 3
    prompts = found["prompts"]
    assert isinstance(prompts, dict)
    assert prompts["8"]["10"] == "A user photo of a person wearing a trousers from the front."


def test_a_label_that_was_not_given_is_a_look_of_its_own(site: Site) -> None:
    shown = frames(site)
    groups = shown["sku_groups"]
    groups.loc[groups["crop_path"] == f"{SPLIT}/{USER_TOP}", "scale"] = None
    build_gallery(site.roots, SPLIT, shown, SerialEngine(), silent)
    found = index(site)
    assert found["looks"] == [[0, 0, 1, 1, 0], [1, 0, 1, 3, 0], [1, 0, 1, 1, 0]]
    assert found["crops"] == [[0, 1, 2], [0, 2], *([[0, 2, 2], [0, 2]] * 2)]
    assert found["labels"]["scale"] == ["small", "modest", "large"]  # type: ignore[index]


def test_a_crop_of_another_split_is_named_with_it_and_is_no_link(site: Site) -> None:
    offenders = pd.DataFrame(
        {
            "sku_id": ["000001_01_01"],
            "crop_path": [f"{SPLIT}/{USER_TOP}"],
            "like": [f"validation/{USER_TOP}"],
            "like_sku_uid": ["validation/000001_01_01"],
        }
    )
    path = site.roots.offenders("crop_quality", "near_duplicate_crops", SPLIT)
    path.parent.mkdir(parents=True, exist_ok=True)
    offenders.to_parquet(path)
    build(site)
    page = page_of(site)
    link = '<a href="#/sku/000001_01_01">'
    assert f"<figcaption>{link}{SPLIT}/000001_01_01</a></figcaption>" in page
    assert "<figcaption>validation/000001_01_01</figcaption>" in page
    assert page.count(link) == 2
    assert "<td>validation/000001_01_01</td>" in page


def test_the_page_refers_to_every_file_and_all_thumbnails_exist(built: Site) -> None:
    files = content(built)
    page = files["index.html"].decode()
    listed = index(built)
    assert isinstance(listed["details"], list)
    named = [*re.findall(r'"((?:data|static)/[^"]+)"', page), *listed["details"], listed["images"]]
    thumbs = [
        f"thumbs/{sku[3:6]}/{sku}-{digest}.jpg"
        for sku, digest in zip(listed["ids"], listed["sheets"], strict=True)  # type: ignore[call-overload]
    ]
    assert sorted({"index.html", *named, *thumbs}) == sorted(files)


def test_a_thumbnail_shows_catalog_above_query(site: Site) -> None:
    for path in (site.sku / SPLIT / "catalog" / "000001_01_01").iterdir():
        Image.new("RGB", (90, 120), "red").save(path)
    for path in (site.sku / SPLIT / "query" / "000001_01_01").iterdir():
        Image.new("RGB", (90, 120), "blue").save(path)
    (old,) = folder(site).glob("thumbs/001/000001_01_01-*.jpg")
    old.unlink()
    assert build(site).site.drawn == 1
    with Image.open(old) as sheet:
        upper, lower = (sheet.getpixel((50, y)) for y in (70, 210))
    assert isinstance(upper, tuple)
    assert isinstance(lower, tuple)
    assert upper[0] > 200 > 60 > upper[2]
    assert lower[2] > 200 > 60 > lower[0]


def test_an_unchanged_gallery_is_not_written_again(site: Site) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder(site).rglob("*")}
    assert build(site).site.drawn == 0
    assert {path: path.stat().st_mtime_ns for path in folder(site).rglob("*")} == before


def test_another_build_of_the_same_data_has_the_same_bytes(built: Site, site: Site) -> None:
    for path in sorted(folder(site).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    build(site)
    assert content(site) == content(built)


def test_changed_thumbnails_are_drawn_again_and_obsolete_ones_removed(
    site: Site,
) -> None:
    before = set(content(site))
    site.data.image(SPLIT, 12, (160, 120), seed="another picture")
    for image in (31, 32, 33):
        site.annotation(image).unlink()
    site.build()
    assert site.materialize("crop_quality", "gallery") is None
    after = set(content(site))
    thumbs = {name[11:23] for name in after - before if name.startswith("thumbs")}
    assert thumbs == {"000001_01_01", "000001_02_08"}
    assert not [name for name in after if "000003_" in name]
    assert len([name for name in after if name.startswith("data/index")]) == 1


def test_if_the_page_cannot_be_written_the_old_one_is_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(site)
    site.data.image(SPLIT, 12, (160, 120), seed="another picture")
    site.build()
    site.materialize("crop_quality")

    def fail(**values: object) -> str:
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(gallery_site, "_render", fail)
    with pytest.raises(RuntimeError, match="stops here"):
        build(site)
    assert {name: data for name, data in content(site).items() if name in before} == before


def test_an_incomplete_split_is_refused(site: Site) -> None:
    said = msgspec.json.decode(site.roots.state(SPLIT).read_bytes())
    site.roots.state(SPLIT).write_bytes(msgspec.json.encode(said | {"complete": False}))
    assert "is not complete: run df2-assets build" in (site.materialize("gallery") or "")


def test_text_from_the_data_cannot_close_a_script_or_a_tag(site: Site) -> None:
    shown = frames(site)
    row = [SPLIT, "000012", 1, "raw_annotation_index", "wrong_category", HOSTILE]
    shown["refusals"] = pd.DataFrame([row], columns=shown["refusals"].columns)
    hostile = {"check": HOSTILE, "asset": HOSTILE, "summary": HOSTILE}
    record = {
        "passed": False,
        "severity": "warn",
        "checked_count": 1,
        "numbers": {},
        "offenders": 0,
    }
    path = site.roots.offenders("crops", "hostile", SPLIT).with_suffix(".json")
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode(hostile | record))
    build_gallery(site.roots, SPLIT, shown, SerialEngine(), silent)
    page = page_of(site)
    assert "onerror" in page
    assert "<img src=x" not in page
    (refused,) = folder(site).glob("data/refused-*.js")
    assert b"<" not in refused.read_bytes()
    assert refused.read_bytes().isascii()


def test_a_script_contains_its_arguments() -> None:
    said = make_script("details", 3, [HOSTILE]).decode("ascii")
    assert json.loads(said.removeprefix("df2.details(3,").removesuffix(");\n")) == [HOSTILE]


def test_findings_are_shown_with_the_skus_that_they_name(
    site: Site,
) -> None:
    frame = pd.DataFrame({"sku_id": ["000001_01_01"], "crop_path": [f"{SPLIT}/{USER_TOP}"]})
    path = site.roots.offenders("crops", "tiny_crops", SPLIT)
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path)
    build(site)
    found = index(site)
    assert (found["checks"], found["named"]) == (["tiny_crops"], [[0], [], [], [], [], []])
    assert f'src="../../../{SPLIT}/{USER_TOP}"' in page_of(site)

"""Links and pictures in metadata: the server of the reports serves all of them."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import pytest

from df2_assets_tests.checks import clean
from df2_assets_tests.defs.platform import SPLIT, Platform
from df2_assets_tests.support.reports import Served, running
from df2_assets_tests.support.webserver import free_port

PICTURE = re.compile(r"!\[([^\[\]\n]+)\]\((http://\S+)\)")
INLINE = 1000
"""Characters from which the UI hides Markdown behind a click."""


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, dg.MetadataValue[Any]]:
    """Return the metadata of all materializations and evaluations of a run, by asset or check."""
    found: dict[str, dg.MetadataValue[Any]] = {}
    assert result.success
    for event in result.get_asset_materialization_events():
        made = event.step_materialization_data.materialization
        found |= {f"{made.label} {name}": value for name, value in made.metadata.items()}
    for check in result.get_asset_check_evaluations():
        found |= {f"{check.check_name} {name}": value for name, value in check.metadata.items()}
    return found


def pictures(found: dict[str, dg.MetadataValue[Any]]) -> dict[str, str]:
    """Return the addresses of pictures, each in a text that the UI shows without a click."""
    addresses = {}
    for name, value in found.items():
        if isinstance(value, dg.MarkdownMetadataValue) and str(value.value).startswith("!["):
            match = PICTURE.fullmatch(str(value.value))
            assert match, value
            assert len(str(value.value)) < INLINE
            assert "Not shown? Run `df2-assets serve` or open _df2_assets/report/" in match[1]
            addresses[name] = match[2]
    return addresses


def get(served: Served, address: str) -> tuple[int, str]:
    """Return the status and the content type of an address of the server."""
    assert address.startswith(served.settings.reports_url)
    status, headers, body = served.get(urlsplit(address).path)
    assert body
    return status, headers["Content-Type"]


def platform_with_server(base: Path, instance: dg.DagsterInstance) -> Platform:
    return Platform(base, instance, reports_url=f"http://127.0.0.1:{free_port()}")


@pytest.mark.slow
def test_every_picture_and_link_is_served(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    platform = platform_with_server(tmp_path, instance)
    found = metadata(platform.run("build_dataset"))
    found |= metadata(platform.run("refresh_reports"))
    found |= metadata(platform.materialize(SPLIT, ["coco"]))
    shown = pictures(found)
    assert shown.keys() > {"crops contact_sheet", "crop_quality distributions"}
    assert any(name.endswith("_crops picture") for name in shown)
    links = {n: str(v.value) for n, v in found.items() if isinstance(v, dg.UrlMetadataValue)}
    assert links.keys() == {"gallery gallery", "coco readme"}
    with running(platform.settings) as served:
        for address in shown.values():
            assert get(served, address) in [(200, "image/jpeg"), (200, "image/png")]
        assert get(served, links["gallery gallery"]) == (200, "text/html; charset=utf-8")
        assert get(served, links["coco readme"]) == (200, "text/plain; charset=utf-8")
    own = platform.settings.roots.own
    for asset in ("gallery", "coco"):
        assert "`df2-assets ui` or `df2-assets serve` runs" in str(
            found[f"{asset} how_to_open"].value
        )
        assert (own / str(found[f"{asset} path in {own.name}"].value)).exists()


@pytest.mark.slow
def test_an_earlier_event_still_shows_its_own_picture(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    platform = platform_with_server(tmp_path, instance)
    before = pictures(metadata(platform.run("build_dataset")))["crops contact_sheet"]
    with running(platform.settings) as served:
        first = served.get(urlsplit(before).path)[2]
        again = pictures(metadata(platform.run("build_dataset")))["crops contact_sheet"]
        assert again == before
        for path in sorted((platform.data.root / SPLIT / "image").iterdir())[:6]:
            platform.data.image(SPLIT, path.stem, clean.SIZE, seed="another picture")
        after = pictures(metadata(platform.run("build_dataset")))["crops contact_sheet"]
        assert served.get(urlsplit(after).path)[2] != first
        assert served.get(urlsplit(before).path)[2] == first

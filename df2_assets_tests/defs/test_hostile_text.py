"""Hostile text in annotations and file names, which must do nothing in the UI or in a log."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from df2_assets.defs.sensors import failure_messages
from df2_assets_tests.defs.platform import SPLIT, Platform
from df2_assets_tests.support.builder import item

SCRIPT = "<script>alert('df2')</script>"
IMAGE_TAG = "<img src=x onerror=alert('df2')>"
LINK = "[df2](javascript:alert('df2'))"
PICTURE = "![df2](https://df2.example/leak.png)"
FENCE = "\n~~~~~~~~\n" + SCRIPT
ESCAPES = "\x1b]0;df2\x07\x1b[2J\u202edf2\x9b31m"
HOSTILE = (SCRIPT, IMAGE_TAG, LINK, PICTURE, FENCE, ESCAPES)
ACTIVE = re.compile(r"<\s*(script|img|a|iframe|svg)\b|\]\(|javascript:", re.IGNORECASE)
OURS = re.compile(r"!\[[\w ,.:&;?/`-]*\]\(http://127\.0\.0\.1:3001/[\w./-]+\)")
FENCED = re.compile(r"^~~~~~~~~\n.*?\n~~~~~~~~$", re.DOTALL | re.MULTILINE)
TOP = item(1, 1, [5, 5, 70, 100])
ANYTHING_GOES = {"resources": {"limits": {"config": {"max_refused": 1.0}}}}


def plant(platform: Platform) -> None:
    """Plant hostile text wherever a download has text: in file names, keys and values."""
    data, number = platform.data, 900
    for text in HOSTILE:
        planted: list[dict[int | str, Any]] = [
            {1: TOP | {"category_name": text}},
            {1: TOP | {"style": text, "bounding_box": [text] * 4}},
            {1: TOP | {text: text}},
            {f"item{text}": TOP, "item1": TOP},
            {f"{text}1": TOP},
        ]
        for fields in planted:
            number += 1
            data.image(SPLIT, number)
            data.annotation(SPLIT, number, "user", 1, fields)
        data.annotation(SPLIT, number + 1, text, text, {1: TOP})
        data.raw_annotation(SPLIT, number + 2, text.encode())
        number += 2
        name = text.replace("/", "_").replace("\n", " ")
        (data.root / SPLIT / "image" / f"{name}.jpg").write_bytes(b"")
        (data.root / SPLIT / "annos" / f"{name}.json").write_bytes(b"{}")
        foreign = platform.settings.roots.sku_root / SPLIT / "catalog" / name
        foreign.parent.mkdir(parents=True, exist_ok=True)
        foreign.write_text("somebody's")


def texts(value: Any) -> Iterator[str]:
    """Yield all texts in a metadata value."""
    if isinstance(value, dg.TableMetadataValue):
        yield from (str(cell) for record in value.records for cell in record.data.values())
    elif isinstance(value, dg.MetadataValue):
        yield str(value.value)


@pytest.fixture
def shown(platform: Platform) -> list[tuple[str, dg.MetadataValue[Any] | str]]:
    """All texts and metadata that the UI and the log show of a build of hostile data, by name."""
    plant(platform)
    found: list[tuple[str, dg.MetadataValue[Any] | str]] = []
    for job in ("build_dataset", "check_only"):
        result = platform.run(job, config=ANYTHING_GOES)
        run = platform.instance.get_run_by_id(result.run_id)
        assert run is not None
        found += [("log", message) for message in failure_messages(platform.instance, run)]
        for entry in platform.instance.all_logs(result.run_id):
            found.append(("log", entry.user_message))
            event = entry.dagster_event
            if event is None:
                continue
            found.append(("log", event.message or ""))
            if event.is_step_materialization:
                made = event.step_materialization_data.materialization
                found += [(f"{made.label} {name}", v) for name, v in made.metadata.items()]
            elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                check = event.asset_check_evaluation_data
                found.append(("description", check.description or ""))
                found += [(f"{check.check_name} {name}", v) for name, v in check.metadata.items()]
    return found


def test_hostile_text_is_shown_escaped_and_does_nothing(
    shown: list[tuple[str, dg.MetadataValue[Any] | str]],
) -> None:
    kinds = {type(value) for _, value in shown}
    assert {str, dg.TableMetadataValue, dg.MarkdownMetadataValue} <= kinds

    tables = [value for _, value in shown if isinstance(value, dg.TableMetadataValue)]
    cells = "\n".join(text for table in tables for text in texts(table))
    assert IMAGE_TAG in cells  # it is listed, so that somebody can fix it
    assert "\\x1b" in cells

    for what, value in shown:
        for text in [value] if isinstance(value, str) else texts(value):
            control = [c for c in text if not c.isprintable() and c != "\n"]
            assert control == [], what
        if isinstance(value, dg.MarkdownMetadataValue):
            outside = OURS.sub("", FENCED.sub("", value.value))
            assert not ACTIVE.search(outside), what
        elif isinstance(value, dg.UrlMetadataValue):
            assert str(value.value).startswith("http"), what
        elif what == "description":  # shown as markdown as well
            assert not ACTIVE.search(str(value)), value


def test_no_annotation_leads_outside_the_roots(platform: Platform, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    before = {*tmp_path.rglob("*")}
    ways = ("../../outside", str(outside), "..", "/", "outside\x00", "1/../../../outside")
    for number, way in enumerate(ways, 901):
        extra = {"crop_path": way, "image_path": way, "sku_id": way}
        fields: dict[int | str, Any] = {
            1: TOP | {"category_name": way},
            2: TOP | {"style": way},
            3: TOP | {"category_id": way},
            4: TOP | extra,
            f"item{way}": TOP,
        }
        platform.data.image(SPLIT, number)
        platform.data.annotation(SPLIT, number, "user", 1, fields)
        platform.data.annotation(SPLIT, number + 50, "user", way, fields)
    platform.run("build_dataset", config=ANYTHING_GOES)
    crops = platform.settings.roots.sku_root / SPLIT
    assert any(path.name.startswith("000901") for path in crops.rglob("*.jpg"))
    new = {*tmp_path.rglob("*")} - before
    roots = platform.settings.roots
    assert {path for path in new if roots.sku_root not in (path, *path.parents)} == {
        path for path in new if roots.df2_root / SPLIT in path.parents
    }
    names = r"(catalog|query)(/\d{6}_\d{2}_\d{2}(/\d{6}_item\d+\.jpg)?)?"
    found = [path.relative_to(crops).as_posix() for path in crops.rglob("*")]
    assert [name for name in found if not re.fullmatch(names, name)] == []

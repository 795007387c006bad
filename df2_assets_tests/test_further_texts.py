"""Texts that name their SKU, and captions from a file: built, kept, dropped and interrupted."""

import dataclasses
import json
import signal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from df2_assets.checks.finding import read_offenders
from df2_assets.cli import main
from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.settings import EngineName, Settings
from df2_assets.store import checksums, declaration, state, tables
from df2_assets.verification.verify import verify
from df2_assets_tests.faults.arena import arena, write_data
from df2_assets_tests.support import processes
from df2_assets_tests.support.site import CROPS, QUIET, SPLIT, TOP, TROUSERS, USER_TOP, Site
from df2_assets_tests.support.snapshots import contract, stamps

LINES = f"{SPLIT}_image_text.jsonl"
TOKEN = "kept text_sku with a dropout of 0.5, since DF2_SKU_TOKEN is not set"


def build(settings: Settings) -> Outcome:
    with dg.DagsterInstance.ephemeral() as instance:
        return run_split(build_defs(settings), instance, SPLIT)


def with_token(site: Site, dropout: float = 0.5) -> Settings:
    return dataclasses.replace(site.settings, sku_token=dropout)


def with_captions(site: Site, words: str = "Number", **changed: str) -> Settings:
    """Write a caption for each crop, and return settings that read them."""
    manifest = tables.read(site.roots, "crops", SPLIT).select(["crop_path", "sha256"]).to_pylist()
    file = site.sku.with_name("captions.jsonl")
    rows = ({**crop, "caption": f"{words} {n}", **changed} for n, crop in enumerate(manifest))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return dataclasses.replace(site.settings, captions=file)


def lines(site: Site) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (site.sku / LINES).read_text().splitlines()]


def keys(site: Site) -> list[str]:
    """Return the keys of the lines after `text`."""
    (names,) = {tuple(line) for line in lines(site)}
    return [*names[names.index("text") + 1 :]]


@pytest.fixture
def site(original: Site, tmp_path: Path) -> Site:
    return original.copy(tmp_path)


def test_text_sku_follows_the_prompt_and_everything_else_stays(original: Site, site: Site) -> None:
    run = build(with_token(site))
    assert (run.success, run.failed, run.warned) == (True, [], build(site.settings).warned)
    before, after = lines(original), lines(site)
    named = 0
    for was, line in zip(before, after, strict=True):
        assert list(line) == [*was, "text_sku"]
        assert {key: line[key] for key in was} == was
        token = f"{was['text']} (style {was['style']}, SKU {was['sku_id']})"
        assert line["text_sku"] in (was["text"], token)
        named += line["text_sku"] == token
    assert 0 < named < CROPS
    assert verify(site.roots, SPLIT).problems == []


@pytest.mark.slow
def test_the_token_is_kept_without_the_setting_and_dropped_by_none(
    original: Site, site: Site
) -> None:
    run = build(with_token(site))
    (note,) = run.notes
    assert note == (
        "image_text rebuilt: its SKU texts have changed (text before, text, text_sku now)"
    )
    before = stamps(site.sku)
    run = build(site.settings)
    assert (run.changed, run.notes) == (False, [f"{TOKEN} (DF2_SKU_TOKEN=none drops it)"])
    assert stamps(site.sku) == before
    assert build(with_token(site, 0.0)).notes == ["image_text rebuilt: its SKU texts have changed"]
    assert all("SKU" in line["text_sku"] for line in lines(site))
    build(dataclasses.replace(site.settings, sku_token="none"))
    assert (site.sku / LINES).read_bytes() == (original.sku / LINES).read_bytes()
    assert build(site.settings).notes == []


@pytest.mark.slow
def test_each_setting_of_texts_is_kept_on_its_own(site: Site, tmp_path: Path) -> None:
    templates = tmp_path / "prompts.yaml"
    templates.write_text("prompts: {text_short: '{category_name}'}")
    build(dataclasses.replace(with_captions(site), prompts=templates, sku_token=0.5))
    assert keys(site) == ["text_short", "text_sku", "caption"]
    run = build(dataclasses.replace(site.settings, prompts="none"))
    assert keys(site) == ["text_sku", "caption"]
    assert [note.split(" ")[:3] for note in run.notes] == [
        ["image_text", "rebuilt:", "its"],
        ["kept", "text_sku", "with"],
        ["kept", "the", "captions"],
    ]
    build(dataclasses.replace(site.settings, sku_token="none"))
    assert keys(site) == ["caption"]
    build(dataclasses.replace(site.settings, captions="none"))
    assert keys(site) == []


def test_captions_are_a_key_that_all_readers_know(site: Site) -> None:
    run = build(with_captions(site))
    assert (run.success, run.failed) == (True, [])
    assert "image_text: caption_coverage" in run.passed
    texts = [line["caption"] for line in lines(site)]
    assert set(texts) == {f"Number {n}" for n in range(CROPS)}
    assert verify(site.roots, SPLIT).problems == []


def test_the_file_of_captions_is_read_again_by_each_build(site: Site) -> None:
    settings = with_captions(site)
    build(settings)
    before = stamps(site.sku)
    run = build(site.settings)
    assert run.notes == [
        f"kept the captions caption of {settings.captions}, since DF2_CAPTIONS is not set "
        "(DF2_CAPTIONS=none drops them)"
    ]
    assert (run.changed, stamps(site.sku)) == (False, before)
    with_captions(site, "Other")
    run = build(site.settings)
    assert run.notes[0] == "image_text rebuilt: its captions have changed"
    assert {line["caption"].split()[0] for line in lines(site)} == {"Other"}


@pytest.mark.slow
def test_a_file_of_captions_may_move(site: Site) -> None:
    settings = with_captions(site)
    build(settings)
    before = (site.sku / LINES).stat().st_mtime_ns
    moved = Path(str(settings.captions)).rename(site.sku.with_name("moved.jsonl"))
    run = build(dataclasses.replace(site.settings, captions=moved))
    assert (run.notes, run.changed) == ([], False)
    assert (site.sku / LINES).stat().st_mtime_ns == before
    assert build(site.settings).success


def test_captions_whose_file_is_missing_end_a_build_before_its_first_step(site: Site) -> None:
    settings = with_captions(site)
    build(settings)
    Path(str(settings.captions)).unlink()
    before = stamps(site.sku)
    run = build(site.settings)
    assert not run.success
    (problem,) = run.problems
    assert (
        f"{settings.captions} cannot be read (No such file or directory): set DF2_CAPTIONS to the "
        "file of captions, or to none to drop them"
    ) in problem
    assert stamps(site.sku) == before
    for command in ("plan", "status", "prompts"):
        done = CliRunner().invoke(main, [command], env=site.environment())
        assert (done.exit_code, "set DF2_CAPTIONS to the file" in done.stderr) == (1, True), command
    site.roots.declaration.unlink()
    (problem,) = build(site.settings).problems
    assert "No record says which file the captions caption of" in problem
    assert build(dataclasses.replace(site.settings, captions="none")).success
    assert keys(site) == []


def test_an_unusable_file_of_captions_ends_a_build_before_its_first_step(site: Site) -> None:
    before = stamps(site.sku)
    settings = with_captions(site, sha256="0")
    (problem,) = build(settings).problems
    assert "captions.jsonl, line 1: sha256 is 0: give the 64 hexadecimal digits" in problem
    assert stamps(site.sku) == before


def test_a_caption_cannot_have_the_key_of_a_template(site: Site, tmp_path: Path) -> None:
    templates = tmp_path / "prompts.yaml"
    templates.write_text("prompts: {caption: '{category_name}'}")
    (problem,) = build(dataclasses.replace(with_captions(site), prompts=templates)).problems
    assert "captions.jsonl: caption is a key of DF2_PROMPTS too: give it another name" in problem


def test_a_crop_that_has_changed_loses_its_caption_by_name(site: Site) -> None:
    build(with_captions(site))
    site.describe(12, {1: TOP | {"bounding_box": [5, 5, 90, 100]}, 3: TROUSERS})
    run = build(site.settings)
    (warned,) = (text for text in run.warned if "caption_coverage" in text)
    assert f"{CROPS - 1} of {CROPS} crops have a current caption" in warned
    assert "1 caption refused, written for other bytes of the crop" in warned
    offenders = read_offenders(site.roots, "image_text", "caption_coverage", SPLIT)
    assert offenders is not None
    assert offenders[["crop_path", "what"]].to_numpy().tolist() == [
        [f"{SPLIT}/{USER_TOP}", "the caption is of other bytes"]
    ]
    (line,) = (line for line in lines(site) if line["image_path"].endswith(USER_TOP))
    assert line["caption"] == line["text"]


def test_commands_show_the_keys_and_an_example_of_each(site: Site) -> None:
    settings = with_captions(site)
    chosen = {"DF2_SKU_TOKEN": "0.5", "DF2_CAPTIONS": settings.captions}
    environment = site.environment(**chosen)
    shown = json.loads(CliRunner().invoke(main, ["prompts", "--json"], env=environment).stdout)
    rows = {row["key"]: row for row in shown["prompts"]}
    assert rows["text_sku"]["example"] == (
        "A user photo of a person wearing a partially occluded skirt from the side or back. "
        "(style 1, SKU 000001_01_09)"
    )
    assert rows["caption"] | {"template": ""} == {
        "key": "caption",
        "domain": "catalog",
        "viewpoint": None,
        "template": "",
        "example": "Number 0",
    }
    text = CliRunner().invoke(main, ["prompts"], env=environment).stdout
    assert text.splitlines()[-1] == "caption   catalog     Number 0"
    planned = CliRunner().invoke(main, ["plan"], env=environment).stdout
    assert (
        "its SKU texts and captions have changed (text before, text, text_sku, caption" in planned
    )
    status = CliRunner().invoke(main, ["status", "--json"], env=environment).stdout
    assert "its SKU texts and captions have changed" in status


def test_the_ui_shows_the_keys_and_an_example_of_each(site: Site) -> None:
    settings = dataclasses.replace(with_captions(site), sku_token=0.5)
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_split(build_defs(settings), instance, SPLIT).success
        event = instance.get_latest_materialization_event(dg.AssetKey("image_text"))
    assert event is not None
    assert event.asset_materialization is not None
    metadata: Any = event.asset_materialization.metadata
    assert metadata["keys"].value == "text, text_sku, caption"
    examples = [record.data for record in metadata["prompts"].records]
    assert {row["key"] for row in examples} == {"text", "text_sku", "caption"}
    columns = metadata["dagster/column_schema"].schema.columns
    assert [column.name for column in columns][-2:] == ["text_sku", "caption"]


@pytest.mark.slow
def test_records_of_earlier_releases_are_read(site: Site) -> None:
    """They have neither SKU texts nor captions."""
    build(with_token(site))
    build(dataclasses.replace(site.settings, sku_token="none"))
    for path in (site.roots.declaration, site.roots.state(SPLIT)):
        record = json.loads(path.read_text())
        for name in ("sku_token", "captions", "captions_file"):
            record.pop(name, None)
        path.write_text(json.dumps(record))
    before = (site.sku / LINES).stat().st_mtime_ns
    assert declaration.load(site.roots).texts.keys == ()
    assert state.load(site.roots, SPLIT).texts.keys == ()
    run = build(site.settings)
    assert (run.notes, run.changed) == ([], False)
    assert (site.sku / LINES).stat().st_mtime_ns == before


def test_texts_of_a_data_set_without_a_declaration_are_kept(site: Site) -> None:
    build(with_token(site))
    site.roots.declaration.unlink()
    assert build(site.settings).notes[0].startswith(TOKEN)
    assert keys(site) == ["text_sku"]


def test_a_damaged_declaration_is_replaced_by_the_prompts_and_keeps_other_texts(site: Site) -> None:
    build(with_token(site))
    site.roots.declaration.write_bytes(b"{")
    assert not build(site.settings).success
    run = build(dataclasses.replace(site.settings, prompts="none"))
    assert (run.success, run.changed) == (True, False)
    assert keys(site) == ["text_sku"]


def test_a_build_that_stops_while_it_writes_texts_ends_in_the_same_bytes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(with_captions(site), sku_token=0.5)
    whole = site.copy(site.sku.with_name("whole"))
    build(dataclasses.replace(settings, sku_root=str(whole.sku), df2_root=whole.data.root))
    expected = (whole.sku / LINES).read_bytes()

    def fail(*_: object) -> None:
        raise OSError("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(checksums, "write", fail)
        assert not build(settings).success
    assert not site.complete
    assert build(settings).success
    assert (site.sku / LINES).read_bytes() == expected
    assert verify(site.roots, SPLIT).problems == []


@pytest.mark.slow
def test_a_killed_build_decides_the_texts_of_the_next_one(tmp_path: Path) -> None:
    """The bytes are those of a build that was not killed."""
    data = write_data(tmp_path, 40)
    whole, killed = (arena(tmp_path / name, data) for name in ("whole", "killed"))
    with whole.command(DF2_SKU_TOKEN=0.5) as process:
        assert process.end().returncode == 0
    with killed.command(DF2_SKU_TOKEN=0.5) as process:
        processes.wait_until(killed.finished, process)
        process.signal(signal.SIGKILL)
        process.end()
    assert not (killed.sku / LINES).exists()
    with killed.command() as process:
        assert process.end().returncode == 0
    assert b'"text_sku"' in (killed.sku / LINES).read_bytes()
    assert contract(killed.sku) == contract(whole.sku)


@pytest.mark.parametrize("engine", ["serial", "local"])
def test_every_engine_writes_the_same_texts(site: Site, tmp_path: Path, engine: EngineName) -> None:
    build(with_token(site))
    fresh = dataclasses.replace(
        with_token(site), sku_root=str(tmp_path / "fresh"), engine=engine, workers=2
    )
    assert build(fresh).success
    assert (tmp_path / "fresh" / LINES).read_bytes() == (site.sku / LINES).read_bytes()


def test_run_config_decides_the_texts_of_one_run(site: Site) -> None:
    job = build_defs(site.settings).resolve_job_def("build_dataset")
    config = {"resources": {"prompts": {"config": {"sku_token": "0"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            run_config=QUIET | config, instance=instance, partition_key=SPLIT
        )
    assert result.success
    assert all("SKU" in line["text_sku"] for line in lines(site))

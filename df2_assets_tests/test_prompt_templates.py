"""Prompts in addition to the contract's: built, shown, checked, and removed again."""

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from df2_assets.cli import main
from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.defs.runs.history import TEMPLATES as TEMPLATES_SOURCE
from df2_assets.explanation.explain import explain_crop
from df2_assets.settings import Settings
from df2_assets.store import declaration, state
from df2_assets.store.contract_files import read_image_text
from df2_assets.verification.verify import verify
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import item
from df2_assets_tests.support.site import CROPS, QUIET, SPLIT, USER_TOP, Site, write_and_build
from df2_assets_tests.support.snapshots import stamp, stamps

TEMPLATES = """
prompts:
  text_short: "{occ}{category_name}"
  text_varied:
    catalog: "<b>{category_name}</b> in a shop"
    query: ["a {category_name} {view}", "{category_name} of a customer"]
"""
LINES = f"{SPLIT}_image_text.jsonl"


def with_templates(site: Site, text: str) -> Settings:
    path = site.sku.with_name("prompts.yaml")
    path.write_text(text)
    return dataclasses.replace(site.settings, prompts=path)


def build(settings: Settings) -> Outcome:
    with dg.DagsterInstance.ephemeral() as instance:
        return run_split(build_defs(settings), instance, SPLIT)


def lines(site: Site) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (site.sku / LINES).read_text().splitlines()]


@pytest.fixture(scope="module")
def varied(original: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build the site again with templates. Tests must not change it."""
    site = original.copy(tmp_path_factory.mktemp("varied"))
    assert build(with_templates(site, TEMPLATES)).success
    return site


@pytest.fixture
def site(varied: Site, tmp_path: Path) -> Site:
    return varied.copy(tmp_path)


def test_lines_have_the_fields_of_the_contract_and_then_further_prompts(
    original: Site, varied: Site
) -> None:
    before, after = lines(original), lines(varied)
    assert len(after) == CROPS
    for was, line in zip(before, after, strict=True):
        assert list(line) == [*was, "text_short", "text_varied"]
        assert {key: line[key] for key in was} == was
        name = was["category_name"]
        assert line["text_short"] == name
        if was["domain"] == "catalog":
            assert line["text_varied"] == f"<b>{name}</b> in a shop"
        else:
            text = (f"a {name} from the front", f"{name} of a customer")
            assert line["text_varied"] in text
    assert len({line["text_varied"] for line in after if line["domain"] == "query"}) == 4


def test_records_have_further_prompts_and_pass_all_checks(varied: Site) -> None:
    records = read_image_text(varied.roots, SPLIT)
    assert [getattr(record, "text_short", None) for record in records] == [
        line["text_short"] for line in lines(varied)
    ]
    assert verify(varied.roots, SPLIT).problems == []


def test_other_templates_only_rebuild_the_jsonl(site: Site, original: Site) -> None:
    build(with_templates(site, TEMPLATES))  # where it lies: the metadata names its folder
    before = stamps(site.sku)
    settings = with_templates(site, TEMPLATES.replace("of a customer", "of somebody"))
    run = build(settings)
    assert run.notes == ["image_text rebuilt: its prompt templates have changed"]
    assert (run.success, run.failed) == (True, [])
    after = stamps(site.sku)
    assert {path for path in after if before[path] != after[path]} == {
        LINES,
        f"_df2_assets/state/{SPLIT}.json",
    }
    assert any("of somebody" in line["text_varied"] for line in lines(site))

    in_other_words = f"# The same.\nseed: 0\n{Path(str(settings.prompts)).read_text()}"
    run = build(with_templates(site, in_other_words))
    assert (run.notes, run.changed, stamps(site.sku)) == ([], False, after)

    build(dataclasses.replace(settings, prompts="none"))
    assert (site.sku / LINES).read_bytes() == (original.sku / LINES).read_bytes()
    recorded = state.load(site.roots, SPLIT)
    recorded.built_at = state.load(original.roots, SPLIT).built_at
    assert recorded == state.load(original.roots, SPLIT)


def test_the_order_of_keys_is_that_of_the_file(site: Site) -> None:
    short, varied = TEMPLATES.split("  text_varied")
    turned = f"prompts:\n  text_varied{varied}{short.removeprefix(chr(10) + 'prompts:' + chr(10))}"
    run = build(with_templates(site, turned))
    (note,) = run.notes
    assert "text, text_short, text_varied before, text, text_varied, text_short now" in note
    assert list(lines(site)[0])[-2:] == ["text_varied", "text_short"]
    assert run.failed == []


def own_prompts(site: Site) -> set[str]:
    """Return the keys of the lines in addition to those of the contract."""
    return {key for line in lines(site) for key in line if key.startswith("text_")}


def test_a_build_without_the_setting_keeps_the_prompts_and_says_so(site: Site) -> None:
    """The file may be gone: the data set remembers the templates."""
    settings = with_templates(site, TEMPLATES)
    assert isinstance(settings.prompts, Path)
    assert build(settings).notes == []
    settings.prompts.unlink()
    before = stamps(site.sku), stamp(site.roots.declaration)
    kept = (
        f"kept the prompts text_short, text_varied of {settings.prompts}, since DF2_PROMPTS is not "
        "set (DF2_PROMPTS=none drops them)"
    )
    run = build(site.settings)
    assert (run.notes, run.changed) == ([kept], False)
    assert (stamps(site.sku), stamp(site.roots.declaration)) == before
    site.add_image()
    run = build(site.settings)
    assert (run.notes, run.changed) == ([kept], True)
    assert own_prompts(site) == {"text_short", "text_varied"}
    assert verify(site.roots, SPLIT).problems == []


def test_none_drops_further_prompts_and_says_so(site: Site, original: Site) -> None:
    dropping = dataclasses.replace(site.settings, prompts="none")
    run = build(dropping)
    why = "its prompt templates have changed (text, text_short, text_varied before, text now)"
    assert run.notes == [f"image_text rebuilt: {why}"]
    assert (site.sku / LINES).read_bytes() == (original.sku / LINES).read_bytes()
    assert build(site.settings).notes == []
    assert own_prompts(site) == set()


def test_another_file_replaces_further_prompts_and_says_so(site: Site) -> None:
    run = build(with_templates(site, "prompts: {text_new: '{category_name}'}"))
    why = "its prompt templates have changed (text, text_short, text_varied before, text, text_new"
    assert run.notes == [f"image_text rebuilt: {why} now)"]
    assert own_prompts(site) == {"text_new"}


def test_a_build_that_was_stopped_early_decides_the_prompts_of_the_next_one(tmp_path: Path) -> None:
    site = write_and_build(tmp_path)
    settings = with_templates(site, TEMPLATES)
    shutil.rmtree(site.sku)
    shutil.rmtree(site.data.root / SPLIT / "image")
    assert not build(settings).success
    assert not (site.sku / LINES).exists()
    declared_keys = [v.key for v in declaration.load(site.roots).templates]
    assert declared_keys == ["text_short", "text_varied"]


def test_a_failed_build_with_other_prompts_changes_nothing_of_what_is_kept(site: Site) -> None:
    settings = with_templates(site, "prompts: {text_new: '{category_name}'}")
    images = site.data.root / SPLIT / "image"
    images.rename(images.with_name("away"))
    assert not build(settings).success
    images.with_name("away").rename(images)
    assert build(site.settings).changed is False
    assert own_prompts(site) == {"text_short", "text_varied"}


def test_a_split_that_was_not_built_yet_gets_the_prompts_of_its_data_set(site: Site) -> None:
    for number, source in ((1, "shop"), (2, "user")):
        site.data.image("validation", number)
        site.data.annotation("validation", number, source, 1, {1: item(1, 1, (5, 5, 70, 100))})
    with dg.DagsterInstance.ephemeral() as instance:
        run = run_split(build_defs(site.settings), instance, "validation")
    assert run.success
    assert any(note.startswith("kept the prompts text_short") for note in run.notes)
    keys = {*json.loads((site.sku / "validation_image_text.jsonl").read_text().split("\n")[0])}
    assert {"text_short", "text_varied"} <= keys


def test_prompts_of_a_data_set_without_a_declaration_are_kept(site: Site) -> None:
    site.roots.declaration.unlink()
    assert build(site.settings).notes[0].startswith("kept the prompts text_short, text_varied,")
    assert own_prompts(site) == {"text_short", "text_varied"}
    dropped = build(dataclasses.replace(site.settings, prompts="none"))
    assert len(dropped.notes) == 1
    assert build(site.settings).notes == []


def test_plan_preview_and_the_ui_know_what_is_kept(site: Site, tmp_path: Path) -> None:
    environment = site.environment()
    told = CliRunner().invoke(main, ["plan"], env=environment).stdout
    assert "note: train: kept the prompts text_short, text_varied" in told
    assert "others" not in told
    told = CliRunner().invoke(main, ["plan"], env=environment | {"DF2_PROMPTS": "none"}).stdout
    assert "image_text rebuilt: its prompt templates have changed" in told
    assert "kept" not in told
    shown = CliRunner().invoke(main, ["prompts", "--json"], env=environment).stdout
    assert {row["key"] for row in json.loads(shown)["prompts"]} == {
        *("text", "text_short", "text_varied")
    }
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_split(build_defs(site.settings), instance, SPLIT).success
        event = instance.get_latest_materialization_event(dg.AssetKey("image_text"))
    assert event is not None
    assert event.asset_materialization is not None
    assert "kept the prompts" in str(event.asset_materialization.metadata["kept"].value)


def test_kept_templates_have_the_data_version_of_their_file(site: Site) -> None:
    """Otherwise, the UI would always show the assets as stale."""
    assert observed(site.settings) == observed(with_templates(site, TEMPLATES))


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (b"{", "is damaged, so the prompts of this data set are unknown: set DF2_PROMPTS to"),
        (b'{"templates": 3}', "is damaged"),
        (b"\xff", "is damaged"),
        (b'{"margin": 2}', "was written by a newer release of df2-assets (it has margin)"),
    ],
)
def test_an_unusable_declaration_is_named(site: Site, record: bytes, says: str) -> None:
    site.roots.declaration.write_bytes(record)
    (problem,) = build(site.settings).problems
    assert str(site.roots.declaration) in problem
    assert says in problem
    text = CliRunner().invoke(main, ["plan"], env=site.environment())
    assert (text.exit_code, says in text.stderr) == (1, True)
    replaced = "damaged" in says  # that of a newer release is not
    assert build(with_templates(site, TEMPLATES)).success is replaced
    assert own_prompts(site) == {"text_short", "text_varied"}
    site.roots.declaration.write_bytes(record)
    assert build(dataclasses.replace(site.settings, prompts="none")).success is replaced
    assert build(site.settings).success is replaced
    assert own_prompts(site) == (set() if replaced else {"text_short", "text_varied"})


Edit = Callable[[dict[str, Any]], object]


MATCHES, COVERAGE = "image_text: matches_metadata", "image_text: prompt_coverage"


@pytest.mark.parametrize(
    ("check", "what", "edit"),
    [
        (
            COVERAGE,
            "text_short is not what its template gives",
            lambda line: line.update(text_short="vest"),
        ),
        (MATCHES, "text_varied is missing", lambda line: line.update(text_varied=3)),
        (MATCHES, "text_short is missing", lambda line: line.pop("text_short")),
        (MATCHES, "differs in text_other", lambda line: line.update(text_other="a")),
        (
            MATCHES,
            "keys in another order",
            lambda line: line.update(text_short=line.pop("text_short")),
        ),
    ],
)
def test_a_prompt_that_was_edited_is_found(site: Site, check: str, what: str, edit: Edit) -> None:
    edited = lines(site)
    line = next(line for line in edited if line["image_path"].endswith(USER_TOP))
    edit(line)
    (site.sku / LINES).write_text("".join(json.dumps(line) + "\n" for line in edited))
    problems = {
        (problem.check, problem.what, problem.path)
        for problem in verify(site.roots, SPLIT).problems
    }
    assert (check, what, f"{SPLIT}/{USER_TOP}") in problems


def test_the_ui_shows_every_template_with_an_example(site: Site) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        defs = build_defs(with_templates(site, TEMPLATES))
        assert run_split(defs, instance, SPLIT).success
        event = instance.get_latest_materialization_event(dg.AssetKey("image_text"))
    assert event is not None
    assert event.asset_materialization is not None
    metadata: Any = event.asset_materialization.metadata
    rows = [record.data for record in metadata["prompts"].records]
    assert metadata["keys"].value == "text, text_short, text_varied"
    assert [row["key"] for row in rows] == ["text"] * 6 + ["text_short"] * 6 + ["text_varied"] * 9
    assert rows[-1] == {
        "key": "text_varied",
        "domain": "query",
        "viewpoint": "3",
        "template": "{category_name} of a customer",
        "example": "skirt of a customer",
    }
    columns = metadata["dagster/column_schema"].schema.columns
    assert [column.name for column in columns][-3:] == ["text", "text_short", "text_varied"]
    assert columns[-1].description != columns[-3].description


def observed(settings: Settings) -> tuple[str | None, list[str]]:
    """Return the data version of the templates, and the examples that are shown."""
    with dg.DagsterInstance.ephemeral() as instance:
        build_defs(settings).resolve_job_def("observe_sources").execute_in_process(
            instance=instance, run_config=QUIET, asset_selection=[dg.AssetKey(TEMPLATES_SOURCE)]
        )
        (record,) = instance.fetch_observations(dg.AssetKey(TEMPLATES_SOURCE), limit=9).records
    event = record.asset_observation
    assert event is not None
    table: Any = event.metadata.get("prompts")
    return event.data_version, [row.data["example"] for row in table.records] if table else []


def test_templates_are_shown_in_the_ui_before_anything_is_built(site: Site) -> None:
    version, examples = observed(with_templates(site, TEMPLATES))
    assert len(examples) == 21
    assert examples[-1] == "skirt of a customer"
    assert observed(with_templates(site, f"seed: 0  # The same.{TEMPLATES}")) == (version, examples)
    other = observed(with_templates(site, TEMPLATES.replace("in a shop", "for sale")))
    none = observed(dataclasses.replace(site.settings, prompts="none"))
    assert none[1] == []
    assert len({version, other[0], none[0]}) == 3


def test_explain_shows_each_further_prompt_on_its_own_line(varied: Site, tmp_path: Path) -> None:
    crop = f"{SPLIT}/{USER_TOP}"
    (line,) = [line for line in lines(varied) if line["image_path"] == crop]
    answer = explain_crop(varied.roots, crop, {})
    step = answer.steps[-1]
    assert (answer.fate, step.text) == ("in", line["text"])
    further = {key: line[key] for key in ("text_short", "text_varied")}
    assert step.facts == {"text": line["text"], **further}
    roots = {"DF2_ROOT": varied.data.root, "SKU_ROOT": varied.sku}
    environment = processes.environment(tmp_path, **roots)
    told = CliRunner().invoke(main, ["explain", crop], env=environment).stdout.splitlines()
    at = told.index(f"  {'image_text':<22}{line['text']}")
    assert [one.strip() for one in told[at + 1 : at + 3]] == [
        f"{key}: {text}" for key, text in further.items()
    ]


def test_the_gallery_shows_the_further_prompts_of_each_crop(site: Site) -> None:
    assert site.materialize("crop_quality", "gallery") is None
    folder = site.roots.gallery(SPLIT).parent
    found = {}
    for call in ("index", "skus"):
        (path,) = folder.glob(f"data/{call}*.js")
        found[call] = json.loads(f"[{path.read_text().partition('(')[2].rpartition(')')[0]}]")
    (index,), (_, skus) = found["index"], found["skus"]
    assert index["keys"] == ["text_short", "text_varied"]
    assert len(set(index["texts"])) == len(index["texts"]) < CROPS
    text = [[index["texts"][place] for place in crop[8:]] for crops in skus for crop in crops]
    assert text == [[line["text_short"], line["text_varied"]] for line in lines(site)]


def test_an_unusable_file_ends_the_run_before_its_first_step(site: Site) -> None:
    before = stamps(site.sku)
    run = build(with_templates(site, "prompts: {text: a}"))
    assert not run.success
    (problem,) = run.problems
    assert "prompts.yaml: prompts.text: text is a field of the contract" in problem
    assert run.numbers == {}
    assert stamps(site.sku) == before


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "\u5199\u771f\u3000skirt \u0646\u06cc\u0645\u200c\u062a\u0646\u0647"),
        ("cp932", "\u5199\u771f\u3000skirt " r"\u0646\u06cc\u0645\u200c\u062a\u0646\u0647"),
    ],
)
def test_prompts_are_shown_unchanged_if_the_terminal_can(
    tmp_path: Path, encoding: str, shown: str
) -> None:
    """Characters that it cannot show are escaped."""
    written = "\u5199\u771f\u3000{category_name} \u0646\u06cc\u0645\u200c\u062a\u0646\u0647"
    (tmp_path / "prompts.yaml").write_text(f"prompts: {{k: '{written}'}}", encoding="utf-8")
    env = processes.environment(tmp_path / "home", DF2_PROMPTS=tmp_path / "prompts.yaml")
    done = subprocess.run(
        (*processes.DF2_ASSETS, "prompts"),
        env=env | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode(encoding).rstrip().endswith(shown)

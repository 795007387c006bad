"""Prompts beside the contract's: built, shown, checked, and taken away again."""

import dataclasses
import json
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
from df2_assets.store import state
from df2_assets.store.contract_files import read_image_text
from df2_assets.verification.verify import verify
from df2_assets_tests.support import processes
from df2_assets_tests.support.site import CROPS, QUIET, SPLIT, USER_TOP, Site
from df2_assets_tests.support.snapshots import stamps

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
    """The same, built once more with templates; not to be changed by a test."""
    site = original.copy(tmp_path_factory.mktemp("varied"))
    assert build(with_templates(site, TEMPLATES)).success
    return site


@pytest.fixture
def site(varied: Site, tmp_path: Path) -> Site:
    return varied.copy(tmp_path)


def test_lines_are_the_contract_s_with_prompts_after_them(original: Site, varied: Site) -> None:
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
            said = (f"a {name} from the front", f"{name} of a customer")
            assert line["text_varied"] in said
    assert len({line["text_varied"] for line in after if line["domain"] == "query"}) == 4


def test_records_have_them_and_all_is_well(varied: Site) -> None:
    records = read_image_text(varied.roots, SPLIT)
    assert [getattr(record, "text_short", None) for record in records] == [
        line["text_short"] for line in lines(varied)
    ]
    assert verify(varied.roots, SPLIT).faults == []


def test_other_templates_make_the_jsonl_anew_and_nothing_else(site: Site, original: Site) -> None:
    build(with_templates(site, TEMPLATES))  # where it lies: the metadata names its folder
    before = stamps(site.sku)
    settings = with_templates(site, TEMPLATES.replace("of a customer", "of somebody"))
    assert settings.prompts is not None
    run = build(settings)
    assert run.notes == ["image_text rebuilt: its prompt templates are others"]
    assert (run.success, run.failed) == (True, [])
    after = stamps(site.sku)
    assert {path for path in after if before[path] != after[path]} == {
        LINES,
        f"_df2_assets/state/{SPLIT}.json",
    }
    assert any("of somebody" in line["text_varied"] for line in lines(site))

    in_other_words = f"# The same.\nseed: 0\n{settings.prompts.read_text()}"
    run = build(with_templates(site, in_other_words))
    assert (run.notes, run.changed, stamps(site.sku)) == ([], False, after)

    build(dataclasses.replace(settings, prompts=None))
    assert (site.sku / LINES).read_bytes() == (original.sku / LINES).read_bytes()
    assert state.load(site.roots, SPLIT) == state.load(original.roots, SPLIT)


def test_the_order_of_keys_is_that_of_the_file(site: Site) -> None:
    short, varied = TEMPLATES.split("  text_varied")
    turned = f"prompts:\n  text_varied{varied}{short.removeprefix(chr(10) + 'prompts:' + chr(10))}"
    run = build(with_templates(site, turned))
    assert run.notes == ["image_text rebuilt: its prompt templates are others"]
    assert list(lines(site)[0])[-2:] == ["text_varied", "text_short"]
    assert run.failed == []


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
    faults = {(fault.check, fault.what, fault.path) for fault in verify(site.roots, SPLIT).faults}
    assert (check, what, f"{SPLIT}/{USER_TOP}") in faults


def test_the_ui_shows_every_template_with_an_example(site: Site) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        defs = build_defs(with_templates(site, TEMPLATES))
        assert run_split(defs, instance, SPLIT).success
        event = instance.get_latest_materialization_event(dg.AssetKey("image_text"))
    assert event is not None
    assert event.asset_materialization is not None
    metadata: Any = event.asset_materialization.metadata
    rows = [record.data for record in metadata["prompts"].records]
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
    """The data version of the templates, and the examples that are shown of them."""
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
    none = observed(site.settings)
    assert none[1] == []
    assert len({version, other[0], none[0]}) == 3


def test_explain_gives_each_a_line_of_its_own(varied: Site, tmp_path: Path) -> None:
    crop = f"{SPLIT}/{USER_TOP}"
    (line,) = [line for line in lines(varied) if line["image_path"] == crop]
    answer = explain_crop(varied.roots, crop, {})
    step = answer.steps[-1]
    assert (answer.fate, step.said) == ("in", line["text"])
    further = {key: line[key] for key in ("text_short", "text_varied")}
    assert step.facts == {"text": line["text"], **further}
    roots = {"DF2_ROOT": varied.data.root, "SKU_ROOT": varied.sku}
    environment = processes.environment(tmp_path, **roots)
    told = CliRunner().invoke(main, ["explain", crop], env=environment).stdout.splitlines()
    at = told.index(f"  {'image_text':<22}{line['text']}")
    assert [one.strip() for one in told[at + 1 : at + 3]] == [
        f"{key}: {text}" for key, text in further.items()
    ]


def test_the_gallery_has_them_of_each_crop(site: Site) -> None:
    assert site.materialize("crop_quality", "gallery") is None
    folder = site.roots.gallery(SPLIT).parent
    found = {}
    for call in ("index", "skus"):
        (path,) = folder.glob(f"data/{call}*.js")
        found[call] = json.loads(f"[{path.read_text().partition('(')[2].rpartition(')')[0]}]")
    (index,), (_, skus) = found["index"], found["skus"]
    assert index["keys"] == ["text_short", "text_varied"]
    assert len(set(index["texts"])) == len(index["texts"]) < CROPS
    said = [[index["texts"][place] for place in crop[10:]] for crops in skus for crop in crops]
    assert said == [[line["text_short"], line["text_varied"]] for line in lines(site)]


def test_a_file_that_cannot_be_used_ends_the_run_before_its_first_step(site: Site) -> None:
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
def test_prompts_are_shown_as_written_where_the_terminal_can(
    tmp_path: Path, encoding: str, shown: str
) -> None:
    """What it cannot show is escaped."""
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

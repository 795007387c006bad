"""Settings from the environment and the launchpad, and values that are refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from df2_assets.definitions import build_defs
from df2_assets.defs.resources import (
    CropVariants,
    DataRoots,
    EngineChoice,
    Limits,
    PromptTemplates,
    SettingsResource,
)
from df2_assets.errors import SettingsError
from df2_assets.settings import FIELDS, PROJECT, Settings, read_settings
from df2_assets_tests.support.bad_settings import BAD_SETTINGS, BadSetting


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("DF2_ROOT", "here", "df2_root", Path.cwd() / "here"),
        ("SKU_ROOT", "here", "sku_root", "here"),
        ("SPLITS", "test train test", "splits", ("train", "test")),
        ("DF2_ENGINE", "ray", "engine", "ray"),
        ("RAY_ADDRESS", " a:1 ", "ray_address", "a:1"),
        ("DF2_WORKERS", "1024", "workers", 1024),
        ("DF2_MAX_REFUSED", "0", "max_refused", 0.0),
        ("DF2_MAX_REFUSED", "1", "max_refused", 1.0),
        ("DF2_MAX_AGE_DAYS", "0.5", "max_age_days", 0.5),
        ("DF2_PROMPTS", "~/p.yaml", "prompts", Path.home() / "p.yaml"),
        ("DF2_PROMPTS", " none ", "prompts", "none"),
        ("DF2_PROMPTS", "./none", "prompts", Path.cwd() / "none"),
        ("DF2_SKU_TOKEN", "0.5", "sku_token", 0.5),
        ("DF2_SKU_TOKEN", " 0 ", "sku_token", 0.0),
        ("DF2_SKU_TOKEN", "none", "sku_token", "none"),
        ("DF2_CAPTIONS", "captions.jsonl", "captions", Path.cwd() / "captions.jsonl"),
        ("DF2_CAPTIONS", "none", "captions", "none"),
        ("DF2_VARIANTS", "v.yaml", "variants", Path.cwd() / "v.yaml"),
        ("DF2_VARIANTS", "none", "variants", "none"),
        ("DF2_ONLY_PAIRS", "on", "only_pairs", True),
        ("DF2_ONLY_PAIRS", "off", "only_pairs", False),
        ("DF2_CODE_URL", "https://host", "code_url", "https://host"),
        ("DF2_REPORTS_URL", "https://host/reports/", "reports_url", "https://host/reports"),
        ("DF2_CRON", "30 4 * * 1", "cron", "30 4 * * 1"),
        ("DF2_TIMEZONE", "Europe/Berlin", "timezone", "Europe/Berlin"),
        ("DF2_SCHEDULES", "on", "schedules", True),
    ],
)
def test_the_environment_decides(variable: str, text: str, field: str, value: object) -> None:
    settings = read_settings({variable: text})
    assert getattr(settings, field) == value
    assert {name for name in FIELDS if getattr(settings, name) != getattr(Settings(), name)} == {
        field
    }


def test_an_empty_variable_counts_as_not_set_and_other_variables_are_ignored() -> None:
    assert read_settings({str(field.validation_alias): " " for field in FIELDS.values()}) == (
        Settings()
    )
    assert read_settings(dict.fromkeys(FIELDS, "x")) == Settings()


def test_the_default_sku_root_is_in_the_project_and_the_same_text_in_a_variable_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    default = Settings().sku_root
    assert Settings().roots.sku_root == PROJECT / default
    assert read_settings({"SKU_ROOT": default}).roots.sku_root == tmp_path / default


@pytest.mark.parametrize("bad", BAD_SETTINGS, ids=lambda bad: f"{bad.variable}={bad.text}")
def test_a_bad_value_is_refused_with_the_allowed_values(bad: BadSetting) -> None:
    with pytest.raises(SettingsError) as refused:
        build_defs(read_settings({bad.variable: bad.text}))
    assert f"{bad.variable} is {bad.text!r}: {bad.message}" in str(refused.value)


@pytest.mark.parametrize(
    "bad", [bad for bad in BAD_SETTINGS if bad.field], ids=lambda bad: bad.field
)
def test_the_launchpad_refuses_the_same(bad: BadSetting) -> None:
    key, _, name = bad.field.partition(".")
    kinds = {"engine": EngineChoice, "limits": Limits, "prompts": PromptTemplates}
    data = {"data": DataRoots(base=Settings())} if key == "prompts" else {}
    resource = kinds[key](**{name: bad.typed}, **data)
    with pytest.raises(SettingsError) as refused:
        resource.apply_to(Settings(), key)
    assert f"{bad.field} is {bad.typed!r}: {bad.message}" in str(refused.value)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("text", "shown"), [("1\r", r"1\r"), ("\r", r"\r"), ("a\x85b", r"a\x85b"), ("\udcff", r"\xff")]
)
def test_no_setting_accepts_control_characters_or_bytes_that_are_not_utf_8(
    field: str, text: str, shown: str
) -> None:
    """They come from files with Windows line ends, and from file names in other encodings."""
    variable = str(FIELDS[field].validation_alias)
    with pytest.raises(SettingsError) as refused:
        read_settings({variable: text})
    assert f"{variable} is '{shown}': give it in UTF-8 and without control" in str(refused.value)


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("data.df2_root", DataRoots(df2_root="a\r", base=Settings())),
        ("data.sku_root", DataRoots(sku_root="a\r", base=Settings())),
        ("engine.address", EngineChoice(address="a\r")),
        ("prompts.file", PromptTemplates(file="a\r", data=DataRoots(base=Settings()))),
        ("variants.file", CropVariants(file="a\r", data=DataRoots(base=Settings()))),
    ],
)
def test_the_launchpad_accepts_no_control_characters_either(
    key: str, resource: SettingsResource
) -> None:
    with pytest.raises(SettingsError) as refused:
        resource.apply_to(Settings(), key.partition(".")[0])
    assert rf"{key} is 'a\r': give it in UTF-8 and without control" in str(refused.value)


def test_the_page_has_every_setting_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is the same. DAGSTER_HOME, the last row, is a variable of Dagster."""
    monkeypatch.chdir(PROJECT)
    page = (PROJECT / "docs" / "configuration.md").read_text()
    section = page.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    defaults = {variable.strip(" `"): default.strip(" `") for _, variable, default, *_ in rows}
    assert [*defaults][:-1] == [field.validation_alias for field in FIELDS.values()]
    assert [*defaults][-1] == "DAGSTER_HOME"
    settings = read_settings(defaults)
    assert settings.roots.sku_root == Settings().roots.sku_root
    assert replace(settings, sku_root=Settings().sku_root) == Settings()


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, field in FIELDS.items() if not field.description] == []

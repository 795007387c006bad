"""The Component: the YAML that it accepts, and its definitions in a code location."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._config.pythonic_config.resource import PartialResource
from dagster.components.core.component_tree import ComponentTreeException

import df2_assets
from df2_assets.checks.registry import CHECKS
from df2_assets.component import DeepFashion2Sku
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.definitions import build_defs
from df2_assets.errors import SettingsError
from df2_assets.exports import EXPORTS
from df2_assets.settings import FIELDS, Settings

CONTEXT = dg.ComponentTree.for_test().load_context


def component(text: str) -> DeepFashion2Sku:
    """Return the Component of a YAML text."""
    resolved: DeepFashion2Sku = DeepFashion2Sku.resolve_from_yaml(text)
    return resolved


def definitions(text: str) -> dg.Definitions:
    return component(text).build_defs(CONTEXT)


def resource(defs: dg.Definitions, name: str, field: str) -> Any:
    """Return the value of a field of a resource."""
    (made,) = [value for key, value in (defs.resources or {}).items() if key == name]
    return made.data[field] if isinstance(made, PartialResource) else getattr(made, field)


def names(defs: dg.Definitions) -> set[str]:
    """Return all names that must be unique in a code location."""
    repository, graph = defs.get_repository_def(), defs.resolve_asset_graph()
    ops = {node.name for job in repository.get_all_jobs() for node in job.all_node_defs}
    return {
        *(key.to_user_string() for key in graph.get_all_asset_keys()),
        *(group for group in (spec.group_name for spec in defs.resolve_all_asset_specs()) if group),
        *(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        *(op for op in ops if not op.startswith("__")),
        *(schedule.name for schedule in repository.schedule_defs),
        *(sensor.name for sensor in repository.sensor_defs),
        *repository.get_top_level_resources(),
    }


def test_the_package_has_it_by_the_name_that_yaml_gives() -> None:
    assert df2_assets.DeepFashion2Sku is DeepFashion2Sku
    assert "DeepFashion2Sku" in dir(df2_assets)


def test_every_setting_is_a_field_with_its_description() -> None:
    schema = DeepFashion2Sku.model().model_json_schema()
    fields = schema["properties"]
    assert fields.keys() == FIELDS.keys() | {"key_prefix", "exports"}
    for name, setting in FIELDS.items():
        assert fields[name]["description"].startswith(setting.description)
        assert str(setting.validation_alias) in fields[name]["description"]
    assert all(field["description"].endswith(".") for field in fields.values())
    assert fields["splits"]["items"]["enum"] == [*SPLITS]
    assert fields["exports"]["items"]["enum"] == [*EXPORTS]


def test_without_a_prefix_the_definitions_are_those_of_the_default_location() -> None:
    assert names(definitions("{}")) == names(build_defs(Settings()))


def test_data_sets_of_a_location_share_no_name() -> None:
    street, shop = (definitions(f"key_prefix: {prefix}") for prefix in ("street", "shop"))
    assert all(name.startswith(("street/", "street_")) for name in names(street))
    assert not names(street) & names(shop)
    both = dg.Definitions.merge(street, shop, build_defs(Settings()))
    dg.Definitions.validate_loadable(both)
    graph = both.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        prefixes = {tuple(parent.path[:-1]) for parent in graph.get(key).parent_keys}
        assert prefixes <= {tuple(key.path[:-1])}


def test_a_job_has_assets_and_checks_of_its_own_data_set_alone() -> None:
    @dg.asset(group_name="exports", tags={"report": "", "export": ""})
    def theirs() -> None: ...

    @dg.asset_check(asset=theirs)
    def their_check() -> dg.AssetCheckResult:
        raise NotImplementedError

    others = dg.Definitions(assets=[theirs], asset_checks=[their_check])
    defs = dg.Definitions.merge(definitions("key_prefix: street"), definitions("{}"), others)
    for job in defs.get_repository_def().get_all_jobs():
        if not job.name.startswith("__"):
            own = ("street",) if job.name.startswith("street_") else ()
            assert {tuple(key.path[:-1]) for key in job.asset_layer.executable_asset_keys} <= {own}
            steps = {node.name for node in job.all_node_defs}
            assert not steps & {"theirs", "theirs_their_check"}
            assert {step.startswith("street") for step in steps} == {bool(own)}


def test_only_the_named_exports_are_assets() -> None:
    def exports(text: str) -> set[str]:
        graph = definitions(text).resolve_asset_graph()
        checked = {key.asset_key.path[-1] for key in graph.asset_check_keys}
        made = {key.path[-1] for key in graph.get_all_asset_keys()}
        assert checked & EXPORTS.keys() == made & EXPORTS.keys()
        assert checked >= {check.asset for check in CHECKS} - EXPORTS.keys()
        return made & EXPORTS.keys()

    assert exports("{}") == EXPORTS.keys()
    assert exports("exports: [coco, pairs]") == {"coco", "pairs"}
    assert exports("exports: []") == set()
    jobs = {job.name for job in definitions("exports: []").get_repository_def().get_all_jobs()}
    assert "build_exports" not in jobs


def test_yaml_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (
        ("DF2_WORKERS", "3"),
        ("DF2_ENGINE", "serial"),
        ("DF2_SCHEDULES", "on"),
        ("DF2_CRON", "0 1 * * *"),
        ("SPLITS", "test"),
        ("SKU_ROOT", "/environment"),
    ):
        monkeypatch.setenv(name, text)
    defs = definitions(
        "{workers: 2, schedules: false, splits: [train], sku_root: crops, df2_root: s3://bucket/df2}"
    )
    assert resource(defs, "engine", "workers") == 2
    assert resource(defs, "engine", "kind") == "serial"  # not in the YAML
    assert resource(defs, "data", "sku_root") == str(CONTEXT.project_root / "crops")
    assert resource(defs, "data", "df2_root") == "s3://bucket/df2"
    nightly = defs.resolve_schedule_def("nightly_build")
    assert nightly.default_status == dg.DefaultScheduleStatus.STOPPED
    assert nightly.cron_schedule == "0 1 * * *"
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, 1, 1, tzinfo=UTC),
        repository_def=defs.get_repository_def(),
    )
    tick = nightly.evaluate_tick(context)
    assert [request.partition_key for request in tick.run_requests or ()] == ["train"]


def test_templates_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "s3://bucket")
    street = component('sku_root: "{{ env.PLACE }}/street"')
    assert street.sku_root == "s3://bucket/street"
    assert street.model_fields_set == {"sku_root"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("df2root: data", "df2root"),
        ("key_prefix: a/b", "key_prefix"),
        ("workers: 0", "workers"),
        ("workers: many", "workers"),
        ("engine: dask", "engine"),
        ("splits: [trian]", "splits"),
        ("splits: []", "splits"),
        ("exports: [tfrecord]", "exports"),
        ("max_refused: 2", "max_refused"),
        ("max_age_days: 0", "max_age_days"),
        ("sku_root: ''", "sku_root"),
        ("schedules: maybe", "schedules"),
    ],
)
def test_a_value_that_a_field_cannot_have_is_refused_with_the_field(
    text: str, message: str
) -> None:
    with pytest.raises(Exception, match=rf"(?s)validation error.*{message}"):
        component(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cron: every night", "cron is 'every night': give five cron fields"),
        ("timezone: Berlin", "timezone is 'Berlin': give the name of a time zone"),
        ("reports_url: localhost", "reports_url is 'localhost': give an address"),
        ("df2_root: s3://", "s3:// names no bucket"),
    ],
)
def test_a_value_that_only_the_settings_can_validate_is_refused_with_its_field_and_folder(
    text: str, message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        definitions(text)
    assert str(refused.value).startswith(f"{CONTEXT.path}: {message}")
    assert "DF2_" not in str(refused.value)


def test_a_bad_environment_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DF2_CRON", "x")
    with pytest.raises(SettingsError, match="DF2_CRON is 'x'"):
        definitions("workers: 2")
    definitions('cron: "0 2 * * *"')


def in_project(folder: Path, texts: dict[str, str]) -> dg.Definitions:
    """Load a project with one component per folder, each with the attributes of a text."""
    module = folder / "src" / folder.name
    for name, text in texts.items():
        yaml = module / "defs" / name / "defs.yaml"
        yaml.parent.mkdir(parents=True)
        yaml.write_text(f"type: df2_assets.DeepFashion2Sku\nattributes: {text}\n")
    (folder / "pyproject.toml").write_text(
        f'[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "{folder.name}"\n'
    )
    (module / "__init__.py").touch()
    (module / "defs" / "__init__.py").touch()
    return dg.load_from_defs_folder(path_within_project=folder)


def test_components_with_one_sku_root_are_refused_with_both_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    street, shop = (
        f"{{key_prefix: {name}, df2_root: {name}, sku_root: {root}}}"
        for name, root in (("street", "data/skus"), ("shop", "data/shop/../skus"))
    )
    with pytest.raises(ComponentTreeException, match="building definitions for two") as refused:
        in_project(tmp_path, {"one": street, "two": shop})
    message = str(refused.value.__cause__)
    assert "The data sets with the key_prefix 'street' and 'shop' have the same sku_root" in message
    assert str(tmp_path / "data" / "skus") in message


@pytest.mark.filterwarnings("ignore:Parameter `execution_type`")  # of what Dagster itself does
def test_components_of_a_project_with_roots_of_their_own_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    texts = {
        name: f"{{key_prefix: {name}, df2_root: {name}, sku_root: skus/{name}}}"
        for name in ("street", "shop")
    }
    keys = in_project(tmp_path, texts).resolve_asset_graph().get_all_asset_keys()
    assert {key.path[0] for key in keys} == {"street", "shop"}


def test_paths_are_relative_to_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    defs = definitions("{df2_root: data, prompts: templates.yaml}")
    assert resource(defs, "data", "df2_root") == str(CONTEXT.project_root / "data")
    assert resource(defs, "prompts", "file") == str(CONTEXT.project_root / "templates.yaml")
    assert resource(definitions("prompts: none"), "prompts", "file") == "none"


def test_crop_variants_are_a_field_of_the_component() -> None:
    defs = definitions("variants: variants.yaml")
    assert resource(defs, "variants", "file") == str(CONTEXT.project_root / "variants.yaml")
    assert resource(definitions("variants: none"), "variants", "file") == "none"


def test_texts_are_fields_of_the_component() -> None:
    defs = definitions("{sku_token: 0.5, captions: captions.jsonl}")
    assert resource(defs, "prompts", "sku_token") == "0.5"
    assert resource(defs, "prompts", "captions") == str(CONTEXT.project_root / "captions.jsonl")
    dropped = definitions("{sku_token: none, captions: none}")
    assert resource(dropped, "prompts", "sku_token") == "none"
    assert resource(dropped, "prompts", "captions") == "none"


@pytest.mark.parametrize(("text", "value"), [("{}", None), ("only_pairs: false", False)])
def test_skus_with_one_domain_are_kept_as_the_yaml_says(text: str, value: bool | None) -> None:
    assert resource(definitions(text), "skus", "only_pairs") is value

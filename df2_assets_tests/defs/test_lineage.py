"""The pages of assets before anything is built: descriptions, owners, columns, lineage, code."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from df2_assets import __version__
from df2_assets.checks.registry import CHECKS
from df2_assets.dataset.annotations import CODE_VERSION
from df2_assets.dataset.cropping import code_version
from df2_assets.dataset.documents import DOCUMENTS
from df2_assets.dataset.metadata import Crop, ImageText, Sku
from df2_assets.dataset.tables import SCHEMAS
from df2_assets.definitions import build_defs
from df2_assets.exports import EXPORTS
from df2_assets.settings import FIELDS, PACKAGE, Settings, read_settings
from df2_assets_tests.defs.platform import SPECS

SOURCES = {"deepfashion2", "prompt_templates"}
MADE = sorted(SPECS.keys() - SOURCES)
GROUPS = ("dataset", "reports", "retrieval", "exports")
HOST = "https://code.example.org/garments/df2-assets/src/branch/main"


def code(spec: dg.AssetSpec) -> list[dg.LocalFileCodeReference | dg.UrlCodeReference]:
    return list(spec.metadata["dagster/code_references"].code_references)


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_asset_has_a_group_kinds_an_owner_and_a_description(name: str) -> None:
    spec = SPECS[name]
    assert spec.group_name in GROUPS
    assert spec.owners == ["team:df2-assets"]
    assert spec.kinds
    assert spec.description
    assert len(spec.description) > 60


def test_the_contract_stands_in_the_descriptions_of_the_contract_files() -> None:
    for name, schema in DOCUMENTS.items():
        description = SPECS[name].description or ""
        assert f"{{split}}_{name}.json" in description
        assert [field for field in schema.names if f"`{field}`" not in description] == []
        assert "contract" in SPECS[name].tags


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_asset_links_to_its_code_on_this_machine(name: str) -> None:
    (here,) = code(SPECS[name])
    assert isinstance(here, dg.LocalFileCodeReference)
    assert here.line_number is not None
    lines = Path(here.file_path).read_text().splitlines()[here.line_number - 1 :]
    function = "observe" if name in SOURCES else "write" if name in EXPORTS else name
    assert next(line for line in lines if "def " in line).startswith(f"def {function}(")


def test_the_code_is_linked_on_a_host_where_one_is_set_and_nothing_else_changes() -> None:
    defs = build_defs(read_settings({"DF2_CODE_URL": f"{HOST}/"}))
    for asset in defs.get_repository_def().assets_defs_by_key.values():
        (spec,) = asset.specs
        was = SPECS[spec.key.path[-1]]
        (there,), (here,) = code(spec), code(was)
        assert isinstance(here, dg.LocalFileCodeReference)
        assert isinstance(there, dg.UrlCodeReference)
        path = Path(here.file_path).relative_to(PACKAGE.parent).as_posix()
        assert there.url == f"{HOST}/{path}#L{here.line_number}"
        assert (spec.deps, spec.owners, spec.tags) == (was.deps, was.owners, was.tags)
        assert spec.metadata.keys() == was.metadata.keys()


def test_the_columns_shown_are_those_of_the_contract_in_order() -> None:
    assert DOCUMENTS["image_text"].names == list(ImageText.__struct_fields__)
    own = {"sku_id", "domain"}  # the key of a SKU, and the list that a crop is in
    fields = {*Sku.__struct_fields__, *Crop.__struct_fields__} - {"catalog", "query"}
    assert set(DOCUMENTS["sku_metadata"].names) == fields | own


def test_every_group_has_its_assets() -> None:
    groups = {name: {n for n in SPECS if SPECS[n].group_name == name} for name in GROUPS}
    assert groups["reports"] == {"crop_quality", "gallery"}
    assert groups["retrieval"] == {"embeddings", "evaluation"}
    assert groups["exports"] == set(EXPORTS)
    others = groups["reports"] | groups["retrieval"] | groups["exports"]
    assert groups["dataset"] == SPECS.keys() - others


def test_a_code_version_is_a_release_and_a_version_of_the_rules() -> None:
    versions = {name: SPECS[name].code_version for name in MADE}
    assert versions["crops"] == f"{__version__} rules {code_version()}"
    assert versions["raw_annotation_index"] == f"{__version__} rules {CODE_VERSION}"
    assert versions["coco"] == f"{__version__} rules {EXPORTS['coco'].code_version}"
    assert all(str(v).startswith(f"{__version__} rules ") for v in versions.values())


@pytest.mark.parametrize("name", sorted(SPECS))
def test_a_description_begins_with_one_sentence(name: str) -> None:
    first, rest = (SPECS[name].description or "").split("\n\n", 1)
    assert re.fullmatch(r"(This|These) [^.]+\.", first.replace("\n", " "))
    assert len(first) < 100
    assert rest


def test_jobs_schedules_sensors_checks_and_settings_are_described_in_a_sentence() -> None:
    repository = build_defs(Settings()).get_repository_def()
    named: list[Any] = [
        *repository.get_all_jobs(),
        *repository.schedule_defs,
        *repository.sensor_defs,
    ]
    described = {one.name: one.description for one in named if not one.name.startswith("__")}
    described |= {check.name: check.description for check in CHECKS}
    described |= {name: field.description for name, field in FIELDS.items()}
    for name, description in described.items():
        first = re.split(r"(?<=\.)\s", " ".join((description or "").split()), maxsplit=1)[0]
        assert re.fullmatch(r"[A-Z].{20,110}\.", first), name


def test_columns_say_which_values_are_possible() -> None:
    def constraints(asset: str, column: str) -> dg.TableColumnConstraints:
        columns = SPECS[asset].metadata["dagster/column_schema"].columns
        found: dict[str, dg.TableColumnConstraints] = {c.name: c.constraints for c in columns}
        return found[column]

    assert constraints("sku_groups", "crop_path").unique
    assert not constraints("sku_groups", "crop_path").nullable
    assert constraints("raw_annotation_index", "item_idx").nullable
    assert constraints("sku_groups", "occlusion").other == ["1 to 3"]
    assert constraints("image_text", "category_id").other == ["1 to 13"]
    assert constraints("image_text", "image_id").other == ["^[0-9]{6}$"]


@pytest.mark.parametrize("name", [name for name in MADE if name in SCHEMAS | DOCUMENTS])
def test_columns_say_what_they_hold_and_where_it_comes_from(name: str) -> None:
    metadata = SPECS[name].metadata
    schema = metadata["dagster/column_schema"]
    assert [column.name for column in schema.columns] == (SCHEMAS | DOCUMENTS)[name].names
    assert all(column.description for column in schema.columns)
    upstream = {dep.asset_key.path[-1] for dep in SPECS[name].deps}
    for deps in metadata["dagster/column_lineage"].deps_by_column.values():
        for dep in deps:
            asset = dep.asset_key.path[-1]
            assert asset in upstream
            assert dep.column_name in (SCHEMAS | DOCUMENTS)[asset].names


def test_every_field_of_the_jsonl_can_be_followed_back_to_the_index() -> None:
    def sources(asset: str, column: str) -> set[str]:
        deps = SPECS[asset].metadata["dagster/column_lineage"].deps_by_column[column]
        found = {(dep.asset_key.path[-1], dep.column_name) for dep in deps}
        here = {name for of, name in found if of == "raw_annotation_index"}
        return here.union(
            *(sources(of, name) for of, name in found if of != "raw_annotation_index")
        )

    traced = {name: sources("image_text", name) for name in DOCUMENTS["image_text"].names}
    assert all(traced.values())
    assert traced["sku_id"] == {"pair_id", "style", "category_id"}
    assert traced["bbox"] == {"x1", "y1", "x2", "y2", "width", "height"}
    assert traced["text"] == {"source", "category_name", "occlusion", "viewpoint"}


def test_which_assets_checks_and_jobs_exist_does_not_depend_on_settings() -> None:
    graphs = [
        build_defs(settings).resolve_asset_graph()
        for settings in (Settings(), Settings(splits=("train",), code_url=HOST, schedules=True))
    ]
    assert len({frozenset(graph.get_all_asset_keys()) for graph in graphs}) == 1
    assert len({frozenset(graph.asset_check_keys) for graph in graphs}) == 1

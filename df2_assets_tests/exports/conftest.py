"""Fixtures for exports: three built splits, and copies of them with all exports."""

from pathlib import Path

import pytest

from df2_assets.dataset.prompts import Texts
from df2_assets.dataset.templates import parse_templates
from df2_assets.pipeline.publishing import publish_image_text
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.exports import splits


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Build three splits. Tests must not change them."""
    return splits.write_and_build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def exported(built: Roots, tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Write all exports of all splits. Tests must not change them."""
    roots = splits.copy_split(built, tmp_path_factory.mktemp("exported"))
    for split in splits.SPLITS:
        splits.export_all(roots, split)
    return roots


@pytest.fixture(scope="session")
def varied(built: Roots, tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Write all exports of train with a further prompt, `text_short`.

    Tests must not change them.
    """
    roots = splits.copy_split(built, tmp_path_factory.mktemp("varied"))
    templates = 'prompts: {text_short: ["{occ}{category_name}", "{category_name}, {domain}"]}'
    publish_image_text(roots, splits.SPLIT, Texts(parse_templates(templates, "prompts.yaml")))
    splits.export_all(roots)
    return roots


@pytest.fixture(params=["exported", "varied"], scope="session")
def prompted(request: pytest.FixtureRequest) -> Roots:
    """Provide all exports of train, without and with a further prompt."""
    roots: Roots = request.getfixturevalue(request.param)
    return roots


@pytest.fixture(scope="session")
def variants(exported: Roots, tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Write all exports of train for three variants, beside those of the crops.

    Tests must not change them.
    """
    folder = tmp_path_factory.mktemp("variants")
    roots = splits.copy_split(exported, folder)
    clean.build(roots, splits.SPLIT)  # the index is of another folder
    splits.make_variants(roots)
    for variant in splits.VARIANTS:
        splits.export_all(roots, variant=variant.name)
    return roots


@pytest.fixture
def site(built: Roots, tmp_path: Path) -> Roots:
    """Copy the built splits, for a test to change."""
    return splits.copy_split(built, tmp_path)

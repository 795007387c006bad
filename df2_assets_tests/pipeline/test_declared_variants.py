"""Crop variants that a data set inherits from an earlier declaration."""

from pathlib import Path

import pytest

from df2_assets.dataset.variants import CropVariant
from df2_assets.errors import VariantsError
from df2_assets.pipeline.declared import read_declared_variants
from df2_assets.settings import Settings
from df2_assets.store import declaration

SQUARE = CropVariant("square", square="pad", size=224)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "variants.yaml"
    path.write_text("variants: {square: {square: pad, size: 224}}")
    return path


def settings(tmp_path: Path, variants: Path | str | None = None) -> Settings:
    return Settings(tmp_path / "df2", str(tmp_path / "sku"), variants=variants)  # type: ignore


def declare(tmp_path: Path, variants: Path | str) -> None:
    """Record variants as those of the data set, as a build does."""
    declared = read_declared_variants(settings(tmp_path, variants))
    declaration.save(settings(tmp_path).roots, **declared.settings)


def test_without_a_declaration_nothing_says_what_may_be_removed(tmp_path: Path) -> None:
    declared = read_declared_variants(settings(tmp_path))
    assert declared.crop_variants is None
    assert declared.note == (
        "No crop variants are declared: set DF2_VARIANTS to a file that declares some"
    )


def test_declared_variants_are_inherited_even_without_their_file(
    tmp_path: Path, file: Path
) -> None:
    assert read_declared_variants(settings(tmp_path, file)).crop_variants == (SQUARE,)
    declare(tmp_path, file)
    file.unlink()
    inherited = read_declared_variants(settings(tmp_path))
    assert inherited.crop_variants == (SQUARE,)
    assert inherited.note == (
        f"kept the crop variants square of {file}, since DF2_VARIANTS is not set "
        "(DF2_VARIANTS=none drops them)"
    )


def test_none_drops_the_variants(tmp_path: Path, file: Path) -> None:
    declare(tmp_path, file)
    dropped = read_declared_variants(settings(tmp_path, "none"))
    assert (dropped.crop_variants, dropped.file, dropped.note) == ((), None, None)
    declare(tmp_path, "none")
    assert read_declared_variants(settings(tmp_path)).crop_variants == ()


def test_a_bad_file_does_not_replace_the_declaration(tmp_path: Path, file: Path) -> None:
    declare(tmp_path, file)
    file.write_text("variants: {square: {size: 0}}")
    with pytest.raises(VariantsError, match=r"variants\.square\.size is 0"):
        read_declared_variants(settings(tmp_path, file))
    assert read_declared_variants(settings(tmp_path)).crop_variants == (SQUARE,)


def test_the_texts_and_the_variants_of_a_data_set_do_not_affect_each_other(
    tmp_path: Path, file: Path
) -> None:
    roots = settings(tmp_path).roots
    declaration.save(roots, only_pairs=False)
    declare(tmp_path, file)
    assert declaration.load(roots).only_pairs is False
    declaration.save(roots, only_pairs=True)
    assert read_declared_variants(settings(tmp_path)).crop_variants == (SQUARE,)


def test_a_damaged_record_matters_only_without_the_setting(tmp_path: Path, file: Path) -> None:
    declare(tmp_path, file)
    settings(tmp_path).roots.declaration.write_text("{")
    with pytest.raises(VariantsError, match="is damaged, so the crop variants of this data set"):
        read_declared_variants(settings(tmp_path))
    assert read_declared_variants(settings(tmp_path, file)).crop_variants == (SQUARE,)

"""Names of encoders: which are refused, and what a user's own callable must have."""

import re
import sys
from pathlib import Path

import pytest

from df2_assets.embeddings import models
from df2_assets.embeddings.encoders import folder_name, resolve_encoder
from df2_assets.errors import EncoderError, SettingsError
from df2_assets.settings import read_settings
from df2_assets_tests.support import encoders

NAMES = (
    "histogram",
    "open_clip:ViT-B-32/openai",
    "open_clip:ViT-B-32/laion2b_s34b_b79k",
    "open_clip:hf-hub:org/model",
    "timm:resnet18",
    "timm:resnet18/none",
    "torchvision:resnet18",
    "torchvision:resnet18//models/of me.pth".replace(" ", "_"),
    "my_models.shoes:encode",
)


@pytest.fixture(autouse=True)
def forget() -> None:
    resolve_encoder.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_an_encoder_is_a_setting(name: str) -> None:
    assert read_settings({"DF2_ENCODER": f" {name} "}).encoder == name


@pytest.mark.parametrize("name", ["colour", "open_clip:ViT-B-32", "timm:", ":encode", "a:b c"])
def test_what_is_no_name_of_an_encoder_is_refused_with_the_forms(name: str) -> None:
    forms = "open_clip:ARCH/PRETRAINED, timm:NAME, torchvision:NAME or module:callable"
    with pytest.raises(SettingsError, match=f"DF2_ENCODER is '{name}': give histogram, {forms}"):
        read_settings({"DF2_ENCODER": name})
    with pytest.raises(EncoderError, match=f"no encoder '{name}': give histogram, {forms}$"):
        resolve_encoder(name)


def test_each_name_has_a_folder_of_its_own_that_every_disk_can_hold() -> None:
    names = [*NAMES, "timm:resnet18-none", "a:b", "a-b", "a:B", f"m:{'x' * 300}", f"m:{'x' * 301}"]
    folders = [folder_name(name) for name in names]
    assert len({folder.lower() for folder in folders}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", folder) for folder in folders)
    assert folder_name("histogram") == "histogram"


def test_a_callable_needs_a_name_and_a_version() -> None:
    with pytest.raises(EncoderError, match="nameless has no name or no version: give the callable"):
        resolve_encoder(encoders.setting(encoders.nameless))


def test_a_module_that_cannot_be_imported_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EncoderError, match=r"no_such:thing cannot be loaded \(ModuleNotFoundErr"):
        resolve_encoder("no_such:thing")
    with pytest.raises(EncoderError, match=r"cannot be loaded \(AttributeError: .*PYTHONPATH$"):
        resolve_encoder(f"{encoders.__name__}:thing")
    (tmp_path / "failing_encoder.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EncoderError, match="ZeroDivisionError: division by zero"):
        resolve_encoder("failing_encoder:encode")
    sys.modules.pop("failing_encoder", None)


@pytest.mark.parametrize("library", models.PACKAGES)
def test_a_model_without_its_library_names_the_extra(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(models.PACKAGES, library, "no-such-package")
    with pytest.raises(EncoderError, match=r"needs an extra.*pip install 'df2-assets\[encoders\]'"):
        resolve_encoder(f"{library}:resnet18/none")


def test_weights_in_a_file_that_does_not_exist_are_named() -> None:
    with pytest.raises(EncoderError, match=r"there is no file /no/such/file\.pt$"):
        resolve_encoder("timm:resnet18//no/such/file.pt")

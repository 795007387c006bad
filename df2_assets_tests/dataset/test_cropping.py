"""The code version of crops does not depend on the machine."""

import PIL
import pytest

from df2_assets.dataset import cropping


@pytest.mark.parametrize(("name", "value"), [("QUALITY", 80), ("CODE_VERSION", "next")])
def test_the_code_version_and_the_fingerprint_change_with_the_rule(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cropping.code_version(), cropping.encoder()
    monkeypatch.setattr(cropping, name, value)
    now = cropping.code_version(), cropping.encoder()
    assert all(new != old for new, old in zip(now, before, strict=True))


def test_another_pillow_only_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cropping.code_version(), cropping.encoder()
    monkeypatch.setattr(PIL, "__version__", "99.0")
    assert cropping.code_version() == before[0]
    assert cropping.encoder() != before[1]

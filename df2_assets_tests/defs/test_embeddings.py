"""The job `embed`: the encoder by run config, and what the page of the asset shows."""

import pytest

from df2_assets.embeddings.files import find_encoders
from df2_assets_tests.defs.platform import SPLIT, Platform, evaluations, failure, made
from df2_assets_tests.support import encoders

pytestmark = pytest.mark.slow

MEAN = encoders.setting(encoders.mean)


def choose(encoder: str) -> dict[str, object]:
    return {"resources": {"encoder": {"config": {"name": encoder}}}}


def test_run_config_chooses_the_encoder_and_the_page_has_its_numbers(built: Platform) -> None:
    versions = []
    for encoder, encoded in ((MEAN, 52), (MEAN, 0), ("histogram", 52)):
        result = built.run("embed", config=choose(encoder))
        assert result.success
        shown = {name: entry.value for name, entry in made(result)["embeddings"].metadata.items()}
        assert shown["encoder"] == encoder
        assert (shown["crops"], shown["encoded"]) == (52, encoded)
        assert shown["dimension"] == (3 if encoder == MEAN else 1020)
        assert ("crops_encoded_per_second" in shown) == (encoded > 0)
        assert f"by {encoder}, {encoded} encoded now." in str(shown["summary"])
        assert evaluations(result)["embeddings", "vectors_match_crops"].passed
        versions.append((made(result)["embeddings"].tags or {})["dagster/data_version"])
    assert versions[0] == versions[1] != versions[2]
    assert find_encoders(built.settings.roots, SPLIT) == sorted([MEAN, "histogram"])


def test_an_error_of_an_encoder_is_shown_as_it_is(built: Platform) -> None:
    result = built.run("embed", config=choose(encoders.setting(encoders.flat)))
    assert "flat returned 156 for 52 crops, instead of one row per crop" in failure(result)
    assert "Traceback" not in failure(result)

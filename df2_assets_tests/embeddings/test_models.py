"""Models of open_clip, timm and torchvision, run with random weights."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from df2_assets.embeddings.encoders import resolve_encoder
from df2_assets.embeddings.files import read_embeddings
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.progress import silent
from df2_assets.errors import EncoderError
from df2_assets.pipeline.embedding import embed_split
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.conftest import disk, small
from df2_assets_tests.support import torchvision
from df2_assets_tests.support.builder import jpeg

__all__ = ["disk", "small"]

pytestmark = pytest.mark.encoders

SPLIT = "train"
MODELS = {
    "open_clip:RN50/none": 1024,
    "timm:resnet18/none": 512,
    "timm:vit_tiny_patch16_224/none": 192,
    "torchvision:resnet18/none": 512,
    "torchvision:squeezenet1_1/none": 1000,
}


@pytest.fixture(autouse=True)
def libraries() -> None:
    pytest.importorskip("torch", reason="needs the encoders extra")
    torchvision.make_importable()
    resolve_encoder.cache_clear()


def encode(name: str) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return the vectors of three pictures."""
    encoder = resolve_encoder(name)
    files = [io.BytesIO(jpeg(size, seed=size)) for size in ((60, 90), (300, 200), (9, 8))]
    pictures = [Image.open(file).convert("RGB") for file in files]
    vectors: np.ndarray[Any, np.dtype[np.float32]] = encoder.encode(
        [encoder.prepare(picture) for picture in pictures]
    )
    return vectors


@pytest.mark.parametrize(("name", "dimension"), MODELS.items())
def test_a_model_encodes_pictures_the_same_each_time(name: str, dimension: int) -> None:
    first = encode(name)
    assert first.shape == (3, dimension)
    assert first.dtype == np.float32
    assert len(np.unique(first, axis=0)) == 3
    resolve_encoder.cache_clear()
    assert np.array_equal(encode(name), first)


def test_crops_are_encoded_by_threads_with_one_model(disk: Roots) -> None:
    name = "timm:test_resnet/none"
    embedded = embed_split(disk, SPLIT, resolve_encoder(name), LocalEngine(2), silent)
    vectors = read_embeddings(disk, SPLIT, name).vectors
    assert embedded.encoded == len(vectors) == 52
    assert len(np.unique(vectors, axis=0)) == 52
    assert embed_split(disk, SPLIT, resolve_encoder(name), LocalEngine(2), silent).encoded == 0


def test_weights_come_from_a_file_whose_bytes_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    import torch
    import torchvision as library

    file = tmp_path / "weights.pt"
    names = [f"{kind}:resnet18/{file}" for kind in ("timm", "torchvision")]
    fingerprints, vectors = [], []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = library.models.resnet18(weights=None)  # timm's has weights of the same names
        torch.save({"state_dict": model.state_dict()}, file)
        resolve_encoder.cache_clear()
        fingerprints += [resolve_encoder(name).fingerprint for name in names]
        vectors += [encode(name) for name in names]
    assert len({*fingerprints}) == 4
    for same, other in ((0, 1), (2, 3)):
        # The libraries resize pictures a little differently.
        assert np.corrcoef(vectors[same].ravel(), vectors[other].ravel())[0, 1] > 0.9
    assert not np.allclose(vectors[0], vectors[2])


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    import torch

    file = tmp_path / "weights.pt"
    torch.save({"conv.weight": torch.zeros(1)}, file)
    with pytest.raises(
        EncoderError, match=r"weights\.pt lacks \d+ weights of the model, the first"
    ):
        encode(f"timm:resnet18/{file}")


@pytest.mark.parametrize("library", ["open_clip", "timm", "torchvision"])
def test_a_model_that_does_not_exist_is_named_with_the_reason(library: str) -> None:
    with pytest.raises(EncoderError, match=rf"{library}:no_model cannot be loaded \(\w+: .*no_mo"):
        encode(f"{library}:no_model/none")

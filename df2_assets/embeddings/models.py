"""Encoders that are models of open_clip, timm and torchvision.

The weights follow the name of the model after a slash: a name that the library knows, the path of a
file, or `none` for random weights, which are the same each time. timm and torchvision take their
own default weights without one.
"""

import hashlib
import threading
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from df2_assets.errors import Df2Error, EncoderError, describe_exception

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

PACKAGES: Final = {"open_clip": "open-clip-torch", "timm": "timm", "torchvision": "torchvision"}
"""The package of each library of models."""

_UNTRAINED: Final = "none"
_ON_HUB: Final = "hf-hub:"
_SEED: Final = 0


class _Loaded(NamedTuple):
    """A model: `encode` takes a batch of what `prepare` returns for each picture, on `device`."""

    prepare: Callable[[Any], Any]
    encode: Callable[[Any], Any]
    device: str


class Model:
    """A model that is loaded when it first sees a picture, onto a GPU if torch has one."""

    in_workers = False

    def __init__(self, name: str, weights: str, load: Callable[[str], _Loaded]) -> None:
        self.name = name
        self.version = weights
        self._load = load
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    def prepare(self, image: "Image") -> Any:
        return self._get().prepare(image)

    def __call__(self, images: list[Any]) -> "npt.NDArray[np.float32]":
        import torch

        model = self._get()
        with torch.inference_mode():
            vectors = model.encode(torch.stack(images).to(model.device))
        result: npt.NDArray[np.float32] = vectors.float().cpu().numpy()
        return result

    def _get(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load_seeded()
        return self._loaded

    def _load_seeded(self) -> _Loaded:
        """Return the model. Raises EncoderError where its library cannot load it."""
        import torch

        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(_SEED)
                return self._load("cuda" if torch.cuda.is_available() else "cpu")
        except Df2Error:
            raise
        except Exception as error:
            raise EncoderError(
                f"The encoder {self.name} cannot be loaded ({describe_exception(error)}): check "
                "its name and weights, and whether this machine can download them"
            ) from error


def make_model(library: str, rest: str) -> Model:
    """Return the encoder `library:rest`. Raises EncoderError where the library is not installed."""
    name, _, weights = (rest, "", "") if rest.startswith(_ON_HUB) else rest.partition("/")
    file = Path(weights)
    is_file = bool(weights) and file.is_file()
    if not is_file and "/" in weights:
        raise EncoderError(
            f"The encoder {library}:{rest} cannot be loaded: there is no file {weights}"
        )
    content = hashlib.sha256(file.read_bytes()).hexdigest() if is_file else weights
    try:
        release = version(PACKAGES[library])
    except PackageNotFoundError:
        raise EncoderError(
            f"The encoder {library}:{rest} needs an extra. In a checkout, run: pip install -e "
            "'.[encoders]' and elsewhere: pip install 'df2-assets[encoders]'"
        ) from None
    parts = [f"{PACKAGES[library]} {release}", *([f"weights {content}"] if content else [])]
    load = {"open_clip": _load_open_clip, "timm": _load_timm, "torchvision": _load_torchvision}
    return Model(
        f"{library}:{name}",
        ", ".join(parts),
        partial(load[library], name, file if is_file else weights),
    )


def _load_open_clip(name: str, weights: str | Path, device: str) -> _Loaded:
    import open_clip

    pretrained = None if weights in ("", _UNTRAINED) else str(weights)
    model, _, prepare = open_clip.create_model_and_transforms(
        name, pretrained=pretrained, device=device
    )
    return _Loaded(prepare, model.eval().encode_image, device)


def _load_timm(name: str, weights: str | Path, device: str) -> _Loaded:
    import timm
    from timm.data import create_transform, resolve_model_data_config

    tag = weights if isinstance(weights, str) and weights != _UNTRAINED else ""
    model = timm.create_model(
        f"{name}.{tag}" if tag else name,
        pretrained=isinstance(weights, str) and weights != _UNTRAINED,
        num_classes=0,  # the features before the classifier
    )
    if isinstance(weights, Path):
        _fill(model, weights)
    prepare = create_transform(**resolve_model_data_config(model))
    return _Loaded(prepare, model.eval().to(device), device)


def _load_torchvision(name: str, weights: str | Path, device: str) -> _Loaded:
    import torch
    from torchvision import models

    known = models.get_model_weights(name)
    is_known = isinstance(weights, str) and weights != _UNTRAINED
    chosen = known[weights] if is_known and weights else known.DEFAULT
    model = models.get_model(name, weights=chosen if is_known else None)
    linear = [name for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)]
    for classifier in linear[-1:]:  # squeezenet has none
        model.set_submodule(classifier, torch.nn.Identity())
    if isinstance(weights, Path):
        _fill(model, weights)
    return _Loaded(chosen.transforms(), model.eval().to(device), device)


def _fill(model: Any, file: Path) -> None:
    """Give a model the weights of a file, which may have more, such as those of a classifier.

    Raises EncoderError where the file lacks some.
    """
    import torch

    state = torch.load(file, map_location="cpu", weights_only=True)
    lacking = model.load_state_dict(state.get("state_dict", state), strict=False).missing_keys
    if lacking:
        raise EncoderError(
            f"{file} lacks {len(lacking)} weights of the model, the first is {lacking[0]}: choose "
            "the model that the file was saved from"
        )

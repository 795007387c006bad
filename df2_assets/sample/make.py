"""Writing a sample: which files are missing, drawing them, and the marker that says whose it is."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, SPLITS
from df2_assets.errors import SampleError
from df2_assets.sample.picture import draw
from df2_assets.sample.plan import ImagePlan, plan
from df2_assets.store.files import atomic

MARKER: Final = "sample.json"
VERSION: Final = 1
"""To be raised with each change that can change a file of a sample."""

_QUALITY: Final = 88
_ORIENTATION: Final = 0x0112
_BATCH: Final = 12


@dataclass(frozen=True)
class Settings:
    """What decides every byte of a sample."""

    images: int
    seed: int
    version: int = VERSION


@dataclass(frozen=True)
class SampleSummary:
    """`images` by split; `written` of them were drawn by this call, the rest were there."""

    root: Path
    images: dict[str, int]
    written: int


def make_sample(out: Path, images: int = 480, seed: int = 0) -> SampleSummary:
    """Write a sample DeepFashion2 to `out`, which is then a `DF2_ROOT`.

    `images` counts all three splits; `seed` decides every byte. From about 450 images on, the kept
    SKUs of train and of validation each fill all 234 combinations of category, occlusion, viewpoint
    and domain; fewer images are as valid, and fill fewer. Files that are there stay untouched, so
    that a second call writes nothing and a killed one is completed.

    Raises SampleError where `out` holds anything else, or for a number of images that makes no
    sample.
    """
    plans = plan(images, seed)
    try:
        _claim(out, Settings(images, seed))
        missing = [p for p in plans if not all(path.is_file() for path in _paths(out, p))]
        for _ in _written(out, missing, seed):
            pass
    except OSError as error:
        raise SampleError(f"the sample in {out} cannot be written: {error}") from None
    counts = {split: sum(p.split == split for p in plans) for split in SPLITS}
    return SampleSummary(out, counts, len(missing))


def _claim(out: Path, settings: Settings) -> None:
    """Mark the folder as this sample's, unless it is something else's already."""
    marker = out / MARKER
    if marker.is_file():
        try:
            found = json.loads(marker.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if found != asdict(settings):
            raise SampleError(
                f"{out} holds another sample ({found}, not {asdict(settings)}); "
                "choose another folder, or remove that one."
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SampleError(f"{out} holds something else; choose an empty or a new folder.")
    with atomic(marker) as temporary:
        temporary.write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")


def _paths(out: Path, planned: ImagePlan) -> list[Path]:
    """The files of an image: itself and, but in `test`, its annotation."""
    image = out / planned.split / "image" / f"{planned.image_id}.jpg"
    if planned.split not in ANNOTATED_SPLITS:
        return [image]
    return [image, out / planned.split / "annos" / f"{planned.image_id}.json"]


def _written(out: Path, plans: list[ImagePlan], seed: int) -> Iterator[int]:
    """Write images and annotations, on all cores; yields the size of each finished batch."""
    batches = [plans[i : i + _BATCH] for i in range(0, len(plans), _BATCH)]
    if len(batches) < 3:
        yield from (write(out, batch, seed) for batch in batches)
        return
    from loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, len(batches)))
    try:
        for future in as_completed([pool.submit(write, out, batch, seed) for batch in batches]):
            yield future.result()
    finally:
        pool.shutdown(wait=False, kill_workers=True)


def write(out: Path, plans: list[ImagePlan], seed: int) -> int:
    """Draw and write some images and their annotations."""
    for planned in plans:
        image, annotation = draw(planned, seed)
        path, *others = _paths(out, planned)
        with atomic(path) as temporary:
            _save(image, temporary, planned)
        for other in others:
            with atomic(other) as temporary:
                temporary.write_text(json.dumps(annotation), encoding="utf-8")
    return len(plans)


def _save(image: Image.Image, path: Path, planned: ImagePlan) -> None:
    """As a JPEG of the planned kind; `turned` says that viewers are to rotate it, and lies."""
    exif = Image.Exif()
    if planned.kind == "grey":
        image = image.convert("L")
    elif planned.kind == "cmyk":
        image = image.convert("CMYK")
    elif planned.kind == "turned":
        exif[_ORIENTATION] = 6
    progressive = planned.kind == "progressive"
    image.save(path, "JPEG", quality=_QUALITY, progressive=progressive, exif=exif)

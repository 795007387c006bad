"""Writing a sample: whose folder it is, which files are missing, and drawing those."""

import json
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.engines.base import Lost
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.progress import Progress, silent
from df2_assets.errors import SampleError, inert
from df2_assets.sample.answer_key import ANSWER_KEY, encode
from df2_assets.sample.faults.planting import Planting, plant
from df2_assets.sample.jobs import Job, Shard, write_shard
from df2_assets.sample.plan import plan
from df2_assets.store.files import atomic

DEFAULT_IMAGES: Final = 480
MARKER: Final = "sample.json"
VERSION: Final = 2
"""To be raised with each change that can change a file of a sample."""

_SHARD: Final = 12


@dataclass(frozen=True)
class Settings:
    """What decides every byte of a sample."""

    images: int
    seed: int
    faults: bool
    version: int = VERSION


@dataclass(frozen=True)
class SampleSummary:
    """`images` by split; `written` of them were drawn by this call, the rest were there."""

    root: Path
    images: dict[str, int]
    written: int


def make_sample(
    out: Path,
    images: int = DEFAULT_IMAGES,
    seed: int = 0,
    *,
    faults: bool = False,
    progress: Progress = silent,
) -> SampleSummary:
    """Write a sample DeepFashion2 to `out`, which is then a `DF2_ROOT`.

    `images` counts all three splits; `seed` decides every byte. From about 450 images on, the kept
    SKUs of train and of validation each fill all 234 combinations of category, occlusion, viewpoint
    and domain; fewer images are as valid, and fill fewer. Files that are there stay untouched: a
    second call writes nothing, and a killed one is completed.

    With `faults` some 190 images are added that have something wrong, or unusual and good, with
    them, and `answer_key.json` says what and where.

    Raises SampleError where `out` holds anything else, or for a number of images that makes no
    sample.
    """
    plans = plan(images, seed)
    planting = plant(plans, seed) if faults else Planting([], [], [])
    jobs = [Job(one.split, one.image_id, one) for one in plans] + planting.jobs
    try:
        _claim(out, Settings(images, seed, faults))
        missing = [job for job in jobs if not all((out / path).is_file() for path in job.paths())]
        _draw(out, seed, missing, progress)
        for path in planting.strangers:
            _write(out / path, b"")
        if faults:
            _write(out / ANSWER_KEY, encode(planting.key))
    except OSError as error:
        raise SampleError(f"The sample in {out} cannot be written: {error}") from None
    counts = {split: sum(job.split == split for job in jobs) for split in SPLITS}
    return SampleSummary(out, counts, len(missing))


def _claim(out: Path, settings: Settings) -> None:
    """Mark the folder as this sample's, unless it is something else's already."""
    marker = out / MARKER
    wanted = json.dumps(asdict(settings))
    if marker.is_file():
        found = marker.read_text(encoding="utf-8", errors="replace").strip()
        if found != wanted:
            raise SampleError(
                f"{out} holds another sample: {inert(found)}, not {wanted}. "
                "Choose another folder, or remove that one."
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SampleError(f"{out} holds something else. Choose an empty or a new folder.")
    else:
        _write(marker, f"{wanted}\n".encode())


def _write(path: Path, content: bytes) -> None:
    if not path.is_file():
        with atomic(path) as temporary:
            temporary.write_bytes(content)


def _draw(out: Path, seed: int, jobs: list[Job], progress: Progress) -> None:
    shards = [Shard(out, seed, jobs[i : i + _SHARD]) for i in range(0, len(jobs), _SHARD)]
    if not shards:
        return
    with (
        progress("drawing the sample", len(jobs), "images") as advance,
        closing(LocalEngine().map(write_shard, shards)) as results,
    ):
        for shard, result in results:
            if isinstance(result, Lost):
                raise SampleError(f"A worker that drew images died: {result.cause}")
            advance(len(shard.jobs))

"""Writing a sample: claiming its folder, and drawing the files that are missing."""

import json
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.engines.base import Lost
from df2_assets.engines.make import make_engine
from df2_assets.engines.processes import find_process_obstacle
from df2_assets.engines.progress import Progress, silent
from df2_assets.errors import SampleError, escape_untrusted, explain_os_error
from df2_assets.sample.answer_key import ANSWER_KEY, encode
from df2_assets.sample.defects import DEFECTS, Draft
from df2_assets.sample.picture import draw, encode_picture
from df2_assets.sample.plan import plan_images
from df2_assets.sample.planting import Job, plant
from df2_assets.store.location import store_at
from df2_assets.store.system_files import is_system_file

DEFAULT_IMAGES: Final = 480
MARKER: Final = "sample.json"
VERSION: Final = 5
"""Raise this with each change that can change a file of a sample."""

_SHARD: Final = 12


@dataclass(frozen=True)
class SampleSummary:
    """The images of a sample by split. `written` of them were drawn by this call."""

    root: Path
    images: dict[str, int]
    written: int


class SampleShard(NamedTuple):
    """Images for one worker to draw."""

    out: Path
    seed: int
    jobs: list[Job]


def make_sample(
    out: Path,
    images: int = DEFAULT_IMAGES,
    seed: int = 0,
    *,
    defects: bool = False,
    progress: Progress = silent,
) -> SampleSummary:
    """Write a sample of DeepFashion2 to `out`, which can then be `DF2_ROOT`.

    `images` is the number for all three splits together. `seed` decides every byte. With about 450
    images or more, the SKUs of train and of validation each have all 234 combinations of category,
    occlusion, viewpoint and domain. Existing files are kept, so another call can complete a killed
    one.

    `defects` adds about 180 images, most with a defect and some that are unusual but valid, and an
    answer key. It needs at least 120 images, to have a place for each defect.

    Raises SampleError if `out` holds anything else, or the number of images is too small or large.
    """
    plans = plan_images(images, seed)
    spoilt, foreign, key = plant(plans, seed) if defects else ([], [], [])
    jobs = [Job(image.split, image.image_id, image) for image in plans] + spoilt
    try:
        _claim(out, {"images": images, "seed": seed, "defects": defects, "version": VERSION})
        missing = [job for job in jobs if not all((out / p).is_file() for p in job.paths if p)]
        if missing:
            _draw(out, seed, missing, progress)
        for path in foreign:
            _write(out / path, b"")
        if defects:
            _write(out / ANSWER_KEY, encode(key))
    except OSError as error:
        raise SampleError(f"The sample cannot be written: {explain_os_error(error)}") from None
    counts = {split: sum(job.split == split for job in jobs) for split in SPLITS}
    return SampleSummary(out, counts, len(missing))


def write_shard(shard: SampleShard) -> None:
    """Draw the images of a shard and write their files. This runs in a worker process."""
    for job in shard.jobs:
        image, labels = draw(job.plan, shard.seed)
        draft = Draft(
            labels, f"item{job.item_idx}", encode_picture(image, job.plan.kind), image.size
        )
        DEFECTS[job.defect].spoil(draft)
        for path, content in zip(job.paths, (draft.image, draft.annotation), strict=True):
            if path:
                _write(shard.out / path, content)


def _claim(out: Path, settings: dict[str, int]) -> None:
    """Mark the folder as this sample's. Raises SampleError if it holds anything else."""
    marker, expected = out / MARKER, json.dumps(settings)
    if marker.is_file():
        present = marker.read_text(encoding="utf-8", errors="replace").strip()
        if present != expected:
            raise SampleError(
                f"{out} holds another sample: {escape_untrusted(present)}, not {expected}. "
                "Choose another folder, or remove that one."
            )
    elif out.exists() and (not out.is_dir() or not all(map(is_system_file, os.listdir(out)))):
        raise SampleError(
            f"{out} is not empty and is not a sample. Choose an empty or a new folder."
        )
    else:
        _write(marker, f"{expected}\n".encode())


def _write(path: Path, content: bytes) -> None:
    """Write a file that does not exist, under a temporary name first."""
    if not path.is_file():
        with store_at(path).atomic(path) as temporary:
            temporary.write_bytes(content)


def _draw(out: Path, seed: int, jobs: list[Job], progress: Progress) -> None:
    shards = [SampleShard(out, seed, jobs[i : i + _SHARD]) for i in range(0, len(jobs), _SHARD)]
    with (
        progress("drawing the sample", len(jobs), "images") as advance,
        closing(make_engine("local", 1 if find_process_obstacle() else None)) as engine,
        closing(engine.map(write_shard, shards)) as results,
    ):
        for shard, result in results:
            if isinstance(result, Lost):
                raise SampleError(f"A worker that drew images died: {result.cause}")
            advance(len(shard.jobs))

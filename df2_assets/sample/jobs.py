"""One image of a sample, from its plan to its files. Runs in worker processes."""

import io
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image

from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS
from df2_assets.sample.faults.catalogue import FAULTS
from df2_assets.sample.faults.fault import Draft
from df2_assets.sample.picture import draw
from df2_assets.sample.plan import ImagePlan
from df2_assets.store.files import atomic

_QUALITY: Final = 88
_ORIENTATION: Final = 0x0112


class Job(NamedTuple):
    """An image to write to `split` under `image_id`, drawn as `plan` says.

    `fault` names what spoils it, at the item with index `item_idx`.
    """

    split: str
    image_id: str
    plan: ImagePlan
    fault: str | None = None
    item_idx: int | None = None

    def image_path(self) -> str | None:
        """Where the image goes, relative to the sample; None where a fault leaves it out."""
        suffix = FAULTS[self.fault].image_suffix if self.fault else ".jpg"
        return None if suffix is None else f"{self.split}/image/{self.image_id}{suffix}"

    def annotation_path(self) -> str | None:
        """Where the annotation goes; None in `test`, or where a fault leaves it out."""
        annotated = not self.fault or FAULTS[self.fault].annotated
        if not annotated or self.split not in ANNOTATED_SPLITS:
            return None
        return f"{self.split}/annos/{self.image_id}.json"

    def paths(self) -> list[str]:
        """The files that it leaves."""
        return [path for path in (self.image_path(), self.annotation_path()) if path]


class Shard(NamedTuple):
    out: Path
    seed: int
    jobs: list[Job]


def write_shard(shard: Shard) -> None:
    """Draw the images of a shard and write their files, each under a temporary name first."""
    for job in shard.jobs:
        image, labels = draw(job.plan, shard.seed)
        draft = Draft(labels, f"item{job.item_idx}", _jpeg(image, job.plan), image.size)
        if job.fault:
            FAULTS[job.fault].spoil(draft)
        for path, content in (
            (job.image_path(), draft.image),
            (job.annotation_path(), draft.annotation),
        ):
            if path:
                with atomic(shard.out / path) as temporary:
                    temporary.write_bytes(content)


def _jpeg(image: Image.Image, plan: ImagePlan) -> bytes:
    """A JPEG of the planned kind; `turned` tells viewers to rotate what is upright as stored."""
    exif = Image.Exif()
    if plan.kind == "grey":
        image = image.convert("L")
    elif plan.kind == "cmyk":
        image = image.convert("CMYK")
    elif plan.kind == "turned":
        exif[_ORIENTATION] = 6
    buffer = io.BytesIO()
    progressive = plan.kind == "progressive"
    image.save(buffer, "JPEG", quality=_QUALITY, progressive=progressive, exif=exif)
    return buffer.getvalue()

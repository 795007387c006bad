"""A Dataset of the crops of a split with their prompts, and one of several splits."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset

from df2_assets.errors import ProvenanceError
from df2_assets.store.crop_lines import find_label_lines, find_variant_lines
from df2_assets.store.layout import Roots
from df2_assets.store.location import locate
from df2_assets.store.state import load, require_readable
from df2_assets.torch.labels import make_labels
from df2_assets.torch.lines import CropLines
from df2_assets.torch.rows import JoinedRows, Rows


class DeepFashion2ImageTextDataset(Dataset[dict[str, Any]]):
    """Crops of a split with their prompts, in the order of `{split}_image_text.jsonl`.

    An item is `{"image", "text", "sku_id", "sku_uid", "domain", "meta"}`. `image` is an RGB PIL
    image, or the result of `transform`. `text` is the field `text_key` of the line, and `meta` is
    the whole line. `sku_uid` is `{split}/{sku_id}`: it identifies a garment among all splits, which
    `sku_id` does not. `rows` gives access to the lines only. Lines and images are read when an item
    is requested, and not kept. A copy for another process takes 8 bytes per row, and 12 more for
    each of `variant` and `labels`. `sku_root` may be a URL: each process then fetches the JSONL
    once, and an image per item.

    `variant` is the name of a crop variant, whose files are the images. An image has the mode RGBA
    if the garment is cut out to transparency, else RGB. Rows whose crop the variant refused are
    left out, and `rows_left_out` is their number.

    With `labels=True`, an item also has:

    - `mask`: a bool tensor (height, width)
    - `landmarks`: a float32 tensor (294, 3) of `x, y, v`. As in the COCO format of DeepFashion2,
      the landmarks of all categories have a place, and those of other categories are zeros:
      `select_landmarks` returns those of one category. v is 2 for visible, 1 for occluded and 0 for
      not labelled.
    - `labels_refused`: why the mask or the landmarks were refused, or an empty text. A mask that
      was refused is False everywhere, and landmarks that were refused are zeros.

    Coordinates are pixels of the image before `transform`, which changes neither mask nor
    landmarks.

    With `strict=False`, the files are not checked. This is for a copy of the JSONL and the crops
    without `_df2_assets`, which records whether they belong together.

    Raises MissingSplitError if the folder or the split is missing, and names the splits that exist;
    IncompleteSplitError if the split is half-built or, with `strict`, nothing shows that it is
    complete; MissingTableError if its JSONL, the variant or the labels are missing; KeyError if a
    line lacks `text_key`; ProvenanceError if a line is of another split, or if variant or labels
    are of another build.
    """

    def __init__(
        self,
        sku_root: str | Path,
        split: str,
        transform: Callable[[Image.Image], Any] | None = None,
        text_key: str = "text",
        *,
        variant: str | None = None,
        labels: bool = False,
        strict: bool = True,
    ) -> None:
        self.sku_root = locate(str(sku_root))
        self.split = split
        self.transform = transform
        self.text_key = text_key
        roots = Roots(Path(), self.sku_root, str(sku_root))
        require_readable(roots, split, strict=strict)
        self.rows = Rows(roots.image_text(split))
        is_compared = strict and (variant is not None or labels)
        source = load(roots, split).sku_metadata_of if is_compared else None
        self._forms: CropLines | None = None
        self._labels: CropLines | None = None
        self._mode = "RGB"
        self.rows_left_out = 0
        if variant is not None:
            path = find_variant_lines(roots, split, variant)
            command = f"df2-assets variants --split {split}"
            self._forms = CropLines(path, self.rows, source, command)
            if self._forms.variant is not None:
                self._mode = self._forms.variant.mode
            self.rows_left_out = int(self._forms.is_refused.sum())
            kept = np.flatnonzero(~self._forms.is_refused)
            self.rows, self._forms = self.rows.select(kept), self._forms.select(kept)
        if labels:
            path = find_label_lines(roots, split)
            command = f"df2-assets labels --split {split}"
            self._labels = CropLines(path, self.rows, source, command)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.rows[index]
        self.require_own_split(row["split"])
        form = None if self._forms is None else self._forms[index]
        path = self.sku_root / (form["variant_path"] if form else row["image_path"])
        with path.open("rb") as opened, Image.open(opened) as file:
            image = file.convert(self._mode)
        labels = {}
        if self._labels is not None:
            labels = make_labels(row, self._labels[index], form, image.size)
        return {
            "image": image if self.transform is None else self.transform(image),
            "text": row[self.text_key],
            "sku_id": row["sku_id"],
            "sku_uid": f"{row['split']}/{row['sku_id']}",
            "domain": row["domain"],
            "meta": row,
            **labels,
        }

    def require_own_split(self, split: str) -> None:
        """Raise ProvenanceError if a line of the JSONL names another split."""
        if split != self.split:
            raise ProvenanceError(
                f"{self.rows.path} has a line of the split {split!r}: SKU ids of two splits name "
                "different garments. Keep one file per split, and join the data sets with "
                "df2_assets.torch.join"
            )


class JoinedDataset(ConcatDataset[dict[str, Any]]):
    """The crops of several splits, one split after another: see `join`.

    Items are those of the data sets that are joined. `rows` has the lines of all of them.
    """

    datasets: list[DeepFashion2ImageTextDataset]

    def __init__(self, datasets: Iterable[DeepFashion2ImageTextDataset]) -> None:
        parts = list(datasets)
        for part in parts:
            if not isinstance(part, DeepFashion2ImageTextDataset):
                raise TypeError(
                    f"A {type(part).__name__} cannot be joined: give a list with a "
                    "DeepFashion2ImageTextDataset per split."
                )
        splits = [part.split for part in parts]
        if not splits or len(set(splits)) < len(splits):
            raise ValueError(
                f"The splits to join are {splits}: give at least one, and each only once. SKU ids "
                "of one split in two folders cannot be distinguished."
            )
        super().__init__(parts)
        self.rows = JoinedRows([part.rows for part in parts])


def join(datasets: Iterable[DeepFashion2ImageTextDataset]) -> JoinedDataset:
    """Return one Dataset over several splits, for training on all of them.

    Samplers and `CatalogQueryPairs` take it as they take a split. They tell SKUs apart by
    `sku_uid`, so that the SKU `000001_01_05` of train and that of validation stay two garments. The
    splits may be in different folders.

    Raises ValueError if there is no data set or if two are of the same split; TypeError if one is
    not a DeepFashion2ImageTextDataset.
    """
    return JoinedDataset(datasets)


def list_parts(dataset: object) -> list[DeepFashion2ImageTextDataset]:
    """Return the data sets of one split that a data set consists of.

    Raises TypeError for any other class: its labels could be those of several splits.
    """
    if isinstance(dataset, DeepFashion2ImageTextDataset):
        return [dataset]
    if isinstance(dataset, JoinedDataset):
        return dataset.datasets
    raise TypeError(
        f"{type(dataset).__name__} does not say which SKU a crop belongs to: give a "
        "DeepFashion2ImageTextDataset, or several of them joined by df2_assets.torch.join"
    )

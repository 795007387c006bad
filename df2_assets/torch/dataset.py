"""A Dataset of the crops of a split with their prompts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from torch.utils.data import Dataset

from df2_assets.store.layout import Roots
from df2_assets.store.location import locate
from df2_assets.store.state import require_readable
from df2_assets.torch.rows import Rows


class DeepFashion2ImageTextDataset(Dataset[dict[str, Any]]):
    """Crops of a split with their prompts, in the order of `{split}_image_text.jsonl`.

    An item is `{"image", "text", "sku_id", "domain", "meta"}`. `image` is an RGB PIL image, or the
    result of `transform`. `text` is the field `text_key` of the line, and `meta` is the whole line.
    `rows` gives access to the lines only. Lines and images are read when an item is requested, and
    not kept. A copy for another process takes 8 bytes per row. `sku_root` may be a URL: each
    process then fetches the JSONL once, and an image per item.

    With `strict=False`, the files are not checked. This is for a copy of the JSONL and the crops
    without `_df2_assets`, which records whether they belong together.

    Raises MissingSplitError if the folder or the split is missing, and names the splits that exist;
    IncompleteSplitError if the split is half-built or, with `strict`, nothing shows that it is
    complete; MissingTableError if its JSONL is missing; KeyError if a line lacks `text_key`.
    """

    def __init__(
        self,
        sku_root: str | Path,
        split: str,
        transform: Callable[[Image.Image], Any] | None = None,
        text_key: str = "text",
        *,
        strict: bool = True,
    ) -> None:
        self.sku_root = locate(str(sku_root))
        self.transform = transform
        self.text_key = text_key
        roots = Roots(Path(), self.sku_root, str(sku_root))
        require_readable(roots, split, strict=strict)
        self.rows = Rows(roots.image_text(split))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.rows[index]
        with (self.sku_root / row["image_path"]).open("rb") as opened, Image.open(opened) as file:
            image: Any = file.convert("RGB")
        return {
            "image": image if self.transform is None else self.transform(image),
            "text": row[self.text_key],
            "sku_id": row["sku_id"],
            "domain": row["domain"],
            "meta": row,
        }

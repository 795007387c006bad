"""The crops of a split with their prompts."""

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

    An item is `{"image", "text", "sku_id", "domain", "meta"}`: `image` is an RGB PIL image, or
    what `transform` makes of it; `text` the field `text_key` of the line; `meta` the whole line.
    `rows` is the lines alone. Lines are read and images opened when they are asked for: neither a
    line nor an image is kept, and a copy for another process is 8 bytes a row. `sku_root` may be a
    URL: the JSONL is then fetched once a process, and an image with each item.

    With `strict=False` the files are taken as they lie there: for a copy of the JSONL and the crops
    without `_df2_assets`, which says whether they belong together.

    Raises MissingSplitError where the folder or the split is not there, and names the splits that
    are; IncompleteSplitError where the split is half-built or, if `strict`, nothing says that it
    is not; MissingTableError where its JSONL was removed; KeyError where a line lacks `text_key`.
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

"""How often `{colour}` is the colour of the garment, and how much it adds to prompts.

`python -m benchmarks.colours FOLDER` draws the sample with another seed than the one that the rules
were fitted to, builds it with a template, and compares each word with the planted fabric.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click
import numpy as np
import pandas as pd

import df2_assets
from df2_assets.dataset.colours import name_colour
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS
from df2_assets.report.readiness import CEILING_KS, compute_ceiling
from df2_assets.sample.canvas import Colour
from df2_assets.sample.layout import fabric_of
from df2_assets.sample.make import DEFAULT_IMAGES, make_sample
from df2_assets.sample.plan import plan_images
from df2_assets.settings import PROJECT, Settings
from df2_assets.store import tables

SEED: Final = 1
PROMPTS: Final = PROJECT / "examples" / "prompts.yaml"
"""Its `text_colour` is the contract's `text` with `{colour}`."""


def measure(folder: Path, images: int = DEFAULT_IMAGES) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the words compared with the fabrics, and the ceilings of train and validation."""
    make_sample(folder / "df2", images, SEED)
    df2_assets.build(folder / "df2", folder / "sku", splits=ANNOTATED_SPLITS, prompts=PROMPTS)
    lines = pd.concat(
        df2_assets.read_image_text(folder / "sku", split) for split in ANNOTATED_SPLITS
    )
    return compare_colours(folder, images, lines), compare_ceilings(lines)


def compare_colours(folder: Path, images: int, lines: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of right, wrong and unknown words, by pattern and occlusion.

    A word is right if it is that of the fabric's first colour or, of a patterned fabric, its
    second. Images that are stored in shades of grey are left out, and so are heavily occluded
    garments, which get no word.
    """
    fabrics = {
        (plan.split, plan.image_id, item.index): fabric_of(item, SEED)
        for plan in plan_images(images, SEED)
        for item in plan.items
        if plan.kind != "grey"
    }
    roots = Settings(df2_root=folder / "df2", sku_root=str(folder / "sku")).roots
    words = {
        path: word
        for split in ANNOTATED_SPLITS
        for path, word in tables.read_colours(roots, split)
        .select(["crop_path", "colour"])
        .to_pandas()
        .itertuples(index=False)
    }
    counts: Counter[tuple[str, int, str]] = Counter()
    columns = ["split", "image_id", "item_idx", "occlusion", "image_path"]
    for *crop, occlusion, path in lines[columns].itertuples(index=False):
        fabric, word = fabrics.get(tuple(crop)), words[path]
        if fabric is None or occlusion == 3:
            continue
        is_plain = fabric.pattern == "plain"
        planted = (fabric.base,) if is_plain else (fabric.base, fabric.accent)
        result = "unknown" if pd.isna(word) else "right" if word in _words(planted) else "wrong"
        counts["plain" if is_plain else "patterned", occlusion, result] += 1
    rows = pd.Series(counts).unstack(fill_value=0)[["right", "wrong", "unknown"]]
    rows.index.names = ["fabric", "occlusion"]
    return rows.assign(right_if_known=(rows["right"] / (rows["right"] + rows["wrong"])).round(3))


def compare_ceilings(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the text ceilings of each split, without and with the colour."""
    rows = []
    for split, texts in lines.groupby("split"):
        for key in ("text", "text_colour"):
            distinct = texts.loc[texts["domain"] == "query", key].nunique()
            ceilings = {f"recall@{k}": compute_ceiling(texts, key, k) for k in CEILING_KS}
            rows.append({"split": split, "prompt": key, "texts": distinct, **ceilings})
    return pd.DataFrame(rows)


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    for table in measure(folder):
        click.echo(f"{table.to_string()}\n")


def _words(colours: Iterable[Colour]) -> set[str | None]:
    return {name_colour(np.array([colour], np.uint8)) for colour in colours}


if __name__ == "__main__":
    main()

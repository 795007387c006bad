"""The second contract file: `{split}_image_text.jsonl`."""

from itertools import islice
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pandas as pd

from df2_assets.dataset.documents import image_text_schema
from df2_assets.dataset.record import IMAGE_TEXT
from df2_assets.defs.assets.factories import Result, record_source_version, split_asset
from df2_assets.defs.assets.prompt_templates import describe_texts
from df2_assets.defs.metadata import PREVIEWED, column_metadata, document_result, preview_entry
from df2_assets.defs.resources import (
    EngineChoice,
    ProgressChoice,
    PromptTemplates,
    SplitWriter,
)
from df2_assets.defs.runs.history import TEMPLATES
from df2_assets.pipeline.publishing import publish_image_text
from df2_assets.pipeline.quality import update_colours
from df2_assets.report.columns import make_readable


@split_asset(
    group="dataset",
    tags=["contract"],
    description="""
    This file lists every crop with its prompt, one JSON line per crop.

    Each line of `SKU_ROOT/{split}_image_text.jsonl` is an object with these keys, in this order:

    - `split`, `sku_id`, `pair_id`, `style`, `category_id`, `category_name`: which garment
    - `domain`: `catalog` or `query`
    - `image_path`: the crop, relative to `SKU_ROOT`; `orig_image_path`: its image, relative to
      `DF2_ROOT`
    - `image_id`, `item_idx`, `bbox` (`[x1, y1, x2, y2]`, clamped), `occlusion`, `viewpoint`
    - `text`: the prompt, which follows from domain, category, occlusion and viewpoint
    - the texts of `DF2_PROMPTS`, `DF2_SKU_TOKEN` and `DF2_CAPTIONS`, in this order. If one of these
      is not set, its texts are as in the last build; `none` drops them

    Lines are sorted by SKU id, domain (catalog first), image id and item. This file is written
    last: once it exists, the split is complete.
    """,
    numbers={"skus": "SKUs", "crops": "lines, one per crop", "bytes": "size of the file in bytes"},
    kinds=("json",),
    deps=["sku_metadata", TEMPLATES],
)
def image_text(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    prompts: PromptTemplates,
    engine: EngineChoice,
    progress: ProgressChoice,
) -> Result:
    roots, split, texts = output.roots, context.partition_key, prompts.texts
    if texts.use_colour:
        update_colours(roots, split, engine.start(), progress.of(context.log))
    published = publish_image_text(roots, split, texts, prompts.captions_file)
    prompts.remember()
    metadata = prompts.metadata | describe_texts(prompts)
    tags = record_source_version(context, TEMPLATES, texts.version, metadata=metadata)
    if texts.keys:  # else the columns are those of the asset
        schema = image_text_schema(texts.keys)
        metadata |= column_metadata(schema, IMAGE_TEXT, context.asset_key)
    path = roots.image_text(split)
    return document_result(published, path, _preview(path, texts.keys), metadata, tags)


def _preview(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the first lines as a table of crops and prompts."""
    with path.open("rb") as file:
        lines = [msgspec.json.decode(line) for line in islice(file, PREVIEWED)]
    columns = ["image_id", "item_idx", "domain", "text", *keys]
    table = pd.DataFrame(lines, columns=columns)
    return preview_entry("preview", make_readable(table))

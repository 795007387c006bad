"""The two contract files as pyarrow schemas: what the UI shows, and exports have."""

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from df2_assets.dataset import record
from df2_assets.dataset.tables import schema

DOCUMENTS: Final[dict[str, pa.Schema]] = {
    asset: schema(fields) for asset, fields in record.DOCUMENTS.items()
}
IMAGE_TEXT: Final = DOCUMENTS["image_text"]


def image_text_schema(keys: Iterable[str]) -> pa.Schema:
    """Return the schema of a JSONL with further prompts under `keys`."""
    *_, text = record.IMAGE_TEXT
    prompt = text._replace(description="a prompt by the templates of DF2_PROMPTS")
    return schema([*record.IMAGE_TEXT, *(prompt._replace(name=key) for key in keys)])

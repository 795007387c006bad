"""The two contract files as pyarrow schemas, for the UI and the exports."""

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from df2_assets.dataset import record
from df2_assets.dataset.tables import schema

DOCUMENTS: Final[dict[str, pa.Schema]] = {
    name: schema(asset) for name, asset in record.DOCUMENTS.items()
}
IMAGE_TEXT: Final = DOCUMENTS["image_text"]


def image_text_schema(keys: Iterable[str]) -> pa.Schema:
    """Return the schema of a JSONL that also has texts under `keys`."""
    text = IMAGE_TEXT.field("text")
    more = {b"description": b"a text in addition to the contract's"}
    text = text.with_metadata(text.metadata | more)
    return pa.schema([*IMAGE_TEXT, *(text.with_name(key) for key in keys)])

"""The record of a crop: every column of every table and every field of the contract files, once.

The tables (`dataset.tables`), the documents in the UI (`dataset.documents`), the rows of the index
(`pipeline.reading`) and the checks of the contract files derive from it. A label is its entry in
`taxonomy.LABELS`: that it is read, refused and carried along follows. Worker processes import this
module, so it is plain Python.
"""

from typing import Final, NamedTuple

from df2_assets.dataset.taxonomy import (
    CATEGORIES,
    ITEM_NUMBERS,
    LABELS,
    PAIR_IDS,
    SKU_STYLES,
    STYLES,
    Range,
)

CONTRACT_LABELS: Final = ("occlusion", "viewpoint")
"""The labels that the contract files have. These files never change shape."""

MORE_LABELS: Final = tuple(name for name in LABELS if name not in CONTRACT_LABELS)
"""The labels that only the tables and the exports have."""


class Field(NamedTuple):
    """A column of a table, or a field of a document.

    `kind` is a name that pyarrow knows, or `box` for four int32. `sources` are the `asset.column`
    names that the values come from. `volatile` values differ between two builds of the same input
    (times of files) and are left out of a table's digest. `limits` and `pattern` say which values
    are possible.
    """

    name: str
    kind: str
    description: str
    sources: tuple[str, ...] = ()
    volatile: bool = False
    limits: Range | None = None
    pattern: str | None = None


Fields = tuple[Field, ...]

_INDEX: Final = "raw_annotation_index"
_GROUPS: Final = "sku_groups"
_METADATA: Final = "sku_metadata"


def _from(asset: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{asset}.{name}" for name in names)


def _copy(asset: str, fields: Fields, *names: str) -> Fields:
    """Return fields of an asset as another asset takes them over."""
    by_name = {field.name: field for field in fields}
    return tuple(by_name[name]._replace(sources=_from(asset, name)) for name in names)


_EDGES: Final = {
    "x1": ("left", "width"),
    "y1": ("upper", "height"),
    "x2": ("right", "width"),
    "y2": ("lower", "height"),
}
EDGES: Final = tuple(_EDGES)
"""The columns of a box, half-open."""

ANNOTATED: Final = tuple(f"anno_{edge}" for edge in EDGES)
"""The columns of `sku_groups` for the box as annotated, beside the box that is cut."""

_SPLIT: Final = Field("split", "string", "train, validation or test")

INDEX: Final[Fields] = (
    _SPLIT,
    Field("image_id", "string", "six digits, unique within the split", pattern="^[0-9]{6}$"),
    Field("item_idx", "int32", "N of itemN; null: the whole file", limits=ITEM_NUMBERS),
    Field("source", "string", "shop or user"),
    Field("pair_id", "int32", "images of one pair id show the same garments", limits=PAIR_IDS),
    Field("style", "int16", "0: no counterpart; above: which garment", limits=STYLES),
    Field("category_id", "int8", f"1 to {len(CATEGORIES)}", limits=Range(1, len(CATEGORIES))),
    Field("category_name", "string", "the name of category_id"),
    *(
        Field(edge, "int32", f"{side} edge of the box as annotated, pixels")
        for edge, (side, _) in _EDGES.items()
    ),
    *(
        Field(
            name,
            "int8",
            ", ".join(f"{number} {meaning}" for number, meaning in meanings.items()),
            limits=Range(1, len(meanings)),
        )
        for name, meanings in LABELS.items()
    ),
    Field("scale", "int8", "1 small, 2 modest, 3 large; null: unknown"),
    Field("width", "int32", "width of the stored image, pixels"),
    Field("height", "int32", "height of the stored image, pixels"),
    Field("reason", "string", "why it cannot be used; null when it can"),
    Field("detail", "string", "what exactly is wrong"),
)
"""`raw_annotation_index`: one row per item, and per file that cannot be used."""

FILES: Final[Fields] = (
    Field("image_id", "string", "six digits, of an image, an annotation or both"),
    Field("anno_size", "int64", "bytes of the annotation; null: no annotation"),
    Field("anno_mtime_ns", "int64", "its modification time", volatile=True),
    Field("image_size", "int64", "bytes of the image; null: no image"),
    Field("image_mtime_ns", "int64", "its modification time", volatile=True),
    Field("items", "int32", "items in the annotation; null: none could be read"),
    Field("settled", "bool", "false: could not be opened, to be tried again"),
)
"""What the index was read from: because of this side table unchanged files stay unopened."""

_PAIR_ID, _STYLE, *_CATEGORY = _copy(
    _INDEX, INDEX, "pair_id", "style", "category_id", "category_name"
)

SKU_GROUPS: Final[Fields] = (
    _SPLIT,
    Field(
        "sku_id",
        "string",
        "pair (6 digits) _ style (2) _ category (2)",
        _from(_INDEX, "pair_id", "style", "category_id"),
    ),
    _PAIR_ID,
    _STYLE._replace(description="1 to 99: which garment of the pair", limits=SKU_STYLES),
    *_CATEGORY,
    Field("domain", "string", "catalog (shop) or query (user)", _from(_INDEX, "source")),
    *_copy(_INDEX, INDEX, "image_id", "item_idx"),
    *(
        Field(edge, "int32", f"{side} edge of the box that is cut", _from(_INDEX, edge, size))
        for edge, (side, size) in _EDGES.items()
    ),
    *(
        field._replace(name=name)
        for name, field in zip(ANNOTATED, _copy(_INDEX, INDEX, *EDGES), strict=True)
    ),
    *_copy(_INDEX, INDEX, *LABELS),
    Field(
        "crop_path",
        "string",
        "the crop, relative to SKU_ROOT",
        _from(_INDEX, "split", "source", "image_id", "item_idx"),
    ),
    Field(
        "orig_image_path",
        "string",
        "the image, relative to DF2_ROOT",
        _from(_INDEX, "split", "image_id"),
    ),
)
"""One row per crop to make."""

CROPS: Final[Fields] = (
    Field("crop_path", "string", "relative to SKU_ROOT", _from(_GROUPS, "crop_path")),
    Field("size", "int64", "bytes of the crop"),
    Field("mtime_ns", "int64", "its modification time", volatile=True),
    Field("sha256", "string", "digest of its bytes, hexadecimal"),
    Field("width", "int32", "pixels", _from(_GROUPS, "x1", "x2")),
    Field("height", "int32", "pixels", _from(_GROUPS, "y1", "y2")),
    Field(
        "fingerprint",
        "string",
        "what it was made from and with: size and time of the image, box, encoder; "
        "null: to be tried again",
        volatile=True,
    ),
    Field("reason", "string", "why it could not be made; null when it was"),
    Field("detail", "string", "what exactly is wrong"),
)
"""The manifest: one row per crop that was made or could not be made."""

REFUSALS: Final[Fields] = (
    _SPLIT,
    Field("image_id", "string", "six digits", (*_from(_INDEX, "image_id"), "sku_groups.image_id")),
    Field(
        "item_idx",
        "int32",
        "N of itemN; null: the whole file",
        (*_from(_INDEX, "item_idx"), "sku_groups.item_idx"),
    ),
    Field("stage", "string", "the asset that refused it"),
    Field("reason", "string", "a code", (*_from(_INDEX, "reason"), "crops.reason")),
    Field("detail", "string", "what is wrong", (*_from(_INDEX, "detail"), "crops.detail")),
)
"""One row per refused file, item or crop."""

CROP_QUALITY: Final[Fields] = (
    Field("crop_path", "string", "relative to SKU_ROOT", ("crops.crop_path",)),
    *(
        Field(name, kind, description, ("crops.sha256",))
        for name, kind, description in (
            ("sha256", "string", "digest of the bytes that were measured"),
            ("brightness", "float32", "mean luma, 0 (black) to 255 (white)"),
            ("contrast", "float32", "standard deviation of luma, 0 to 255"),
            (
                "texture",
                "float32",
                "mean step between neighbouring pixels in the middle, 0 to 255",
            ),
            (
                "phash",
                "int64",
                "difference hash: 64 bits, few of which differ between near duplicates",
            ),
            ("tiny", "binary", "the crop as 8 by 8 pixels of RGB"),
        )
    ),
    Field("version", "int16", "of the measures"),
)
"""One row per crop on disk: what it looks like."""

_SKU: Final = ("sku_id", "pair_id", "style", "category_id", "category_name", "domain")

SKU_METADATA: Final[Fields] = (
    *_copy(_GROUPS, SKU_GROUPS, *_SKU),
    Field(
        "crop_path",
        "string",
        "the crop, relative to SKU_ROOT",
        (*_from(_GROUPS, "crop_path"), "crops.crop_path"),
    ),
    *_copy(_GROUPS, SKU_GROUPS, "orig_image_path", "image_id", "item_idx"),
    Field(
        "bbox",
        "box",
        "[x1, y1, x2, y2] of the box that is cut, half-open, pixels of the stored image",
        _from(_GROUPS, *EDGES),
    ),
    *_copy(_GROUPS, SKU_GROUPS, *CONTRACT_LABELS),
)
"""A crop of the metadata. In the document `sku_id` is a key and `domain` the list of the crop."""

IMAGE_TEXT: Final[Fields] = (
    _SPLIT._replace(sources=_from(_METADATA, "crop_path")),
    *_copy(_METADATA, SKU_METADATA, *_SKU),
    Field("image_path", "string", "the crop, relative to SKU_ROOT", _from(_METADATA, "crop_path")),
    *_copy(
        _METADATA, SKU_METADATA, "orig_image_path", "image_id", "item_idx", "bbox", *CONTRACT_LABELS
    ),
    Field(
        "text",
        "string",
        "the prompt: what is to be seen",
        _from(_METADATA, "domain", "category_name", *CONTRACT_LABELS),
    ),
)
"""A line of the JSONL, its keys in order."""

TABLES: Final[dict[str, Fields]] = {
    _INDEX: INDEX,
    "files": FILES,
    _GROUPS: SKU_GROUPS,
    "crops": CROPS,
    "refusals": REFUSALS,
    "crop_quality": CROP_QUALITY,
}
DOCUMENTS: Final[dict[str, Fields]] = {_METADATA: SKU_METADATA, "image_text": IMAGE_TEXT}

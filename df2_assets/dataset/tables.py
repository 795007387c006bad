"""The tables: each column once, with its type, its meaning and the columns it comes from.

`volatile` columns hold what differs between two builds of the same input (times of files); they
are left out of a table's digest.
"""

from typing import Final

import pyarrow as pa


def column(
    name: str, kind: pa.DataType, description: str, *sources: str, volatile: bool = False
) -> pa.Field:
    """A column; `sources` are `asset.column` names that its values come from."""
    metadata = {"description": description}
    if sources:
        metadata["sources"] = " ".join(sources)
    if volatile:
        metadata["volatile"] = "yes"
    return pa.field(name, kind, metadata=metadata)


_SPLIT = column("split", pa.string(), "train, validation or test")
_REASON = "why it cannot be used: null when it can"
_INDEX = "raw_annotation_index"


def _from(asset: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{asset}.{name}" for name in names)


RAW_ANNOTATION_INDEX: Final = pa.schema(
    [
        _SPLIT,
        column("image_id", pa.string(), "six digits, unique within the split"),
        column("item_idx", pa.int32(), "N of the key itemN; null: the row is the whole file"),
        column("source", pa.string(), "shop or user"),
        column("pair_id", pa.int32(), "images of one pair id show the same garments"),
        column("style", pa.int16(), "0: no counterpart; above: which garment of the pair"),
        column("category_id", pa.int8(), "1 to 13"),
        column("category_name", pa.string(), "the name of category_id"),
        column("x1", pa.int32(), "left edge of the box as annotated, pixels"),
        column("y1", pa.int32(), "upper edge of the box as annotated, pixels"),
        column("x2", pa.int32(), "right edge of the box as annotated, exclusive, pixels"),
        column("y2", pa.int32(), "lower edge of the box as annotated, exclusive, pixels"),
        column("occlusion", pa.int8(), "1 slight or none, 2 medium, 3 heavy"),
        column("viewpoint", pa.int8(), "1 not worn, 2 frontal, 3 side or back"),
        column("scale", pa.int8(), "1 small, 2 modest, 3 large; null: not said"),
        column("width", pa.int32(), "width of the stored image, pixels"),
        column("height", pa.int32(), "height of the stored image, pixels"),
        column("reason", pa.string(), _REASON),
        column("detail", pa.string(), "what exactly is wrong"),
    ]
)

FILES: Final = pa.schema(
    [
        column("image_id", pa.string(), "six digits, of an image, an annotation or both"),
        column("anno_size", pa.int64(), "bytes of the annotation; null: there is none"),
        column("anno_mtime_ns", pa.int64(), "its modification time", volatile=True),
        column("image_size", pa.int64(), "bytes of the image; null: there is none"),
        column("image_mtime_ns", pa.int64(), "its modification time", volatile=True),
        column("items", pa.int32(), "items in the annotation; null: none could be read"),
        column("settled", pa.bool_(), "false: could not be opened, to be tried again"),
    ]
)
"""What the index was read from: the side table that lets unchanged files stay unopened."""

SKU_GROUPS: Final = pa.schema(
    [
        _SPLIT,
        column(
            "sku_id",
            pa.string(),
            "pair (6 digits) _ style (2) _ category (2)",
            *_from(_INDEX, "pair_id", "style", "category_id"),
        ),
        column("pair_id", pa.int32(), "1 to 999999", *_from(_INDEX, "pair_id")),
        column("style", pa.int16(), "1 to 99", *_from(_INDEX, "style")),
        column("category_id", pa.int8(), "1 to 13", *_from(_INDEX, "category_id")),
        column("category_name", pa.string(), "its name", *_from(_INDEX, "category_name")),
        column("domain", pa.string(), "catalog (shop) or query (user)", *_from(_INDEX, "source")),
        column("image_id", pa.string(), "six digits", *_from(_INDEX, "image_id")),
        column("item_idx", pa.int32(), "N of itemN", *_from(_INDEX, "item_idx")),
        column("x1", pa.int32(), "left edge, clamped, pixels", *_from(_INDEX, "x1", "width")),
        column("y1", pa.int32(), "upper edge, clamped, pixels", *_from(_INDEX, "y1", "height")),
        column("x2", pa.int32(), "right edge, clamped, pixels", *_from(_INDEX, "x2", "width")),
        column("y2", pa.int32(), "lower edge, clamped, pixels", *_from(_INDEX, "y2", "height")),
        column("occlusion", pa.int8(), "1 to 3", *_from(_INDEX, "occlusion")),
        column("viewpoint", pa.int8(), "1 to 3", *_from(_INDEX, "viewpoint")),
        column(
            "crop_path",
            pa.string(),
            "where the crop goes, relative to SKU_ROOT",
            *_from(_INDEX, "split", "source", "image_id", "item_idx"),
        ),
        column(
            "orig_image_path",
            pa.string(),
            "the image it is cut from, relative to DF2_ROOT",
            *_from(_INDEX, "split", "image_id"),
        ),
    ]
)

CROPS: Final = pa.schema(
    [
        column("crop_path", pa.string(), "relative to SKU_ROOT", "sku_groups.crop_path"),
        column("size", pa.int64(), "bytes of the crop"),
        column("mtime_ns", pa.int64(), "its modification time", volatile=True),
        column("sha256", pa.string(), "digest of its bytes, hexadecimal"),
        column("width", pa.int32(), "pixels", "sku_groups.x1", "sku_groups.x2"),
        column("height", pa.int32(), "pixels", "sku_groups.y1", "sku_groups.y2"),
        column(
            "fingerprint",
            pa.string(),
            "what it was made from and with: size and time of the image, box, encoder; "
            "null: to be tried again",
            volatile=True,
        ),
        column("reason", pa.string(), "why it could not be made: null when it was"),
        column("detail", pa.string(), "what exactly is wrong"),
    ]
)
"""The manifest: a row a crop that was made or could not be made."""

REFUSALS: Final = pa.schema(
    [
        _SPLIT,
        column(
            "image_id",
            pa.string(),
            "six digits",
            *_from(_INDEX, "image_id"),
            "sku_groups.image_id",
        ),
        column(
            "item_idx",
            pa.int32(),
            "N of itemN; null: the whole file",
            *_from(_INDEX, "item_idx"),
            "sku_groups.item_idx",
        ),
        column("stage", pa.string(), "the asset that refused it"),
        column("reason", pa.string(), "a code", *_from(_INDEX, "reason"), "crops.reason"),
        column("detail", pa.string(), "what is wrong", *_from(_INDEX, "detail"), "crops.detail"),
    ]
)

CROP_QUALITY: Final = pa.schema(
    [
        column("crop_path", pa.string(), "relative to SKU_ROOT", "crops.crop_path"),
        column("sha256", pa.string(), "digest of the bytes that were measured", "crops.sha256"),
        column("brightness", pa.float32(), "mean luma, 0 (black) to 255 (white)", "crops.sha256"),
        column("contrast", pa.float32(), "standard deviation of luma, 0 to 255", "crops.sha256"),
        column(
            "texture",
            pa.float32(),
            "mean step between neighbouring pixels in the middle, 0 to 255",
            "crops.sha256",
        ),
        column(
            "phash",
            pa.int64(),
            "difference hash: 64 bits, few of which differ between near duplicates",
            "crops.sha256",
        ),
        column("tiny", pa.binary(), "the crop as 8 by 8 pixels of RGB", "crops.sha256"),
        column("version", pa.int16(), "of the measures"),
    ]
)

MADE_FROM: Final[dict[str, tuple[str, ...]]] = {
    "raw_annotation_index": (),
    "sku_groups": ("raw_annotation_index",),
    "crops": ("sku_groups",),
    "refusals": ("raw_annotation_index", "sku_groups", "crops"),
    "crop_quality": ("crops",),
}
"""Which tables a table is made from: it is stale when one of them has another digest."""

SCHEMAS: Final[dict[str, pa.Schema]] = {
    "raw_annotation_index": RAW_ANNOTATION_INDEX,
    "files": FILES,
    "sku_groups": SKU_GROUPS,
    "crops": CROPS,
    "refusals": REFUSALS,
    "crop_quality": CROP_QUALITY,
}

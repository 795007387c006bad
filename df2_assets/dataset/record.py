"""The record of a crop: every column of every table and every field of the contract files, once.

`docs/contract.md` describes the contract files, `docs/internals.md` the tables.

The tables (`dataset.tables`), the documents in the UI (`dataset.documents`), the rows of the index
(`pipeline.reading`) and the checks of the contract files derive from it. A label is its entry in
`taxonomy.LABELS`: that it is read, refused and carried along follows. Worker processes import this
module, so it is plain Python.
"""

from collections.abc import Iterable
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

EDGES: Final = ("x1", "y1", "x2", "y2")
"""The columns of a box, half-open."""

AFFINE: Final = ("scale_x", "scale_y", "shift_x", "shift_y")
"""The columns of the map from pixels of an image to those of a crop variant."""

ANNOTATED: Final = tuple(f"anno_{edge}" for edge in EDGES)
"""The columns of `sku_groups` for the box as annotated, beside the box that is cut."""


class Field(NamedTuple):
    """A column of a table, or a field of a document.

    `kind` is a name that pyarrow knows, `box` for four int32, `numbers` for a list of float64, or
    `polygons` for a list of such lists. The values come from the columns `sources` of the assets
    that this one is made from, by default from those of the same name. `volatile` values differ
    between two builds of the same input (times of files) and are left out of a table's digest.
    `limits` and `pattern` say which values are possible. `technical` values say nothing to a
    person.
    """

    name: str
    kind: str
    description: str
    sources: str = ""
    volatile: bool = False
    limits: Range | None = None
    pattern: str | None = None
    technical: bool = False


class Asset(NamedTuple):
    """The fields of a table or document, and the assets that it is made from.

    No two rows have the same value in the column `unique`. Only `nullable` columns have nulls.
    """

    inputs: tuple[str, ...]
    fields: tuple[Field, ...]
    unique: str | None = None
    nullable: tuple[str, ...] = ()

    def pick(self, *names: str) -> list[Field]:
        """Return the fields of these names, as an asset made from this one takes them over."""
        by_name = {field.name: field._replace(sources="") for field in self.fields}
        return [by_name[name] for name in names]


def _asset(
    *fields: Field,
    inputs: tuple[str, ...] = (),
    unique: str | None = None,
    nullable: Iterable[str] = (),
) -> Asset:
    return Asset(inputs, fields, unique, tuple(nullable))


_SPLIT: Final = Field("split", "string", "train, validation or test")
_CROP_PATH: Final = Field("crop_path", "string", "the crop, relative to SKU_ROOT")
_ITEM: Final = Field("item_idx", "int32", "N of itemN", limits=ITEM_NUMBERS)
_DETAIL: Final = Field("detail", "string", "what exactly is wrong")

_LABELS: Final = [
    Field(
        name,
        "int8",
        ", ".join(f"{number} {meaning}" for number, meaning in meanings.items()),
        limits=Range(1, len(meanings)),
    )
    for name, meanings in LABELS.items()
]

INDEX: Final = _asset(
    _SPLIT,
    Field("image_id", "string", "six digits, unique within the split", pattern="^[0-9]{6}$"),
    _ITEM._replace(
        description="N of itemN; null: the whole file", limits=Range(0, ITEM_NUMBERS.high)
    ),  # item0 is refused, but has a row
    Field("source", "string", "shop or user"),
    Field("pair_id", "int32", "images of one pair id show the same garments", limits=PAIR_IDS),
    Field("style", "int16", "0: no counterpart; above: which garment", limits=STYLES),
    Field("category_id", "int8", f"1 to {len(CATEGORIES)}", limits=Range(1, len(CATEGORIES))),
    Field("category_name", "string", "the name of category_id"),
    *(Field(edge, "int32", f"{edge} of the box as annotated, half-open, pixels") for edge in EDGES),
    Field("is_fractional", "bool", "the annotated box had fractions of a pixel, which are cut off"),
    *_LABELS,
    Field("width", "int32", "width of the stored image, pixels"),
    Field("height", "int32", "height of the stored image, pixels"),
    Field("reason", "string", "why it cannot be used; null: it can be used"),
    _DETAIL,
    nullable=(
        *("item_idx", "source", "pair_id", "style", "category_id", "category_name"),
        *(*EDGES, "is_fractional", *LABELS, "width", "height", "reason", "detail"),
    ),
)
"""One row per item, and per file that cannot be used."""

FILES: Final = _asset(
    Field("image_id", "string", "six digits, of an image, an annotation or both"),
    Field("anno_size", "int64", "bytes of the annotation; null: no annotation"),
    Field("anno_mtime_ns", "int64", "its modification time", volatile=True),
    Field("image_size", "int64", "bytes of the image; null: no image"),
    Field("image_mtime_ns", "int64", "its modification time", volatile=True),
    Field("items", "int32", "items in the annotation; null: none could be read"),
    Field("needs_retry", "bool", "true: it could not be opened; the next build reads it again"),
    unique="image_id",
    nullable=("anno_size", "anno_mtime_ns", "image_size", "image_mtime_ns", "items"),
)
"""The side table of the index: one row per image id. It tells which files have not changed."""

_KEY: Final = "pair_id style category_id"
_SKU_UID: Final = Field("sku_uid", "string", "split/sku_id: identifies a garment in all splits")

SKU_GROUPS: Final = _asset(
    _SPLIT,
    Field("sku_id", "string", "pair (6 digits) _ style (2) _ category (2)", _KEY),
    _SKU_UID._replace(sources=f"split {_KEY}"),
    *INDEX.pick("pair_id"),
    Field("style", "int16", "1 to 99: which garment of the pair", limits=SKU_STYLES),
    *INDEX.pick("category_id", "category_name"),
    Field("domain", "string", "catalog (shop) or query (user)", "source"),
    *INDEX.pick("image_id"),
    _ITEM,
    *(
        Field(edge, "int32", f"{edge} of the box that is cut, half-open, pixels", f"{edge} {side}")
        for edge, side in zip(EDGES, ("width", "height") * 2, strict=True)
    ),
    *(
        edge._replace(name=name, sources=edge.name)
        for name, edge in zip(ANNOTATED, INDEX.pick(*EDGES), strict=True)
    ),
    *_LABELS,
    _CROP_PATH._replace(sources="split source image_id item_idx"),
    Field("orig_image_path", "string", "the image, relative to DF2_ROOT", "split image_id"),
    inputs=("raw_annotation_index",),
    unique="crop_path",
    nullable=MORE_LABELS,
)
"""One row per crop to make."""

_FILE: Final = (
    Field("mtime_ns", "int64", "its modification time", volatile=True),
    Field("sha256", "string", "digest of its bytes, hexadecimal", technical=True),
    Field("width", "int32", "pixels", "x1 x2"),
    Field("height", "int32", "pixels", "y1 y2"),
)
"""What a manifest records of a file, besides its size."""

_MADE: Final = (
    *("size", "mtime_ns", "sha256", "width", "height", "fingerprint", "reason", "detail"),
)
"""The columns of a manifest that say what was made of a crop, or why nothing was."""

CROPS: Final = _asset(
    _CROP_PATH,
    _SKU_UID,
    Field("size", "int64", "bytes of the crop"),
    *_FILE,
    Field(
        "fingerprint",
        "string",
        "what it was made from and with: size and time of the image, box, encoder; "
        "null: to be tried again",
        volatile=True,
    ),
    Field("reason", "string", "why it could not be made; null: it was made"),
    _DETAIL,
    inputs=("sku_groups",),
    unique="crop_path",
    nullable=_MADE,
)
"""The manifest: one row per crop that was made or could not be made."""

CROP_VARIANTS: Final = _asset(
    *CROPS.pick("crop_path", "sku_uid"),
    Field("variant_path", "string", "the file, relative to SKU_ROOT", "crop_path"),
    Field("size", "int64", "bytes of the file"),
    *_FILE,
    Field(
        "fingerprint",
        "string",
        "what it was made from and with: size and time of the image, box (for a cut-out, also size "
        "and time of the annotation), variant; null: to be tried again",
        volatile=True,
    ),
    Field("reason", "string", "why it could not be made; null: it was made"),
    _DETAIL,
    *(
        Field(edge, "int32", f"{edge} of the box that was cut, half-open, pixels of the image")
        for edge in EDGES
    ),
    *(
        Field(f"scale_{axis}", "float64", f"pixels of the file per pixel of the image, in {axis}")
        for axis in "xy"
    ),
    *(
        Field(f"shift_{axis}", "float64", f"{axis} of the image's origin, pixels of the file")
        for axis in "xy"
    ),
    inputs=("sku_groups", "crops"),
    unique="crop_path",
    nullable=(*_MADE, *EDGES, *AFFINE),
)
"""The manifest of a crop variant: one row per crop of the contract.

A point of the image is at `x * scale_x + shift_x`, `y * scale_y + shift_y` of the file.
"""

BENCHMARK_CROPS: Final = _asset(
    _CROP_PATH._replace(sources=f"split source image_id item_idx {_KEY}"),
    Field("sku_uid", "string", "split/pair_style_category; of style 0: no identity", _KEY),
    *CROPS.pick(*_MADE),
    inputs=("raw_annotation_index", "crops"),
    unique="crop_path",
    nullable=CROPS.nullable,
)
"""The manifest of the crops that the retrieval benchmark has beyond those of the contract."""

REFUSALS: Final = _asset(
    _SPLIT,
    *INDEX.pick("image_id", "item_idx"),
    Field("stage", "string", "the asset that refused it"),
    Field("reason", "string", "a code"),
    _DETAIL,
    inputs=("raw_annotation_index", "sku_groups", "crops"),
    nullable=("item_idx",),
)
"""One row per refused file, item or crop."""

CROP_QUALITY: Final = _asset(
    _CROP_PATH,
    _SKU_UID,
    Field("sha256", "string", "digest of the bytes that were measured", technical=True),
    Field("brightness", "float32", "mean luma, 0 (black) to 255 (white)", "sha256"),
    Field("contrast", "float32", "standard deviation of luma, 0 to 255", "sha256"),
    Field("texture", "float32", "mean step between neighbours in the middle", "sha256"),
    Field(
        "phash",
        "int64",
        "difference hash: near duplicates differ in few bits",
        "sha256",
        technical=True,
    ),
    Field("tiny", "binary", "the crop as 8 by 8 pixels of RGB", "sha256", technical=True),
    Field("version", "int16", "of the measures", technical=True),
    inputs=("crops",),
    unique="crop_path",
)
"""One row per crop on disk: what it looks like."""

COLOURS: Final = _asset(
    _CROP_PATH,
    _SKU_UID,
    Field("sha256", "string", "digest of the bytes that were measured", technical=True),
    Field(
        "mask_sha256",
        "string",
        "digest of the mask; null: the middle was measured",
        "mask",
        technical=True,
    ),
    Field("colour", "string", "a word of the palette; null: unknown", "sha256 mask"),
    Field("version", "int16", "of the palette and its rules", technical=True),
    inputs=("crops", "labels"),
    unique="crop_path",
    nullable=("mask_sha256", "colour"),
)
"""A side table of the prompts: one row per crop on disk, where a template has `{colour}`."""

_SHAPE: Final = " ".join(("orig_image_path", "item_idx", *EDGES))

LABEL_TABLE: Final = _asset(
    _CROP_PATH,
    _SKU_UID,
    Field(
        "mask",
        "string",
        "counts of COCO's RLE, in the size of the crop; null: refused",
        _SHAPE,
        technical=True,
    ),
    Field(
        "polygons",
        "polygons",
        "x1, y1, x2, y2, … of each, pixels of the crop; null: refused",
        _SHAPE,
        technical=True,
    ),
    Field(
        "landmarks",
        "numbers",
        "x, y, v of each, pixels of the crop; null: refused",
        _SHAPE,
        technical=True,
    ),
    Field("area", "int32", "pixels of the mask", _SHAPE),
    Field("box_share", "float32", "area as a share of the crop, 0 to 1", _SHAPE),
    Field("landmarks_visible", "int16", "landmarks in the crop with v 2", _SHAPE),
    Field("landmarks_occluded", "int16", "landmarks in the crop with v 1", _SHAPE),
    Field("landmarks_outside", "int16", "landmarks with v 1 or 2 outside the crop", _SHAPE),
    Field(
        "overlap", "float32", "share of the mask under masks of other items of the image", _SHAPE
    ),
    Field("reason", "string", "why a shape is refused; null: none is", _SHAPE),
    _DETAIL._replace(sources=_SHAPE),
    Field(
        "fingerprint",
        "string",
        "what it was read from and with: size and time of the annotation, box, version; "
        "null: to be read again",
        _SHAPE,
        volatile=True,
    ),
    inputs=("sku_groups", "crops"),
    unique="crop_path",
    nullable=(
        *("mask", "polygons", "landmarks", "area", "box_share", "landmarks_visible"),
        *("landmarks_occluded", "landmarks_outside", "overlap", "reason", "detail", "fingerprint"),
    ),
)
"""One row per crop on disk: the shapes of its item. Rules and reasons are in `dataset.shapes`."""
_ENCODER: Final = Field("encoder", "string", "the encoder, as DF2_ENCODER names it")

EVALUATION: Final = _asset(
    _ENCODER,
    Field("view", "string", "best_view: catalog crops are ranked; mean_view: SKUs, by their mean"),
    Field("metric", "string", "such as recall@1"),
    Field(
        "slice",
        "string",
        "all queries, or those with a value of a label",
        " ".join(("category_name", *LABELS)),
    ),
    Field(
        "label",
        "string",
        "the value of the label; null: all queries",
        " ".join(("category_name", *LABELS)),
    ),
    Field("value", "float64", "mean over the queries, 0 to 1", "crop_path sku_uid"),
    Field("low", "float64", "lower bound of its 95% interval", "crop_path sku_uid"),
    Field("high", "float64", "upper bound of its 95% interval", "crop_path sku_uid"),
    Field("queries", "int32", "query crops", "crop_path"),
    Field("skus", "int32", "SKUs of these crops", "sku_uid"),
    Field("embeddings", "string", "digest of the vectors", "crop_path", technical=True),
    inputs=("sku_groups", "crops"),
    nullable=("label",),
)
"""One row per encoder, view, metric and slice: how well the catalog answers the queries."""

EVALUATION_QUERIES: Final = _asset(
    _ENCODER,
    _CROP_PATH._replace(description="the query crop, relative to SKU_ROOT"),
    _SKU_UID,
    Field("rank", "int32", "of the first catalog crop of its SKU", "crop_path sku_uid"),
    Field("sku_rank", "int32", "of its SKU, by the mean of the SKU's crops", "crop_path sku_uid"),
    Field("answer", "string", "the first catalog crop of its SKU", "crop_path"),
    Field("first", "string", "the first catalog crop of all", "crop_path"),
    Field("score", "float32", "cosine similarity of the query and `first`", "crop_path"),
    inputs=("sku_groups", "crops"),
)
"""A side table of the evaluation: one row per encoder and query crop."""

SIMILAR_SKUS: Final = _asset(
    _ENCODER,
    _SKU_UID,
    Field("place", "int8", "from 1, the most similar"),
    Field("like_sku_uid", "string", "a SKU that looks like it", "sku_uid"),
    Field("score", "float32", "cosine similarity of the means of their crops", "crop_path"),
    inputs=("sku_groups", "crops"),
)
"""A side table of the evaluation: the SKUs that look most like each SKU."""

_SKU: Final = ("sku_id", "pair_id", "style", "category_id", "category_name", "domain")
_BOX_MEANING: Final = "[x1, y1, x2, y2] of the box that is cut, half-open, pixels of the image"

SKU_METADATA: Final = _asset(
    *SKU_GROUPS.pick(*_SKU, "crop_path", "orig_image_path", "image_id", "item_idx"),
    Field("bbox", "box", _BOX_MEANING, " ".join(EDGES)),
    *SKU_GROUPS.pick(*CONTRACT_LABELS),
    inputs=("sku_groups", "crops"),
    unique="crop_path",
)
"""A crop of the metadata. In the document `sku_id` is a key and `domain` the list of the crop."""

IMAGE_TEXT: Final = _asset(
    _SPLIT._replace(sources="crop_path"),
    *SKU_METADATA.pick(*_SKU),
    _CROP_PATH._replace(name="image_path", sources="crop_path"),
    *SKU_METADATA.pick("orig_image_path", "image_id", "item_idx", "bbox", *CONTRACT_LABELS),
    Field(
        "text",
        "string",
        "the prompt: what is to be seen",
        " ".join(("domain", "category_name", *CONTRACT_LABELS)),
    ),
    inputs=("sku_metadata",),
    unique="image_path",
)
"""A line of the JSONL, its keys in order."""

TABLES: Final[dict[str, Asset]] = {
    "raw_annotation_index": INDEX,
    "files": FILES,
    "sku_groups": SKU_GROUPS,
    "crops": CROPS,
    "crop_variants": CROP_VARIANTS,
    "benchmark_crops": BENCHMARK_CROPS,
    "refusals": REFUSALS,
    "crop_quality": CROP_QUALITY,
    "colours": COLOURS,
    "labels": LABEL_TABLE,
    "evaluation": EVALUATION,
    "evaluation_queries": EVALUATION_QUERIES,
    "similar_skus": SIMILAR_SKUS,
}
DOCUMENTS: Final[dict[str, Asset]] = {"sku_metadata": SKU_METADATA, "image_text": IMAGE_TEXT}

"""The checks of the annotation index: pairs of files, boxes and labels."""

from typing import Final

import pandas as pd

from df2_assets.checks.finding import ITEM, Finding, number_of, offending_rows
from df2_assets.dataset import taxonomy
from df2_assets.dataset.boxes import clamp, reads_as_width_height, size
from df2_assets.dataset.frames import rows as rows_of
from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.skus import candidates
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, BOX_SHARES, LABELS, NO_ANNOTATIONS

PAST_EDGE: Final = "reaches past the edge"
_FRACTIONAL: Final = "has fractions of a pixel"
_MOST: Final = 0.01
"""If a larger share of boxes is clamped, or has fractions, each of them is an offender."""

_SCALE: Final = "scale does not suit the box"
_BOX: Final = ["x1", "y1", "x2", "y2"]


def pairing(split: str, files: pd.DataFrame) -> Finding:
    """Find images without an annotation, and annotations without an image, in the table `files`.

    A split that was released without annotations passes if it has none, with a note.
    """
    has_image, has_annotation = files["image_size"].notna(), files["anno_size"].notna()
    images, annotations = int(has_image.sum()), int(has_annotation.sum())
    numbers: dict[str, int | float] = {
        "images": images,
        "annotations": annotations,
        "annotations_without_items": int((files["items"] == 0).sum()),
        "images_without_annotation": int((~has_annotation).sum()),
        "annotations_without_image": int((~has_image).sum()),
    }
    if split not in ANNOTATED_SPLITS and annotations == 0:
        summary = f"{number_of(images, 'image')} and no annotation: {NO_ANNOTATIONS}."
        return Finding(True, "warn", images, summary, numbers=numbers, note=NO_ANNOTATIONS)
    alone = {
        "image without annotation": ~has_annotation,
        "annotation without image": ~has_image,
    }
    offenders = offending_rows(files.assign(split=split), alone, ["split", "image_id"])
    summary = (
        f"{number_of(images, 'image')}, {numbers['images_without_annotation']:,} without "
        f"annotation; {number_of(annotations, 'annotation')}, "
        f"{numbers['annotations_without_image']:,} without image and "
        f"{numbers['annotations_without_items']:,} without items."
    )
    if len(offenders):
        summary += (
            " Files without a counterpart yield no crops: unpack the split again if they should."
        )
    return Finding(offenders.empty, "warn", len(files), summary, offenders, numbers)


def boxes(index: pd.DataFrame) -> Finding:
    """Find boxes without area or outside the image; count those that are clamped or truncated.

    Boxes that reach past the edge of the image, or have fractions, are offenders only if they are
    more than 1% of all boxes.
    """
    given = index[index["x1"].notna()]
    past_edge = given["reason"].isna() & (_past_edge(given) > 0)
    reversed_ = given["reason"] == Reason.BOX_REVERSED.value
    outside = given["reason"] == Reason.BOX_OUTSIDE.value
    as_size = _read_as_width_height(given, reversed_)
    clamped = int(past_edge.sum())
    share = clamped / len(given) if len(given) else 0.0
    too_many = share > _MOST
    fractional = given["is_fractional"].fillna(False).astype(bool)
    fractions = int(fractional.sum())
    fractions_share = fractions / len(given) if len(given) else 0.0
    problems = {
        "reversed, but fits as x, y, width, height": as_size,
        "reversed or without area": reversed_ & ~as_size,
        "outside the image": outside,
    }
    if too_many:
        problems[PAST_EDGE] = past_edge
    if fractions_share > _MOST:
        problems[_FRACTIONAL] = fractional
    offenders = offending_rows(given, problems, [*ITEM, *_BOX, "width", "height"])
    summary = (
        f"{number_of(len(given), 'box', 'boxes')}: {int(reversed_.sum()):,} reversed or without "
        f"area ({int(as_size.sum()):,} of them fit as x, y, width, height), "
        f"{int(outside.sum()):,} outside the image, {clamped:,} clamped to it ({share:.2%}), "
        f"{fractions:,} with fractions of a pixel, which are cut off ({fractions_share:.2%})."
    )
    if as_size.any():
        summary += " Boxes are x1, y1, x2, y2: convert those that are x, y, width, height."
    if too_many:
        summary += " So many past the edge suggest images of another size than annotated."
    if fractions_share > _MOST:
        summary += " So many fractions suggest boxes that were scaled: use those of the release."
    return Finding(
        offenders.empty,
        "warn",
        len(given),
        summary,
        offenders,
        {
            "reversed": int(reversed_.sum()),
            "as_width_height": int(as_size.sum()),
            "outside": int(outside.sum()),
            "clamped": clamped,
            "clamped_share": share,
            "fractional": fractions,
            "fractional_share": fractions_share,
        },
    )


def furthest_past_edge(index: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return up to `count` items with a clamped box, those furthest past the edge first."""
    pixels = _past_edge(index).where(index["reason"].isna())
    worst = pixels[pixels > 0].sort_values(ascending=False, kind="stable").index[:count]
    return index.loc[worst, [*ITEM, *_BOX]].assign(what=PAST_EDGE)


def _past_edge(index: pd.DataFrame) -> "pd.Series[int]":
    """Return how many pixels each box reaches past the edge of its image, on its worst side."""
    x1, y1, x2, y2, width, height = (
        index[name].astype("int64[pyarrow]") for name in (*_BOX, "width", "height")
    )
    sides = {"left": -x1, "top": -y1, "right": x2 - width, "bottom": y2 - height}
    return pd.DataFrame(sides).max(axis=1)


def labels(index: pd.DataFrame) -> Finding:
    """Find labels out of range, wrong category names, and scales that the box contradicts."""
    items = index[index["source"].notna()]
    share = _box_share(items)
    low = items["scale"].map({scale: bounds[0] for scale, bounds in BOX_SHARES.items()})
    high = items["scale"].map({scale: bounds[1] for scale, bounds in BOX_SHARES.items()})
    usable = items["reason"].isna()
    of_label = items["detail"].str.match(f"({'|'.join(LABELS)}) is ")
    problems = {
        "category out of range or misnamed": items["reason"] == Reason.WRONG_CATEGORY.value,
        "label out of range": (items["reason"] == Reason.WRONG_FIELD.value) & of_label,
        _SCALE: usable & ((share < low) | (share >= high)),
    }
    rows = items.assign(box_share=share.round(4))
    columns = ["category_id", "category_name", *LABELS]
    offenders = offending_rows(rows, problems, [*ITEM, *columns, "box_share", "detail"])
    unsuited = offenders["what"] == _SCALE
    offenders.loc[unsuited, "detail"] = [
        f"scale is {scale}, and the box takes {part:.0%} of the image"
        for scale, part in rows_of(offenders[unsuited], "scale", "box_share")
    ]
    counts = {what: int((offenders["what"] == what).sum()) for what in problems}
    listed = "; ".join(f"{count:,}: {what}" for what, count in counts.items() if count)
    return Finding(
        offenders.empty,
        "warn",
        len(items),
        f"{number_of(len(items), 'item')}. {listed or 'Labels are in range and suit the boxes'}.",
        offenders,
        {what.replace(" ", "_"): count for what, count in counts.items()},
    )


def known_answers(split: str, index: pd.DataFrame, files: pd.DataFrame) -> Finding:
    """Compare a full split with figures that others counted.

    Of train these are pairs (DeepFashion2 issue 30), of validation user and shop images (README of
    DeepFashion2). An instance pair is a user item and a shop item with the same pair id and style,
    which is above 0, whatever their categories. Image pairs are the distinct pairs of images of
    these.
    """
    images, released = int(files["image_size"].notna().sum()), taxonomy.RELEASED[split]
    if images != released.images or split not in ANNOTATED_SPLITS:
        return Finding(
            True, "warn", images, f"Not a full, annotated {split}: no answer to compare with."
        )
    tables = {}
    if split == "train":
        names = "instance pairs", "image pairs"
        known = taxonomy.TRAIN_INSTANCE_PAIRS, taxonomy.TRAIN_IMAGE_PAIRS
        pairs = _pairs(index)
        counts = _count_pairs(pairs)
        of_skus = _count_pairs(pairs[pairs["category_id_user"] == pairs["category_id_shop"]])
        tables["without and with the category"] = pd.DataFrame(
            {"what": names, "same pair and style": counts, "same SKU": of_skus}
        )
    else:
        names, known = ("user images", "shop images"), (released.user_images, released.shop_images)
        images_of = index.groupby("source")["image_id"].nunique()
        counts = int(images_of.get("user", 0)), int(images_of.get("shop", 0))
    summary = (
        f"{counts[0]:,} {names[0]} and {counts[1]:,} {names[1]}; a full {split} split has "
        f"{known[0]:,} and {known[1]:,}."
    )
    if counts != known:
        summary += (
            " Some annotations are missing, refused or changed: see the other checks of the index, "
            "or unpack the split again."
        )
    answers = pd.DataFrame({"what": names, "found": counts, "known": known})
    numbers: dict[str, int | float] = {
        name.replace(" ", "_"): count for name, count in zip(names, counts, strict=True)
    }
    return Finding(
        counts == known,
        "warn",
        images,
        summary,
        numbers=numbers,
        tables={"known answers": answers} | tables,
    )


def _pairs(index: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of a user and a shop item with the same pair id and style.

    The columns `image_id` and `category_id` of each have its source as a suffix.
    """
    rows = candidates(index)[["pair_id", "style", "category_id", "source", "image_id"]]
    user, shop = (rows[rows["source"] == source] for source in ("user", "shop"))
    return user.merge(shop, on=["pair_id", "style"], suffixes=("_user", "_shop"))


def _count_pairs(pairs: pd.DataFrame) -> tuple[int, int]:
    """Return the numbers of pairs of items, and of pairs of images."""
    return len(pairs), len(pairs[["image_id_user", "image_id_shop"]].drop_duplicates())


def _read_as_width_height(given: pd.DataFrame, reversed_: "pd.Series[bool]") -> "pd.Series[bool]":
    some = given[reversed_]
    fits = [
        reads_as_width_height((x1, y1, x2, y2), width, height)
        for x1, y1, x2, y2, width, height in zip(
            *(some[name].tolist() for name in [*_BOX, "width", "height"]), strict=True
        )
    ]
    return pd.Series(fits, index=some.index, dtype=bool).reindex(given.index, fill_value=False)


def _box_share(items: pd.DataFrame) -> "pd.Series[float]":
    """Return the share of the image that the clamped box covers, 0 to 1; null without a box."""
    x1, y1, x2, y2, width, height = (
        items[name].astype("Float64") for name in (*_BOX, "width", "height")
    )
    inside = size(clamp((x1, y1, x2, y2), width, height))
    return inside[0] * inside[1] / (width * height)

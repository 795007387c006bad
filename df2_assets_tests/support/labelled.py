"""Labels and crop variants of a build, made without Dagster."""

from typing import Any

import pyarrow as pa

from df2_assets.dataset.record import AFFINE, EDGES
from df2_assets.dataset.tables import CROP_VARIANTS
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.labels import build_labels
from df2_assets.store import tables
from df2_assets.store.layout import Roots


def build_labels_of(roots: Roots, split: str) -> None:
    groups, manifest = (tables.read(roots, asset, split) for asset in ("sku_groups", "crops"))
    labels = build_labels(roots, split, groups, manifest, SerialEngine(), silent).table
    inputs = tables.digests(roots, ("sku_groups", "crops"), split)
    tables.write(roots, "labels", split, labels, inputs)


def build_variant(roots: Roots, split: str, **options: Any) -> None:
    from PIL import Image

    from df2_assets.dataset import variants as v
    from df2_assets.dataset.annotations import Refused
    from df2_assets.dataset.shapes import RefusedShape, read_polygons, read_shape_fields

    variant = v.CropVariant(**options)
    groups = tables.read(roots, "sku_groups", split).to_pylist()
    rows = []
    for g in groups:
        image = Image.open(roots.df2_root / g["orig_image_path"]).convert("RGB")
        box = tuple(g[e] for e in EDGES)
        path = roots.variant(variant.name, split).parent / (g["crop_path"][:-4] + variant.suffix)
        row = dict(
            crop_path=g["crop_path"],
            sku_uid=g["sku_uid"],
            variant_path=path.relative_to(roots.sku_root).as_posix(),
        )
        try:
            polygons = (
                read_polygons(
                    read_shape_fields(
                        (roots.annotations(split) / f"{g['image_id']}.json").read_bytes()
                    )[g["item_idx"]]
                )
                if variant.cut_out
                else ()
            )
            data = v.encode(image, box, variant, polygons)
        except (Refused, RefusedShape) as e:
            row["reason"] = str(e.reason)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            cut = v.plan_cut(variant, box, *image.size)
            row |= (
                dict(zip(AFFINE, cut.affine))
                | dict(zip(EDGES, cut.box))
                | dict(width=cut.width, height=cut.height)
            )
        rows.append(row)
    rows.sort(key=lambda r: r["crop_path"])
    t = pa.Table.from_pylist(rows, CROP_VARIANTS)
    tables.write(
        roots,
        f"crop_variants/{variant.name}",
        split,
        t,
        tables.digests(roots, ("sku_groups", "crops"), split),
    )

"""What the gallery shows of crops on request: values of labels and variants per crop."""

import pyarrow as pa

from df2_assets.report.gallery.content import Content
from df2_assets.report.gallery.layers import Layer, layer_of_labels, layer_of_variant

PATHS = ["train/catalog/a/1.jpg", "train/query/a/2.jpg", "train/query/a/3.jpg"]
SQUARE, DART = [0.2, 0.0, 10.0, 0.4, 10.0, 9.6, 0.0, 10.0], [3.0, 3.0, 5.0, 3.0, 5.0, 7.0]


def labels(*rows: tuple[str, list[list[float]] | None, list[float] | None, str | None]) -> Layer:
    names = ("crop_path", "polygons", "landmarks", "reason")
    polygons = pa.list_(pa.list_(pa.float64()))
    types = (pa.string(), polygons, pa.list_(pa.float64()), pa.string())
    columns = zip(names, types, zip(*rows, strict=True), strict=True)
    return layer_of_labels(pa.table({name: pa.array(v, kind) for name, kind, v in columns}))


def test_polygons_are_a_point_and_steps_and_landmarks_those_that_are_labelled() -> None:
    layer = labels(
        (PATHS[0], [SQUARE, DART], [4.6, 5.2, 2, 0, 0, 0, 12, -3, 1], None),
        (PATHS[1], None, None, "missing_field"),
        (PATHS[2], [DART], None, "wrong_landmarks"),
    )
    square, dart = [0, 0, 10, 0, 0, 10, -10, 0], [3, 3, 2, 0, 0, 4]
    first = [[square, dart], [5, 5, 2, 12, -3, 1]]
    second, third = [[], [], "missing_field"], [[dart], [], "wrong_landmarks"]
    assert layer.values(PATHS) == [first, second, third]
    assert layer.values([PATHS[2], PATHS[0]]) == [third, first]


def test_a_crop_that_a_layer_does_not_have_has_no_value() -> None:
    layer = labels((PATHS[1], [DART], [], None))
    assert layer.values(PATHS) == [None, [[[3, 3, 2, 0, 0, 4]], []], None]
    assert layer.values(PATHS[:1]) == [None]
    assert layer.values([]) == []


def test_a_variant_has_the_map_of_each_crop_or_why_it_was_refused() -> None:
    manifest = pa.table(
        {
            "crop_path": PATHS[:2],
            "variant_path": [f"_df2_assets/variants/v/{path[:-3]}webp" for path in PATHS[:2]],
            "scale_x": [1 / 3, None],
            "scale_y": [2.0, None],
            "shift_x": [-5.0, None],
            "shift_y": [0.25, None],
            "reason": [None, "no_area"],
        }
    )
    layer = layer_of_variant("v", ".webp", manifest)
    assert (layer.name, layer.suffix) == ("v", ".webp")
    assert layer.values(PATHS) == [[0.3333, 2.0, -5.0, 0.25], "no_area", None]


def test_files_of_a_layer_have_the_crops_of_each_sku() -> None:
    content = Content(paths=[PATHS[:1], PATHS[1:]])
    layer = labels((PATHS[2], [], [1, 2, 2], None))
    assert list(content.files_of_layer(layer)) == [[[None], [None, [[], [1, 2, 2]]]]]

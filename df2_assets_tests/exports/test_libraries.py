"""Each export, loaded with its library: every row, with its labels and prompts."""

import contextlib
import hashlib
import io
import random
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageChops

from df2_assets.dataset.masks import fill, rasterize
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, LABELS
from df2_assets.exports.build import export
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SPLIT
from df2_assets_tests.support import croissant, torchvision
from df2_assets_tests.support.builder import DataSet, item, jpeg

pytestmark = [
    pytest.mark.exports,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # pycocotools
    # webdataset leaves its shards for the collector to close.
    pytest.mark.filterwarnings("ignore:.*unclosed file.*[.]tar", "ignore:Exception ignored in"),
]

Lines = list[dict[str, Any]]


@pytest.fixture
def lines(prompted: Roots) -> Lines:
    """Return the content of the exports of `prompted`."""
    return splits.records(prompted)


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep libraries from using a hub, and from writing to the home folder."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")


def is_crop(image: Image.Image, roots: Roots, line: dict[str, Any]) -> bool:
    """Return whether an image has the pixels of the crop of a line."""
    with Image.open(roots.sku_root / line["image_path"]) as crop:
        whole = crop.convert("RGB")
    return image.size == whole.size and ImageChops.difference(image, whole).getbbox() is None


def test_webdataset_gives_every_crop_its_prompt_and_its_line(prompted: Roots, lines: Lines) -> None:
    webdataset = pytest.importorskip("webdataset")
    shards = sorted(map(str, prompted.export("webdataset", SPLIT).glob("*.tar")))
    assert len(shards) > 4
    dataset = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
    samples = list(dataset.to_tuple("jpg", "txt", "json"))
    assert [fields for _, _, fields in samples] == lines
    assert [text for _, text, _ in samples] == [line["text"] for line in lines]
    assert all(is_crop(image, prompted, fields) for image, _, fields in samples)


def test_an_empty_split_is_an_empty_webdataset(exported: Roots) -> None:
    webdataset = pytest.importorskip("webdataset")
    (shard,) = exported.export("webdataset", "test").glob("*.tar")
    assert list(webdataset.WebDataset(str(shard), shardshuffle=False, empty_check=False)) == []


def arguments(**given: Any) -> types.SimpleNamespace:
    """Return the command line options of open_clip that its readers use."""
    return types.SimpleNamespace(
        train_num_samples=None,
        val_num_samples=None,
        train_data_upsampling_factors=None,
        dataset_resampled=False,
        batch_size=5,
        world_size=1,
        workers=0,
        seed=0,
        distributed=False,
        csv_img_key="filepath",
        csv_caption_key="title",
        csv_separator="\t",
        **given,
    )


def sizes_of(lines: Lines, roots: Roots) -> list[tuple[int, int]]:
    """Return width and height of each crop."""
    return [Image.open(roots.sku_root / line["image_path"]).size for line in lines]


@pytest.fixture
def open_clip_data() -> Any:
    pytest.importorskip("open_clip_train")
    torchvision.make_importable()
    from open_clip_train import data

    return data


def size_of(image: Image.Image) -> Any:
    """Return the size of an image: the simplest transform."""
    import torch

    return torch.tensor(image.size)


def test_open_clip_reads_the_shards_and_knows_how_many_samples_there_are(
    prompted: Roots, lines: Lines, open_clip_data: Any
) -> None:
    folder = prompted.export("webdataset", SPLIT)
    last = len(list(folder.glob("*.tar"))) - 1
    shards = f"{folder}/{SPLIT}-{{000000..{last:06d}}}.tar"
    assert open_clip_data.get_dataset_size(shards) == (len(lines), last + 1)
    texts: list[str] = []

    def tokenizer(text: str) -> list[int]:
        texts.append(text)
        return [len(text)]

    info = open_clip_data.get_wds_dataset(
        arguments(train_data=shards, val_data=shards), size_of, False, tokenizer=tokenizer
    )
    sizes = [tuple(size.tolist()) for images, _ in info.dataloader for size in images]
    assert texts == [line["text"] for line in lines]
    assert sizes == sizes_of(lines, prompted)


@pytest.mark.filterwarnings("ignore:'pin_memory' argument is set as true but no accelerator")
def test_open_clip_reads_the_table_in_sku_root(
    prompted: Roots, lines: Lines, open_clip_data: Any
) -> None:
    table = prompted.export("open_clip", SPLIT).relative_to(prompted.sku_root) / f"{SPLIT}.tsv"
    prompts = {"title": "text"} | {key: key for key in lines[0] if key.startswith("text_")}
    for column, key in prompts.items():
        texts: list[str] = []

        def tokenizer(batch: list[str], texts: list[str] = texts) -> list[int]:
            texts.extend(batch)
            return [len(batch[0])]

        options = arguments(train_data=str(table), val_data=str(table))
        options.csv_caption_key = column
        with contextlib.chdir(prompted.sku_root):
            info = open_clip_data.get_csv_dataset(options, size_of, False, tokenizer=tokenizer)
            sizes = [tuple(size.tolist()) for images, _ in info.dataloader for size in images]
        assert texts == [line[key] for line in lines]
        assert sizes == sizes_of(lines, prompted)


CLASSES = {
    "category_name": list(CATEGORIES.values()),
    "domain": list(DOMAINS.values()),
    **{label: list(meanings.values()) for label, meanings in LABELS.items()},
}


def as_line(row: dict[str, Any], features: Any) -> dict[str, Any]:
    """Return a row of `datasets` with the labels of the data set."""
    more = ("image", "mask", "landmarks")
    line = {name: value for name, value in row.items() if name not in more}
    for name in CLASSES:
        line[name] = line[name] + 1 if name in LABELS else features[name].int2str(line[name])
    return line


@pytest.mark.parametrize("form", ["card", "parquet", "imagefolder"])
def test_datasets_gives_typed_rows_with_their_images(
    prompted: Roots, lines: Lines, form: str, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    folder = prompted.export("huggingface", SPLIT)
    cache = str(tmp_path)
    rows = datasets.load_dataset(str(folder), split=SPLIT, cache_dir=cache)
    features = rows.features
    if form == "parquet":
        files = {SPLIT: f"{folder}/parquet/*.parquet"}
        rows = datasets.load_dataset("parquet", data_files=files, split=SPLIT, cache_dir=cache)
    if form == "imagefolder":
        rows = datasets.load_dataset(
            "imagefolder",
            data_dir=f"{folder}/imagefolder",
            features=features,
            split="train",
            cache_dir=cache,
        )
    assert rows.features == features
    assert rows.features.keys() == {"image", "mask", "landmarks", *lines[0]}
    assert isinstance(features["image"], datasets.Image)
    assert isinstance(features["mask"], datasets.Image)
    assert {name: features[name].names for name in CLASSES} == CLASSES
    assert [as_line(row, features) for row in rows] == lines
    for row, line in zip(rows, lines, strict=True):
        assert is_crop(row["image"], prompted, line)
        assert row["landmarks"] == splits.landmarks_of(prompted, line, *line["bbox"][:2])
        if form == "imagefolder" or row["landmarks"] is None:
            assert row["mask"] is None
        else:
            assert (row["mask"].mode, row["mask"].size) == ("1", row["image"].size)


def test_an_imagefolder_without_features_names_its_labels(
    prompted: Roots, lines: Lines, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    folder = prompted.export("huggingface", SPLIT) / "imagefolder"
    rows = datasets.load_dataset(
        "imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path)
    )
    assert rows["category_name"][:] == [line["category_name"] for line in lines]
    assert rows["image_id"][:] == [line["image_id"] for line in lines]
    for name, meanings in LABELS.items():
        assert rows[name][:] == [meanings[line[name]] for line in lines]


def test_an_empty_split_is_a_dataset_without_rows(exported: Roots, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder = exported.export("huggingface", "test")
    rows = datasets.load_dataset(str(folder), split="test", cache_dir=str(tmp_path), streaming=True)
    assert list(rows) == []
    assert rows.features["category_name"].names == CLASSES["category_name"]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated", "ignore:.*inplace.*")
def test_mlcroissant_validates_without_a_warning_and_gives_every_record(prompted: Roots) -> None:
    mlcroissant = croissant.mlcroissant()
    for path in (prompted.own / "exports" / "croissant").glob("*/croissant.json"):
        dataset = mlcroissant.Dataset(str(path))
        issues = dataset.metadata.ctx.issues
        assert (issues.errors, issues.warnings) == (set(), set())
        wanted = splits.records(prompted, path.parent.name)
        crops = [(prompted.sku_root / line["image_path"]).read_bytes() for line in wanted]
        records = [
            {
                name.removeprefix("records/"): value.decode() if isinstance(value, bytes) else value
                for name, value in record.items()
            }
            for record in (dataset.records("records") if wanted else ())
        ]
        assert [record.pop("sha256") for record in records] == [
            hashlib.sha256(crop).hexdigest() for crop in crops
        ]
        assert [record.pop("size") for record in records] == [len(crop) for crop in crops]
        assert [{**record, "bbox": list(record["bbox"])} for record in records] == wanted


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated", "ignore:.*inplace.*")
def test_mlcroissant_refuses_records_of_other_bytes(site: Roots) -> None:
    mlcroissant = croissant.mlcroissant()
    splits.export_all(site)
    folder = site.export("croissant", SPLIT)
    (folder / "crops.parquet").write_bytes(b"other")
    dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    with pytest.raises(mlcroissant.GenerationError) as raised:
        next(iter(dataset.records("records")))
    assert "not identical with the reference" in str(raised.value.__cause__)


def test_pycocotools_gives_every_box_on_its_original(prompted: Roots, lines: Lines) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    folder = prompted.export("coco", SPLIT)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_module.COCO(str(folder / f"instances_{SPLIT}.json"))
    annotations = coco.loadAnns(coco.getAnnIds())
    assert len(annotations) == len(coco.anns) == len(lines)
    assert [one["crop_path"] for one in annotations] == [line["image_path"] for line in lines]
    prompts = [{k: text for k, text in line.items() if k.startswith("text_")} for line in lines]
    assert [one.get("captions", {}) for one in annotations] == prompts
    images = coco.loadImgs([one["image_id"] for one in annotations])
    assert [image["file_name"] for image in images] == [line["orig_image_path"] for line in lines]
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    assert names == CATEGORIES


def load_coco(path: Path) -> Any:
    coco_module = pytest.importorskip("pycocotools.coco")
    with contextlib.redirect_stdout(io.StringIO()):
        return coco_module.COCO(str(path))


def write_random_shapes(roots: Roots, images: int, items: int) -> None:
    """Write images with items of one to three random polygons, some of them partly outside."""
    draw, data, picture = random.Random(25), DataSet(roots.df2_root), jpeg((320, 240))
    for image in range(1, images + 1):
        data.raw_image(SPLIT, image, picture)
        shapes: dict[int | str, Any] = {}
        for number in range(1, items + 1):
            x, y = draw.uniform(-20, 250), draw.uniform(-20, 180)
            polygons = [
                [
                    round(start + draw.uniform(0, 90), draw.randint(0, 2))
                    for _ in range(draw.randint(3, 9))
                    for start in (x, y)
                ]
                for _ in range(draw.randint(1, 3))
            ]
            box = (x, y, x + 90, y + 90)
            shapes[number] = item(9, number, box, segmentation=polygons, landmarks=[0] * 24)
        data.annotation(SPLIT, image, ("shop", "user")[image % 2], (image + 1) // 2, shapes)


def test_pycocotools_agrees_on_area_and_overlap_of_a_thousand_items(tmp_path: Path) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    roots = splits.roots_in(tmp_path)
    write_random_shapes(roots, 106, 10)
    clean.build(roots, SPLIT)
    export(roots, SPLIT, "coco")
    coco = load_coco(roots.export("coco", SPLIT) / f"instances_{SPLIT}.json")
    count = 0
    for image, annotations in coco.imgToAnns.items():
        width, height = coco.imgs[image]["width"], coco.imgs[image]["height"]
        shown = [one for one in annotations if "segmentation" in one]
        drawn = [fill(one["segmentation"], width, height) for one in shown]
        theirs = [coco.annToRLE(one) for one in shown]
        for one, pixels, encoded in zip(shown, drawn, theirs, strict=True):
            assert (coco.annToMask(one) == pixels).all()
            assert one["area"] == mask.area(encoded) == pixels.sum() > 0
        size = [height, width]
        ours = [
            {"size": size, "counts": rasterize(one["segmentation"], width, height)} for one in shown
        ]
        overlaps = [[(one & other).sum() / (one | other).sum() for other in drawn] for one in drawn]
        assert np.array_equal(mask.iou(ours, theirs, [0] * len(shown)), overlaps)
        count += len(shown)
    assert count >= 1000


def test_pycocotools_draws_the_masks_of_a_variant(variants: Roots) -> None:
    for variant in splits.VARIANTS:
        folder = variants.export(f"coco@{variant.name}", SPLIT)
        coco = load_coco(folder / f"instances_{SPLIT}.json")
        shown = [one for one in coco.anns.values() if "segmentation" in one]
        assert len(shown) == 6 * splits.PAIRS
        for one in shown:
            image = coco.imgs[one["image_id"]]
            mask = coco.annToMask(one)
            assert one["area"] == mask.sum() > 0
            with Image.open(variants.sku_root / image["file_name"]) as file:
                assert mask.shape == file.size[::-1]
                if file.mode == "RGBA":
                    shown_pixels = np.asarray(file.getchannel("A")) > 127
                    assert (shown_pixels ^ (mask > 0)).mean() < 0.12


@pytest.mark.parametrize("variant", [variant.name for variant in splits.VARIANTS])
def test_webdataset_datasets_and_open_clip_read_a_variant(
    variants: Roots, variant: str, tmp_path: Path, open_clip_data: Any
) -> None:
    webdataset, datasets = pytest.importorskip("webdataset"), pytest.importorskip("datasets")
    paths = [file["variant_path"] for file in splits.files_of(variants, variant).values()]
    folder = variants.export(f"webdataset@{variant}", SPLIT)
    shards = sorted(map(str, folder.glob("*.tar")))
    dataset = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
    samples = [*dataset.to_tuple("jpg;png;webp", "json")]
    assert sorted(fields["image_path"] for _, fields in samples) == sorted(paths)
    assert all(is_crop(image, variants, fields) for image, fields in samples)
    lines = [fields for _, fields in samples]

    rows = datasets.load_dataset(
        str(variants.export(f"huggingface@{variant}", SPLIT)), split=SPLIT, cache_dir=str(tmp_path)
    )
    assert [row["image_path"] for row in rows] == [line["image_path"] for line in lines]
    for row, line in zip(rows, lines, strict=True):
        assert is_crop(row["image"].convert("RGB"), variants, line)

    pattern = f"{folder}/{SPLIT}-{{000000..{len(shards) - 1:06d}}}.tar"
    info = open_clip_data.get_wds_dataset(
        arguments(train_data=pattern, val_data=pattern), size_of, False, tokenizer=lambda _: [1]
    )
    sizes = [tuple(size.tolist()) for images, _ in info.dataloader for size in images]
    assert sizes == sizes_of(lines, variants)
    table = variants.export(f"open_clip@{variant}", SPLIT) / f"{SPLIT}.tsv"
    with contextlib.chdir(variants.sku_root):
        csv = open_clip_data.CsvDataset(str(table), size_of, "filepath", "title", tokenizer=list)
        assert [tuple(csv[place][0].tolist()) for place in range(len(csv))] == sizes


def tables_row(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line in the form of the table: with the box in four columns."""
    edges = dict(zip(("x1", "y1", "x2", "y2"), line["bbox"], strict=True))
    return {name: value for name, value in line.items() if name != "bbox"} | edges


@pytest.mark.parametrize("split", [SPLIT, "test"])
def test_pandas_polars_and_duckdb_read_the_same_rows_and_keep_texts(
    exported: Roots, split: str
) -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    path = str(exported.export("table", split) / f"{split}.parquet")
    wanted = [tables_row(line) for line in splits.records(exported, split)]
    assert pd.read_parquet(path).to_dict("records") == wanted
    frame = polars.read_parquet(path)
    assert frame.to_dicts() == wanted
    assert (frame.schema["sku_id"], frame.schema["x1"]) == (polars.String, polars.Int32)
    selected = duckdb.sql(f"SELECT * FROM '{path}'")
    assert [dict(zip(selected.columns, row, strict=True)) for row in selected.fetchall()] == wanted
    wide = f"SELECT count(*) FROM '{path}' WHERE x2 - x1 >= 40 AND sku_id LIKE '00000%'"
    assert duckdb.sql(wide).fetchall() == [
        (sum(r["x2"] - r["x1"] >= 40 and r["sku_id"].startswith("00000") for r in wanted),)
    ]


def test_metric_learning_samples_skus_from_the_retrieval_table(exported: Roots) -> None:
    samplers = pytest.importorskip("pytorch_metric_learning.samplers")
    rows = pd.read_csv(exported.export("retrieval", SPLIT) / "retrieval.csv")
    sampler = samplers.MPerClassSampler(rows["label"], m=2, batch_size=8, length_before_new_iter=80)
    drawn = rows.iloc[list(sampler)]
    for start in range(0, 80, 2):
        assert drawn["sku_id"].iloc[start : start + 2].nunique() == 1

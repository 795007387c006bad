"""Each export, loaded with the library that it is for: every row, with the JSONL's content."""

import contextlib
import io
import json
import types
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image, ImageChops

from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, OCCLUSIONS, VIEWPOINTS
from df2_assets.store.layout import Roots
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SPLIT
from df2_assets_tests.support import croissant, torchvision

pytestmark = [
    pytest.mark.exports,
    # webdataset leaves its shards for the collector to close.
    pytest.mark.filterwarnings("ignore:.*unclosed file.*[.]tar", "ignore:Exception ignored in"),
]

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def lines(exported: Roots) -> Lines:
    return splits.lines(exported)


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked for on a hub, and nothing is kept in a home."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")


def is_crop(image: Image.Image, roots: Roots, line: dict[str, Any]) -> bool:
    """Whether an image has the pixels of the crop of a line."""
    with Image.open(roots.sku_root / line["image_path"]) as crop:
        whole = crop.convert("RGB")
    return image.size == whole.size and ImageChops.difference(image, whole).getbbox() is None


def test_webdataset_gives_every_crop_its_prompt_and_its_line(exported: Roots, lines: Lines) -> None:
    webdataset = pytest.importorskip("webdataset")
    shards = sorted(map(str, exported.export("webdataset", SPLIT).glob("*.tar")))
    assert len(shards) > 4
    dataset = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
    samples = list(dataset.to_tuple("jpg", "txt", "json"))
    assert [fields for _, _, fields in samples] == lines
    assert [text for _, text, _ in samples] == [line["text"] for line in lines]
    assert all(is_crop(image, exported, fields) for image, _, fields in samples)


def test_an_empty_split_is_an_empty_webdataset(exported: Roots) -> None:
    webdataset = pytest.importorskip("webdataset")
    (shard,) = exported.export("webdataset", "test").glob("*.tar")
    assert list(webdataset.WebDataset(str(shard), shardshuffle=False, empty_check=False)) == []


def arguments(**given: Any) -> types.SimpleNamespace:
    """The options of open_clip's command line that its readers look at."""
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


@pytest.fixture
def open_clip_data() -> Any:
    pytest.importorskip("open_clip_train")
    torchvision.make_importable()
    from open_clip_train import data

    return data


def size_of(image: Image.Image) -> Any:
    """A transform: what a model would see, as small as can be."""
    import torch

    return torch.tensor(image.size)


def test_open_clip_reads_the_shards_and_knows_how_many_samples_there_are(
    exported: Roots, lines: Lines, open_clip_data: Any
) -> None:
    folder = exported.export("webdataset", SPLIT)
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
    boxes = [line["bbox"] for line in lines]
    assert sizes == [(x2 - x1, y2 - y1) for x1, y1, x2, y2 in boxes]


@pytest.mark.filterwarnings("ignore:'pin_memory' argument is set as true but no accelerator")
def test_open_clip_reads_the_table_in_sku_root(
    exported: Roots, lines: Lines, open_clip_data: Any
) -> None:
    table = exported.export("open_clip", SPLIT).relative_to(exported.sku_root) / f"{SPLIT}.tsv"
    texts: list[str] = []

    def tokenizer(given: list[str]) -> list[int]:
        texts.extend(given)
        return [len(given[0])]

    with contextlib.chdir(exported.sku_root):
        info = open_clip_data.get_csv_dataset(
            arguments(train_data=str(table), val_data=str(table)),
            size_of,
            False,
            tokenizer=tokenizer,
        )
        sizes = [tuple(size.tolist()) for images, _ in info.dataloader for size in images]
    assert texts == [line["text"] for line in lines]
    boxes = [line["bbox"] for line in lines]
    assert sizes == [(x2 - x1, y2 - y1) for x1, y1, x2, y2 in boxes]


LABELS = {
    "category_name": list(CATEGORIES.values()),
    "domain": list(DOMAINS.values()),
    "occlusion": list(OCCLUSIONS.values()),
    "viewpoint": list(VIEWPOINTS.values()),
}


def as_line(row: dict[str, Any], features: Any) -> dict[str, Any]:
    """A row of `datasets` as the JSONL has it."""
    line = {name: value for name, value in row.items() if name != "image"}
    for name in LABELS:
        said = features[name].int2str(line[name])
        line[name] = said if name in ("category_name", "domain") else line[name] + 1
        assert LABELS[name][row[name]] == said
    return line


@pytest.mark.parametrize("form", ["card", "parquet", "imagefolder"])
def test_datasets_gives_typed_rows_with_their_images(
    exported: Roots, lines: Lines, form: str, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    folder = exported.export("huggingface", SPLIT)
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
    assert list(rows.features)[1:] == list(lines[0])
    assert isinstance(features["image"], datasets.Image)
    assert {name: features[name].names for name in LABELS} == LABELS
    assert [as_line(row, features) for row in rows] == lines
    assert all(is_crop(row["image"], exported, line) for row, line in zip(rows, lines, strict=True))


def test_an_imagefolder_without_features_names_its_labels(
    exported: Roots, lines: Lines, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    folder = exported.export("huggingface", SPLIT) / "imagefolder"
    rows = datasets.load_dataset(
        "imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path)
    )
    assert rows["category_name"][:] == [line["category_name"] for line in lines]
    assert rows["image_id"][:] == [line["image_id"] for line in lines]
    assert set(rows["occlusion"]) <= set(OCCLUSIONS.values())


def test_an_empty_split_is_a_dataset_without_rows(exported: Roots, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder = exported.export("huggingface", "test")
    rows = datasets.load_dataset(str(folder), split="test", cache_dir=str(tmp_path), streaming=True)
    assert list(rows) == []
    assert rows.features["category_name"].names == LABELS["category_name"]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated", "ignore:.*inplace.*")
def test_mlcroissant_validates_without_a_warning_and_gives_every_line(
    exported: Roots, lines: Lines
) -> None:
    mlcroissant = croissant.mlcroissant()
    for split in splits.SPLITS:
        path = exported.export("croissant", split) / "croissant.json"
        dataset = mlcroissant.Dataset(str(path))
        issues = dataset.metadata.ctx.issues
        assert (issues.errors, issues.warnings) == (set(), set())
        wanted = splits.lines(exported, split)
        records = list(dataset.records("records")) if wanted else []
        found = [
            {
                name.removeprefix("records/"): value.decode() if isinstance(value, bytes) else value
                for name, value in record.items()
            }
            for record in records
        ]
        manifest = {}
        for listed in (exported.own / f"{split}.sha256").read_text().splitlines():
            digest, _, name = listed.partition("  ")
            manifest[name] = digest
        assert [record.pop("sha256") for record in found] == [
            manifest[line["image_path"]] for line in wanted
        ]
        sizes = [(exported.sku_root / line["image_path"]).stat().st_size for line in wanted]
        assert [record.pop("size") for record in found] == sizes
        assert [{**record, "bbox": list(record["bbox"])} for record in found] == wanted


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


def test_pycocotools_gives_every_box_on_its_original(exported: Roots, lines: Lines) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    folder = exported.export("coco", SPLIT)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_module.COCO(str(folder / f"instances_{SPLIT}.json"))
    annotations = coco.loadAnns(coco.getAnnIds())
    assert len(annotations) == len(coco.anns) == len(lines)
    for annotation, line in zip(annotations, lines, strict=True):
        x1, y1, x2, y2 = line["bbox"]
        assert annotation["bbox"] == [x1, y1, x2 - x1, y2 - y1]
        assert annotation["area"] == (x2 - x1) * (y2 - y1)
        for name in ("sku_id", "pair_id", "style", "category_id", "domain", "occlusion"):
            assert annotation[name] == line[name]
        assert (annotation["crop_path"], annotation["caption"]) == (
            line["image_path"],
            line["text"],
        )
        (image,) = coco.loadImgs(annotation["image_id"])
        assert image["file_name"] == line["orig_image_path"]
        with Image.open(exported.df2_root / image["file_name"]) as original:
            assert original.size == (image["width"], image["height"])
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    assert names == CATEGORIES


def test_metric_learning_samples_skus_from_the_retrieval_table(
    exported: Roots, lines: Lines
) -> None:
    samplers = pytest.importorskip("pytorch_metric_learning.samplers")
    rows = pd.read_csv(exported.export("retrieval", SPLIT) / "retrieval.csv")
    sampler = samplers.MPerClassSampler(rows["label"], m=2, batch_size=8, length_before_new_iter=80)
    drawn = rows.iloc[list(sampler)]
    for start in range(0, 80, 2):
        assert drawn["sku_id"].iloc[start : start + 2].nunique() == 1
    assert len(rows) == len(lines)


@pytest.mark.filterwarnings(
    "ignore:'pin_memory' argument is set as true but no accelerator",
    "ignore:ConjunctiveGraph is deprecated",
    "ignore:.*inplace.*",
)
def test_each_library_gives_further_prompts_where_the_page_says(
    varied: Roots, open_clip_data: Any, tmp_path: Path
) -> None:
    """docs/exports.md, "Further prompts"."""
    shorts = [line["text_short"] for line in splits.lines(varied)]
    webdataset = pytest.importorskip("webdataset")
    shards = sorted(map(str, varied.export("webdataset", SPLIT).glob("*.tar")))
    samples = webdataset.WebDataset(shards, shardshuffle=False).decode().to_tuple("json")
    assert [fields["text_short"] for (fields,) in samples] == shorts

    folder = str(varied.export("huggingface", SPLIT))
    datasets = pytest.importorskip("datasets")
    rows = datasets.load_dataset(folder, split=SPLIT, cache_dir=str(tmp_path))
    assert rows["text_short"][:] == shorts

    dataset = croissant.mlcroissant().Dataset(
        str(varied.export("croissant", SPLIT) / "croissant.json")
    )
    assert dataset.metadata.ctx.issues.warnings == set()
    records = dataset.records("records")
    assert [record["records/text_short"].decode() for record in records] == shorts

    coco_module = pytest.importorskip("pycocotools.coco")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_module.COCO(str(varied.export("coco", SPLIT) / f"instances_{SPLIT}.json"))
    annotations = coco.loadAnns(coco.getAnnIds())
    assert [annotation["captions"]["text_short"] for annotation in annotations] == shorts

    table = str(varied.export("open_clip", SPLIT) / f"{SPLIT}.tsv")
    options = arguments(train_data=table, val_data=table)
    options.csv_caption_key = "text_short"
    texts: list[str] = []

    def tokenizer(given: list[str]) -> list[int]:
        texts.extend(given)
        return [len(given[0])]

    with contextlib.chdir(varied.sku_root):
        info = open_clip_data.get_csv_dataset(options, size_of, False, tokenizer=tokenizer)
        assert sum(len(images) for images, _ in info.dataloader) == len(shorts)
    assert texts == shorts


def test_the_whole_of_a_line_survives_the_way_through_json(exported: Roots, lines: Lines) -> None:
    """The lines that the libraries are held against are those of the contract."""
    text = exported.image_text(SPLIT).read_text()
    assert [json.loads(line) for line in text.splitlines()] == lines
    assert len(lines) == 9 * splits.PAIRS

"""The readers of the original recipe's repository run over our output unchanged.

They are written again here, with the behaviour of the recipe's: a loader of the JSONL by `sku_id`,
the list for re-identification with its loader, and a loader of the metadata. The sample's splits
share SKU ids, as those of DeepFashion2 do.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from df2_assets.exports.build import export
from df2_assets.sample import make_sample
from df2_assets.settings import make_roots
from df2_assets_tests.support.run import build
from df2_assets_tests.support.snapshots import contract

pytestmark = pytest.mark.slow

SPLITS = ("train", "validation")
IMAGES = 200


class Built(NamedTuple):
    """A sample and its build."""

    df2: Path
    sku: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("recipe")
    make_sample(folder / "df2", images=IMAGES)
    made = Built(folder / "df2", folder / "sku")
    assert build(*made, (*SPLITS, "test")).success
    roots = make_roots(str(made.df2), str(made.sku))
    for split in (*SPLITS, "test"):
        export(roots, split, "reid")
    return made


def load_jsonl(sku_root: Path, split: str, suffix: str = "") -> list[dict[str, Any]]:
    """Load the lines of a split, as the training code does: image, text, SKU and domain."""
    lines = (sku_root / f"{split}_image_text{suffix}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in lines.splitlines() if line.strip()]
    return [
        {
            "image": sku_root / row["image_path"],
            "text": row["text"],
            "sku_id": row["sku_id"],
            "domain": row["domain"],
            "split": row["split"],
        }
        for row in rows
    ]


def number_skus(*splits: list[dict[str, Any]]) -> dict[str, int]:
    """Give each SKU id of some splits a number, sorted, as the training code does."""
    ids = {row["sku_id"] for rows in splits for row in rows}
    return {sku_id: number for number, sku_id in enumerate(sorted(ids))}


def load_metadata(sku_root: Path, split: str, suffix: str = "") -> dict[str, dict[str, Any]]:
    """Load the SKUs of a split, as the generators do."""
    text = (sku_root / f"{split}_sku_metadata{suffix}.json").read_text(encoding="utf-8")
    document = json.loads(text)
    skus: dict[str, dict[str, Any]] = document["skus"]
    assert document["num_skus"] == len(skus)
    return skus


def build_reid_list(sku_root: Path, split: str) -> list[dict[str, Any]]:
    """Return the list for re-identification as the recipe's script makes it of the metadata."""
    return [
        {
            "split": split,
            "sku_id": sku_id,
            "label": label,
            "domain": domain,
            "crop_path": crop["crop_path"],
        }
        for label, (sku_id, sku) in enumerate(sorted(load_metadata(sku_root, split).items()))
        for domain in ("catalog", "query")
        for crop in sku[domain]
    ]


def load_reid(path: Path, sku_root: Path) -> tuple[list[tuple[Path, int, str]], int]:
    """Load a list for re-identification: image, label and domain per crop; and the classes."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    samples = [(sku_root / row["crop_path"], int(row["label"]), row["domain"]) for row in rows]
    return samples, len({label for _, label, _ in samples})


def reid_list(built: Built, split: str) -> Path:
    return built.sku / f"_df2_assets/exports/reid/{split}/df2_reid_{split}.jsonl"


@pytest.mark.parametrize("split", SPLITS)
def test_the_loader_of_the_jsonl_finds_every_image_by_sku_and_domain(
    built: Built, split: str
) -> None:
    rows = load_jsonl(built.sku, split)
    by_sku: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        with Image.open(row["image"]) as image:
            assert image.convert("RGB").size == image.size
        assert row["text"]
        by_sku[row["sku_id"]][row["domain"]].append(row["image"])
    assert {frozenset(domains) for domains in by_sku.values()} == {frozenset({"catalog", "query"})}
    assert set(number_skus(rows)) == set(by_sku)


@pytest.mark.parametrize("split", SPLITS)
def test_the_loader_of_the_metadata_finds_every_crop_and_original(built: Built, split: str) -> None:
    crops = [
        crop
        for sku in load_metadata(built.sku, split).values()
        for domain in ("catalog", "query")
        for crop in sku[domain]
    ]
    assert len(crops) == len(load_jsonl(built.sku, split))
    for crop in crops:
        x1, y1, x2, y2 = crop["bbox"]
        with Image.open(built.sku / crop["crop_path"]) as image:
            assert image.size == (x2 - x1, y2 - y1)
        assert (built.df2 / crop["orig_image_path"]).is_file()


@pytest.mark.parametrize("split", [*SPLITS, "test"])
def test_the_reid_list_is_the_one_that_the_script_makes_and_its_loader_reads(
    built: Built, split: str
) -> None:
    path = reid_list(built, split)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == build_reid_list(built.sku, split)
    assert [[*line] for line in lines[:1]] in (
        [],
        [["split", "sku_id", "label", "domain", "crop_path"]],
    )
    samples, classes = load_reid(path, built.sku)
    assert classes == len(load_metadata(built.sku, split))
    assert {label for _, label, _ in samples} == set(range(classes))
    assert all(image.is_file() for image, _, _ in samples)


def count_garments(rows: Iterable[dict[str, Any]]) -> tuple[int, int]:
    """Return the numbers of garments by `sku_uid`, and by the SKU id alone."""
    uids = {f"{row['split']}/{row['sku_id']}" for row in rows}
    return len(uids), len({uid.partition("/")[2] for uid in uids})


def test_joined_by_the_bare_id_garments_collide_and_by_uid_they_do_not(built: Built) -> None:
    train, validation = (load_jsonl(built.sku, split) for split in SPLITS)
    skus = [len(load_metadata(built.sku, split)) for split in SPLITS]
    by_uid, by_id = count_garments(train + validation)
    assert by_uid == sum(skus)
    assert by_id == len(number_skus(train, validation)) < sum(skus)
    seen = number_skus(train).keys() & number_skus(validation).keys()
    assert len(seen) == by_uid - by_id
    for sku_id in seen:  # the same id, and no picture in common
        images = [
            {row["image"].read_bytes() for row in rows if row["sku_id"] == sku_id}
            for rows in (train, validation)
        ]
        assert images[0].isdisjoint(images[1])


def test_what_the_generators_write_beside_the_catalog_is_read_and_stays(
    built: Built, tmp_path: Path
) -> None:
    copy = Built(built.df2, tmp_path / "sku")
    shutil.copytree(built.sku, copy.sku)
    skus = load_metadata(copy.sku, "train")
    lines = []
    for sku_id, sku in skus.items():
        crop = sku["catalog"][0]
        view = f"train/catalog_dit/{sku_id}/{Path(crop['crop_path']).name}"
        (copy.sku / view).parent.mkdir(parents=True)
        shutil.copy(copy.sku / crop["crop_path"], copy.sku / view)
        crop["crop_path"] = view
        line = {"split": "train", "sku_id": sku_id, "domain": "catalog", "image_path": view}
        lines.append(json.dumps(line | {"text": "a generated view"}))
    document = {"split": "train", "num_skus": len(skus), "skus": skus}
    (copy.sku / "train_sku_metadata.dit.json").write_text(json.dumps(document))
    (copy.sku / "train_image_text.dit.jsonl").write_text("\n".join(lines))

    assert build(*copy, SPLITS).success
    assert contract(copy.sku).items() >= contract(built.sku).items()
    assert load_metadata(copy.sku, "train", ".dit") == skus
    generated = load_jsonl(copy.sku, "train", ".dit")
    assert len(generated) == len(skus)
    assert all(row["image"].is_file() for row in generated)

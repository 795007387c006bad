"""The PyTorch Dataset over a finished build, with a real DataLoader."""

import pickle
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from df2_assets.errors import (
    IncompleteSplitError,
    MissingSplitError,
    MissingTableError,
    ProvenanceError,
)
from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets_tests.support import compare, random_data, run

if TYPE_CHECKING:
    from df2_assets.torch import DeepFashion2ImageTextDataset

pytestmark = pytest.mark.torch


def test_items_are_the_lines_of_the_jsonl_with_their_images(
    dataset: "DeepFashion2ImageTextDataset", lines: list[dict[str, Any]]
) -> None:
    assert len(dataset) == len(lines) > 10
    for item, line in zip((dataset[i] for i in range(len(dataset))), lines, strict=True):
        assert set(item) == {"image", "text", "sku_id", "sku_uid", "domain", "meta"}
        assert item["sku_uid"] == f"train/{line['sku_id']}"
        assert item["meta"] == line
        for key in ("text", "sku_id", "domain"):
            assert item[key] == line[key]
        x1, y1, x2, y2 = line["bbox"]
        assert (item["image"].mode, item["image"].size) == ("RGB", (x2 - x1, y2 - y1))


def by_spawned_workers(dataset: Any) -> list[dict[str, Any]]:
    """Return every item, loaded by two spawned workers of a DataLoader."""
    from torch.utils.data import DataLoader

    loader = DataLoader(dataset, 4, num_workers=2, collate_fn=list, multiprocessing_context="spawn")
    return [item for batch in loader for item in batch]


def test_another_text_key_can_be_selected(sku_root: Path) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    dataset = DeepFashion2ImageTextDataset(sku_root, "train", text_key="category_name")
    assert dataset[0]["text"] == dataset[0]["meta"]["category_name"]
    with pytest.raises(KeyError):
        DeepFashion2ImageTextDataset(sku_root, "train", text_key="no such text")[0]


def test_workers_give_every_crop_once_with_the_prompt_of_a_template(tmp_path: Path) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    random_data.random_dataset(tmp_path / "df2", seed=4, images=40)
    prompts = tmp_path / "prompts.yaml"
    prompts.write_text('prompts: {text_short: ["{occ}{category_name}", "{domain} of {occ}..."]}')
    assert run.build(tmp_path / "df2", tmp_path / "sku", prompts=prompts).success
    dataset = DeepFashion2ImageTextDataset(
        tmp_path / "sku", "train", transform=Image.Image.getbbox, text_key="text_short"
    )
    lines = compare.rows(tmp_path / "sku", "train")
    items = by_spawned_workers(dataset)
    assert [item["meta"] for item in items] == lines
    assert [item["text"] for item in items] == [line["text_short"] for line in lines]
    assert len({item["text"] for item in items}) > 3


@pytest.mark.parametrize("has_lines", [True, False])
def test_a_half_built_split_is_refused(sku_root: Path, tmp_path: Path, has_lines: bool) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    shutil.copytree(sku_root, tmp_path / "sku")
    roots = Roots(Path(), tmp_path / "sku", "")
    state.mark_incomplete(roots, "train")
    if not has_lines:
        roots.image_text("train").unlink()
    with pytest.raises(IncompleteSplitError, match=r"half-built.*df2-assets build --split train"):
        DeepFashion2ImageTextDataset(roots.sku_root, "train")


def test_a_copy_without_the_records_of_its_build_is_loaded_if_not_strict(
    sku_root: Path, lines: list[dict[str, Any]], tmp_path: Path
) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    shutil.copytree(sku_root / "train", tmp_path / "train")
    shutil.copy(sku_root / "train_image_text.jsonl", tmp_path)
    with pytest.raises(IncompleteSplitError, match="strict=False"):
        DeepFashion2ImageTextDataset(tmp_path, "train")
    dataset = DeepFashion2ImageTextDataset(tmp_path, "train", strict=False)
    items = [dataset[place] for place in range(len(dataset))]
    assert [item["meta"] for item in items] == lines
    assert all(item["image"].size for item in items)


@pytest.mark.parametrize("strict", [True, False])
def test_a_missing_folder_or_split_is_named(sku_root: Path, tmp_path: Path, strict: bool) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    def read_error(root: Path, split: str) -> str:
        with pytest.raises(MissingSplitError) as raised:
            DeepFashion2ImageTextDataset(root, split, strict=strict)
        return str(raised.value)

    for split in ("val", "Train", "", "../train", "a\0b", "test"):
        text = read_error(sku_root, split)
        assert f"There is no split {split!r} in {sku_root}, it has train" in text
        assert ("run df2-assets build --split test" in text) == (split == "test")
    for folder in (tmp_path / "nowhere", sku_root / "train_image_text.jsonl"):
        assert f"There is no folder {folder}: give the SKU_ROOT" in read_error(folder, "train")
    assert "it has no split: run df2-assets build --split train" in read_error(tmp_path, "train")
    for name in ("validation", "test"):
        Roots(Path(), tmp_path, "").image_text(name).touch()
    assert "it has validation and test" in read_error(tmp_path, "train")


@pytest.mark.parametrize("strict", [True, False])
def test_a_complete_split_whose_lines_were_removed_says_so(tmp_path: Path, strict: bool) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    state.save(Roots(Path(), tmp_path, ""), "train", state.State(complete=True))
    with pytest.raises(MissingTableError, match=r"train_image_text\.jsonl is not there"):
        DeepFashion2ImageTextDataset(tmp_path, "train", strict=strict)


def test_a_split_without_skus_is_empty(tmp_path: Path) -> None:
    from df2_assets.torch import CatalogQueryPairs, DeepFashion2ImageTextDataset

    roots = Roots(Path(), tmp_path, "")
    roots.image_text("test").touch()
    state.save(roots, "test", state.State(complete=True))
    dataset = DeepFashion2ImageTextDataset(tmp_path, "test")
    assert (len(dataset), list(dataset.rows), len(CatalogQueryPairs(dataset))) == (0, [], 0)
    with pytest.raises(IndexError):
        dataset[0]


def test_rows_are_a_sequence_like_any_other(
    dataset: "DeepFashion2ImageTextDataset", lines: list[dict[str, Any]]
) -> None:
    rows = dataset.rows
    assert list(rows) == lines
    assert (rows[-1], rows[2:7:2]) == (lines[-1], lines[2:7:2])
    for outside in (len(lines), -len(lines) - 1):
        with pytest.raises(IndexError):
            rows[outside]


def test_a_copy_for_another_process_refuses_a_file_that_was_replaced(tmp_path: Path) -> None:
    from df2_assets.torch.rows import Rows

    path = tmp_path / "rows.jsonl"
    path.write_text('{"a":1}\n{"a":2}')
    rows = Rows(path)
    sent = pickle.dumps(rows)
    assert list(pickle.loads(sent)) == [{"a": 1}, {"a": 2}]  # noqa: S301
    path.with_suffix(".new").write_text('{"a":1}\n{"a":2}\n{"a":3}\n')
    path.with_suffix(".new").replace(path)
    assert list(rows) == [{"a": 1}, {"a": 2}]
    with pytest.raises(ProvenanceError, match=r"rows\.jsonl has changed"):
        pickle.loads(sent)  # noqa: S301

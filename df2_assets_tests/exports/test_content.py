"""What the tables of exports say, read without the libraries that they are for."""

import json
from itertools import product
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.api.types import is_integer_dtype

from df2_assets.dataset.templates import TAKEN, parse_templates
from df2_assets.errors import OutputError, TemplatesError
from df2_assets.exports import NAMES
from df2_assets.exports.build import export
from df2_assets.exports.streams import delimited
from df2_assets.exports.webdataset import key
from df2_assets.pipeline.publishing import publish_image_text
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.exports import splits
from df2_assets_tests.exports.splits import SPLIT
from df2_assets_tests.support.builder import DataSet, item


def hold_to_oml(table: pd.DataFrame, dataset_root: Path) -> None:
    """The rules of OML 4.0 for a table of images (oml/utils/dataframe_format.py), in other words.

    Besides: `oml.datasets` turns all four edges of each box into integers, so none may be empty.
    """
    assert {"label", "path", "split", "is_query", "is_gallery"} <= set(table)
    assert set(table["split"]) <= {"train", "validation"}
    training = table["split"] == "train"
    flags = ["is_query", "is_gallery"]
    assert table.loc[training, flags].isna().all(axis=None)
    validation = table[~training]
    assert all(value in (True, False) for value in validation[flags].to_numpy().ravel())
    assert validation[flags].astype(bool).any(axis=1).all()
    queries = set(validation["label"][validation["is_query"].astype(bool)])
    assert queries <= set(validation["label"][validation["is_gallery"].astype(bool)])
    assert is_integer_dtype(table["label"])
    assert all((dataset_root / path).exists() for path in table["path"])
    boxes = table[["x_1", "x_2", "y_1", "y_2"]]
    assert all(is_integer_dtype(boxes[edge]) for edge in boxes)
    assert (boxes >= 0).all(axis=None)
    assert (table["x_1"] < table["x_2"]).all()
    assert (table["y_1"] < table["y_2"]).all()
    assert (table.groupby("label")["category"].nunique() == 1).all()


def read(roots: Roots, split: str, name: str) -> pd.DataFrame:
    return pd.read_csv(roots.export("retrieval", split) / name)


def test_the_oml_table_is_what_oml_takes_alone_and_of_two_splits(exported: Roots) -> None:
    train, validation = (read(exported, split, "oml.csv") for split in ("train", "validation"))
    columns = "label,path,split,is_query,is_gallery,category,x_1,x_2,y_1,y_2"
    assert list(train) == list(validation) == columns.split(",")
    validation["label"] += train["label"].max() + 1
    for table in (train, validation, pd.concat([train, validation])):
        hold_to_oml(table, exported.sku_root)
    lines = splits.lines(exported, "validation")
    assert validation["is_query"].tolist() == [line["domain"] == "query" for line in lines]
    boxes = [line["bbox"] for line in lines]
    assert validation["x_2"].tolist() == [x2 - x1 for x1, _, x2, _ in boxes]
    assert validation["y_2"].tolist() == [y2 - y1 for _, y1, _, y2 in boxes]


def test_the_retrieval_table_numbers_skus_and_has_the_box_in_the_original(exported: Roots) -> None:
    table, lines = read(exported, SPLIT, "retrieval.csv"), splits.lines(exported)
    ids = sorted({line["sku_id"] for line in lines})
    assert table["label"].tolist() == [ids.index(line["sku_id"]) for line in lines]
    same = ["sku_id", "split", "category_id", "occlusion", "viewpoint", "orig_image_path"]
    assert table[same].to_dict("records") == [{n: line[n] for n in same} for line in lines]
    assert table[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == [line["bbox"] for line in lines]
    assert (table["is_query"] != table["is_gallery"]).all()
    assert table["is_query"].tolist() == [line["domain"] == "query" for line in lines]


def test_an_empty_table_has_its_columns(exported: Roots) -> None:
    for name in ("oml.csv", "retrieval.csv"):
        assert list(read(exported, "test", name)) == list(read(exported, SPLIT, name))
    for name in ("pairs", "triplets"):
        empty, full = (
            pd.read_parquet(exported.export("pairs", split) / f"{name}.parquet")
            for split in ("test", SPLIT)
        )
        assert len(empty) == 0
        assert (empty.dtypes == full.dtypes).all()


def test_pairs_are_every_catalog_crop_with_every_query_crop_of_its_sku(exported: Roots) -> None:
    pairs = pd.read_parquet(exported.export("pairs", SPLIT) / "pairs.parquet")
    lines = pd.DataFrame(splits.lines(exported))
    wanted = {
        pair
        for _, crops in lines.groupby("sku_id")
        for pair in product(
            crops["image_path"][crops["domain"] == "catalog"],
            crops["image_path"][crops["domain"] == "query"],
        )
    }
    found = list(
        pairs[["catalog_image_path", "query_image_path"]].itertuples(index=False, name=None)
    )
    assert len(found) == len(wanted) == 2 * 3 * splits.PAIRS
    assert set(found) == wanted


def triplets(roots: Roots) -> pd.DataFrame:
    table: pd.DataFrame = pd.read_parquet(roots.export("pairs", SPLIT) / "triplets.parquet")
    return table


def test_triplets_have_a_positive_of_the_sku_and_a_negative_that_is_hard(exported: Roots) -> None:
    table = triplets(exported)
    lines = pd.DataFrame(splits.lines(exported)).set_index("image_path")
    anchor, positive, negative = (
        lines.loc[table[f"{role}_image_path"]].reset_index(drop=True)
        for role in ("anchor", "positive", "negative")
    )
    assert set(anchor["domain"]) == {"query"}
    assert set(positive["domain"]) | set(negative["domain"]) == {"catalog"}
    assert (anchor["sku_id"] == positive["sku_id"]).all()
    assert (anchor["sku_id"] == table["sku_id"]).all()
    assert (negative["sku_id"] == table["negative_sku_id"]).all()
    assert (negative["sku_id"] != anchor["sku_id"]).all()
    assert (negative["category_id"] == anchor["category_id"]).all()
    same_pair = negative["pair_id"] == anchor["pair_id"]
    assert (same_pair == (table["kind"] == "other_style")).all()
    assert (negative["style"] != anchor["style"])[same_pair].all()
    tops = lines[(lines["domain"] == "query") & (lines["category_id"] == 1)]
    assert set(table["anchor_image_path"][table["kind"] == "other_style"]) == set(tops.index)
    assert set(table["kind"]) == {"other_style", "other_pair"}


def test_a_sku_more_changes_only_the_draws_that_it_wins(site: Roots) -> None:
    export(site, SPLIT, "pairs")
    before = triplets(site).set_index(["anchor_image_path", "kind"])
    data = DataSet(site.df2_root)
    for number, source in enumerate(("shop", "user")):
        data.image(SPLIT, 990_000 + number)
        data.annotation(SPLIT, 990_000 + number, source, 999, {1: item(1, 1, (5, 5, 60, 80))})
    clean.build(site, SPLIT)
    export(site, SPLIT, "pairs")
    after = triplets(site).set_index(["anchor_image_path", "kind"])
    assert set(after.index) > set(before.index)
    moved = after.loc[before.index]["negative_sku_id"] != before["negative_sku_id"]
    assert set(after.loc[before.index]["negative_sku_id"][moved]) <= {"000999_01_01"}
    assert moved.mean() < 0.2


def test_keys_of_samples_have_no_dot_and_are_all_different(exported: Roots) -> None:
    keys = [key(line) for line in splits.lines(exported)]
    assert len(set(keys)) == len(keys)
    assert not [one for one in keys if "." in one or "/" in one]


def test_parquet_says_to_datasets_what_its_columns_are(exported: Roots) -> None:
    for split in ("train", "test"):
        path = exported.export("huggingface", split) / "parquet" / f"{split}-000000.parquet"
        said = json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]
        labels = {name for name, kind in said.items() if kind["_type"] == "ClassLabel"}
        assert labels == {"category_name", "domain", "occlusion", "viewpoint"}
        assert len(said["category_name"]["names"]) == 13
        assert said["image"] == {"_type": "Image"}
        assert list(said)[1:] == list(splits.lines(exported)[0])


@pytest.mark.parametrize("mark", ["\t", "\n", "\r"])
def test_a_text_that_would_break_a_line_is_refused(mark: str) -> None:
    with pytest.raises(OutputError, match="has a tab or a line break") as raised:
        list(delimited([("a", f"A user photo{mark}of a skirt")]))
    assert mark not in str(raised.value)


def test_quotes_and_commas_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"".join(delimited([("a", "b"), ('say "no", or', "=1+1")])))
    assert pd.read_csv(path).to_numpy().tolist() == [['say "no", or', "=1+1"]]


def test_further_prompts_go_along_under_their_keys(varied: Roots) -> None:
    lines = splits.lines(varied)
    shorts = [line["text_short"] for line in lines]
    assert len(set(shorts)) > 3
    for name in NAMES:
        assert splits.check(varied, name).passed, name
    for path in (
        varied.export("croissant", SPLIT) / "crops.parquet",
        varied.export("huggingface", SPLIT) / "parquet" / "train-000000.parquet",
    ):
        found = pq.read_table(path, columns=["text_short"])["text_short"].to_pylist()
        assert found == shorts[: len(found)]
        assert found
    card = (varied.export("huggingface", SPLIT) / "README.md").read_text()
    assert "{name: text_short, dtype: string}" in card
    table = pd.read_csv(varied.export("open_clip", SPLIT) / f"{SPLIT}.tsv", sep="\t")
    assert list(table) == ["filepath", "title", "text_short"]
    assert table["text_short"].tolist() == shorts
    document = json.loads((varied.export("coco", SPLIT) / f"instances_{SPLIT}.json").read_text())
    captions = [one["captions"] for one in document["annotations"]]
    assert captions == [{"text_short": short} for short in shorts]


def test_a_split_without_crops_has_the_columns_of_further_prompts(site: Roots) -> None:
    templates = parse_templates("prompts: {text_short: '{category_name}'}", "prompts.yaml")
    publish_image_text(site, "test", templates)
    export(site, "test", "open_clip")
    header = (site.export("open_clip", "test") / "test.tsv").read_text()
    assert header == "filepath\ttitle\ttext_short\n"


def test_without_further_prompts_nothing_speaks_of_them(exported: Roots) -> None:
    table = exported.export("open_clip", SPLIT) / f"{SPLIT}.tsv"
    assert table.read_text().startswith("filepath\ttitle\n")
    document = json.loads((exported.export("coco", SPLIT) / f"instances_{SPLIT}.json").read_text())
    assert not [one for one in document["annotations"] if "captions" in one]


def test_no_further_prompt_can_take_the_place_of_a_column_of_an_export(exported: Roots) -> None:
    columns = set(pd.read_csv(exported.export("open_clip", SPLIT) / f"{SPLIT}.tsv", sep="\t"))
    for path in (
        exported.export("croissant", SPLIT) / "crops.parquet",
        exported.export("huggingface", SPLIT) / "parquet" / "train-000000.parquet",
    ):
        columns |= set(pq.read_schema(path).names)
    loose = exported.export("huggingface", SPLIT) / "imagefolder" / "metadata.jsonl"
    columns |= json.loads(loose.read_text().splitlines()[0]).keys()
    own = columns - splits.lines(exported)[0].keys()
    assert own == set(TAKEN)
    for name in own:
        with pytest.raises(TemplatesError, match=f"exports have a column {name} of their own"):
            parse_templates(f"prompts: {{{name}: a}}", "prompts.yaml")

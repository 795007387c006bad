"""Options of settings: they override variables, and messages name them."""

import json
import shlex

import click
import pytest
import yaml

from df2_assets.cli import main
from df2_assets.cli.options import with_options
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.cli.test_command_line import write_splits
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.processes import PROJECT
from df2_assets_tests.support.webserver import free_port

WITHOUT_ROOTS = {"sample", "score"}
WITH_TEXTS = {"build", "plan", "prompts", "status"}
TEXTS = {"prompts", "sku_token", "captions"}
WITH_ONLY_PAIRS = {"build", "plan", "status"}
NOWHERE = {"DF2_ROOT": "/nowhere/df2", "SKU_ROOT": "/nowhere/sku"}


@pytest.fixture
def desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """One split in `df2`. The current folder is the one above."""
    monkeypatch.chdir(desk.folder)
    write_splits(desk.df2, "train")
    return desk


@pytest.mark.parametrize("name", main.commands)
def test_a_command_takes_the_settings_that_it_reads(name: str) -> None:
    parameters = {parameter.name for parameter in main.commands[name].params}
    assert ({"df2_root", "sku_root"} <= parameters) == (name not in WITHOUT_ROOTS)
    assert parameters & TEXTS == (TEXTS if name in WITH_TEXTS else set())
    assert ("only_pairs" in parameters) == (name in WITH_ONLY_PAIRS)
    assert ("variants" in parameters) == (name == "variants")


def test_options_override_variables_and_are_relative_to_the_current_folder(desk: Desk) -> None:
    roots = ("--df2-root", "df2", "--sku-root", "data/DeepFashion2_SKU")
    built = desk.run("build", *roots, "--split", "train", **NOWHERE)
    assert built.exit_code == 0, built.output
    sku = desk.folder / "data" / "DeepFashion2_SKU"
    assert (sku / "train_image_text.jsonl").is_file()
    for command in ("verify", "plan --split train", "explain train 1", "export coco"):
        done = desk.run(*command.split(), *roots, **NOWHERE)
        assert done.exit_code == 0, done.output


def test_prompts_are_those_of_the_option(desk: Desk) -> None:
    example = PROJECT / "examples" / "prompts.yaml"
    keys = set(yaml.safe_load(example.read_text())["prompts"])
    rows = desk.json("prompts", "--prompts", str(example), DF2_PROMPTS="nowhere")["prompts"]
    assert {row["key"] for row in rows} == keys | {"text"}


def test_skus_with_one_domain_are_kept_or_left_out_as_the_last_option_says(desk: Desk) -> None:
    """In messages, the option stands for the variable, and pasted commands have it."""
    DataSet(desk.df2).annotation("train", 9, "user", 9, {1: item(1, 1, [5, 5, 70, 100])})
    DataSet(desk.df2).image("train", 9)
    roots = ("--df2-root", "df2", "--sku-root", "skus", "--split", "train")
    kept = desk.run("build", *roots, "--keep-unpaired", "--json", DF2_ONLY_PAIRS="on", **NOWHERE)
    (split,) = json.loads(kept.stdout)["splits"]
    assert split["numbers"]["sku_groups"]["skus_with_one_domain"] == 1
    assert desk.run("status", *roots, **NOWHERE).exit_code == 0
    stale = desk.run("status", *roots, "--only-pairs", **NOWHERE)
    assert "SKUs with one domain are left out now, and were kept before" in stale.stdout
    pasted = stale.stdout.partition("date: ")[2].splitlines()[0]
    assert pasted.endswith("--only-pairs --split train")
    assert desk.run(*shlex.split(pasted)[1:], **NOWHERE).exit_code == 0
    assert not (desk.folder / "skus" / "train" / "query" / "000009_01_01").exists()
    both = ("--keep-unpaired", "--only-pairs")
    assert desk.run("status", *roots, *both, **NOWHERE).exit_code == 0


WRONG = {
    "a root that is not there": ("--df2-root x", ("--df2-root (", "/x) does not exist")),
    "a root around the data set": ("--df2-root .", ("specify --df2-root ", "/df2")),
    "roots in each other": ("--df2-root df2 --sku-root df2/x", ("--sku-root (", "--df2-root (")),
    "one root by its variable": ("--sku-root df2", ("--sku-root (", "DF2_ROOT (")),
    "an empty value": ("--sku-root ''", ("'--sku-root': it is empty",)),
    "spaces alone": ("--sku-root ' '", ("'--sku-root': it is empty",)),
    "a control character": ("--sku-root 'x\r'", (r"--sku-root is 'x\r': give it in UTF-8",)),
    "bytes that are not UTF-8": ("--df2-root caf\udce9", (r"--df2-root is 'caf\xe9'",)),
    "an unknown home": ("--df2-root ~nobody-here/x", ("~nobody-here is unknown",)),
    "a URL of no bucket": ("--sku-root s3://", ("s3:// names no bucket",)),
    "a dropout above 1": ("--sku-token 2", ("--sku-token is '2': give a number from 0 to 1",)),
    "captions that are not there": ("--captions x.jsonl", ("specify --captions to the file of",)),
    "prompts that are not there": ("--prompts x.yaml", ("specify --prompts to a YAML file",)),
}


@pytest.mark.parametrize(("options", "says"), WRONG.values(), ids=WRONG)
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_option(
    desk: Desk, options: str, says: tuple[str, ...]
) -> None:
    before = desk.files()
    done = desk.run("plan", "--split", "train", *shlex.split(options))
    assert done.exit_code != 0
    for words in says:
        assert words in done.stderr
    after = desk.files()
    assert {path for path in after if not path.startswith("home")} == before.keys()


def test_a_command_in_a_message_works_on_the_same_data_set(desk: Desk) -> None:
    roots = ("--df2-root", "df2", "--sku-root", "my skus")
    refused = desk.run("verify", *roots, **NOWHERE)
    assert refused.exit_code == 1
    pasted = refused.stderr.rpartition("run ")[2].strip()
    assert pasted == "df2-assets build --df2-root df2 --sku-root 'my skus'"
    assert desk.run(*shlex.split(pasted)[1:], SPLITS="train").exit_code == 0
    (desk.folder / "my skus" / "train_image_text.jsonl").unlink()
    repair = desk.run("verify", *roots, **NOWHERE).stdout.rpartition(": ")[2].strip()
    assert desk.run(*shlex.split(repair)[1:], **NOWHERE).exit_code == 0
    assert desk.run("verify", *roots, **NOWHERE).exit_code == 0


def test_a_command_with_variables_before_it_is_not_changed() -> None:
    pasted = "DF2_ROOT=/x SKU_ROOT='/my skus' df2-assets verify"
    context = click.Context(main)
    context.meta["df2_assets.values"] = {"sku_root": "/my skus"}
    with context:
        assert with_options(f"Look: {pasted}") == f"Look: {pasted}"
        assert with_options("Set SKU_ROOT=x") == "Specify --sku-root x"
        assert with_options("under /a/SKU_ROOT") == "under /a/SKU_ROOT"


def test_the_command_beside_the_server_has_the_settings_of_its_options(desk: Desk) -> None:
    roots = ("--df2-root", "df2", "--sku-root", "skus")
    done = desk.start(
        "serve", "--port", str(free_port()), *roots, "--", "printenv", "SKU_ROOT", **NOWHERE
    )
    assert done.stdout.splitlines()[-1] == "skus"

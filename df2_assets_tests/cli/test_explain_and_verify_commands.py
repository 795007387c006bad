"""`df2-assets explain` and `verify`, with text and with JSON."""

import json
import os
import shutil
from pathlib import Path

import pytest

from df2_assets.cli.verify import join_exports
from df2_assets.store.lock import writer
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.explanation import test_explain as data_set
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.snapshots import contract, crop_stamps
from df2_assets_tests.verification.test_verify import flip

SKU = data_set.TOP_SKU
CROP = data_set.SHOP_TOP
QUERY = f"train/query/{SKU}/000002_item1.jpg"
ORPHAN = f"train/query/{SKU}/000099_item1.jpg"
STAGES = data_set.STAGES


def build(desk: Desk, *splits: str, **settings: object) -> None:
    result = desk.run("build", SPLITS=" ".join(splits), DF2_MAX_REFUSED=1, **settings)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("commands"))
    data_set.write(DataSet(desk.df2))
    build(desk, "train", "validation")
    return desk


@pytest.fixture
def copy(built: Desk, desk: Desk) -> Desk:
    """A copy of the build for one test, in another folder and with an empty history."""
    shutil.copytree(built.df2, desk.df2)
    shutil.copytree(built.sku, desk.sku)
    build(desk, "train")
    return desk


@pytest.mark.parametrize(
    ("arguments", "fate", "exit_code"),
    [
        (("train", "1", "--item", "1"), "in", 0),
        (("train", "000001", "--item", "2"), "style 0", 1),
        (("train", "000002", "--item", "2"), "refused", 1),
        (("train", "000077"), "unknown", 2),
        ((SKU, "--split", "validation"), "unpaired", 1),
        ((f"validation/{SKU}",), "unpaired", 1),
        ((f"train/{SKU}",), "in", 0),
        (("000009_01_01",), "unknown", 2),
        ((CROP,), "in", 0),
        (("train/catalog/notes.txt",), "unknown", 2),
        (("train/image/000077.jpg",), "unknown", 2),
        (("train/image/000002.jpg", "--item", "2"), "refused", 1),
    ],
)
def test_the_exit_code_says_whether_it_is_in_the_data_set(
    built: Desk, arguments: tuple[str, ...], fate: str, exit_code: int
) -> None:
    reply = built.json("explain", *arguments, exit_code=exit_code)
    assert reply["fate"] == fate
    assert {answer["fate"] for answer in reply["answers"]} == {fate}
    result = built.run("explain", *arguments)
    verdict = {"in": "in the data set", "unknown": "unknown"}.get(
        fate, f"not in the data set: {fate}"
    )
    assert (result.exit_code, f"is {verdict}" in result.stdout.splitlines()[0]) == (exit_code, True)


def test_one_answer_gives_its_steps_and_several_are_a_list(built: Desk) -> None:
    one = built.json("explain", "train", "1", "--item", "1")
    assert one["steps"] == one["answers"][0]["steps"]
    assert [step["stage"] for step in one["steps"]] == ["deepfashion2", *STAGES]
    assert one["steps"][-1]["facts"]["text"] == one["answers"][0]["why"]
    several = built.json("explain", "train", "1")
    assert (several["fate"], several["steps"]) == ("in", [])
    assert [answer["fate"] for answer in several["answers"]] == ["in", "style 0", "unpaired"]


def test_a_sku_is_shown_in_each_split_that_has_it(built: Desk) -> None:
    reply = built.json("explain", SKU)
    fates = [(answer["split"], answer["fate"]) for answer in reply["answers"]]
    assert fates == [("train", "in"), ("validation", "unpaired")]
    result = built.run("explain", SKU).stdout
    assert f"train/{SKU} is in the data set: with 1 catalog and 2 query crops" in result
    note = f"note: train/{SKU} and validation/{SKU} are different garments"
    assert sum(line.startswith(note) for line in result.splitlines()) == 1
    assert f"  query   000002 item 1: in, {QUERY}" in result


def test_each_step_names_the_run_that_made_it(built: Desk) -> None:
    reply = built.json("explain", "train", "1", "--item", "1")
    runs = [step["run"] for step in reply["steps"]]
    assert runs[0] is None
    assert len({run["run_id"] for run in runs[1:]}) == 1
    result = built.run("explain", "train", "1", "--item", "1").stdout
    assert f"  run {runs[1]['run_id']} at " in result
    assert result.splitlines()[-1].endswith(f"built {', '.join(STAGES)}")


def test_a_run_that_wrote_elsewhere_is_not_named(copy: Desk) -> None:
    ours = copy.json("explain", "train", "1", "--item", "1")["steps"][1]["run"]
    build(copy, "train", SKU_ROOT=copy.folder / "other")
    reply = copy.json("explain", "train", "1", "--item", "1")
    assert {step["run"]["run_id"] for step in reply["steps"][1:]} == {ours["run_id"]}


@pytest.mark.parametrize("record", [None, "{", '{"run_id": 1}'])
def test_without_a_record_of_a_run_all_else_is_told(copy: Desk, record: str | None) -> None:
    for asset in STAGES:
        path = copy.roots.run(asset, "train")
        path.unlink() if record is None else path.write_text(record)
    result = copy.run("explain", "train", "1", "--item", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "in the data set" in result.stdout
    assert "  run " not in result.stdout


def test_the_path_of_a_crop_can_be_relative_to_the_current_folder(
    built: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built.sku / "train")
    below = CROP.removeprefix("train/")
    for path in (str(built.sku / CROP), below, f"../{CROP}", CROP, f"./{below}"):
        assert built.run("explain", path).exit_code == 0, path


def contract_paths(desk: Desk) -> list[str]:
    """Return the paths in the two contract files for the item of `CROP`."""
    lines = desk.roots.image_text("train").read_text().splitlines()
    (line,) = (one for line in lines if (one := json.loads(line))["image_path"] == CROP)
    document = json.loads(desk.roots.sku_metadata("train").read_text())
    (entry,) = (e for e in document["skus"][SKU]["catalog"] if e["crop_path"] == CROP)
    return [
        line["image_path"],
        line["orig_image_path"],
        *(entry[k] for k in ("crop_path", "orig_image_path")),
    ]


@pytest.mark.parametrize("form", ["{}", "./{}", "{root}/{}", "../{name}/{}", "/elsewhere/{}"])
def test_every_path_of_the_contract_is_explained(
    built: Desk, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.chdir(built.sku)
    paths = {*contract_paths(built), "train/annos/000001.json", f"train/catalog/{SKU}"}
    assert paths == {
        CROP,
        "train/image/000001.jpg",
        "train/annos/000001.json",
        f"train/catalog/{SKU}",
    }
    for path in paths:
        root = built.df2 if path.startswith(("train/image", "train/annos")) else built.sku
        reply = built.json("explain", form.format(path, root=root, name=root.name))
        assert reply["fate"] == "in", path
        assert {answer["split"] for answer in reply["answers"]} == {"train"}
        if "image" in path or "annos" in path:
            assert {answer["image_id"] for answer in reply["answers"]} == {"000001"}
            assert len(reply["answers"]) == 3
        is_elsewhere = any("neither root" in note for note in reply["answers"][0]["notes"])
        assert is_elsewhere == form.startswith("/elsewhere")


def test_the_path_of_an_image_can_be_relative_or_contain_links(
    built: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built.df2 / "train" / "image")
    (tmp_path / "link").symlink_to(built.df2)
    for path in (
        "000001.jpg",
        "../annos/000001.json",
        str(tmp_path / "link/train/image/000001.jpg"),
    ):
        reply = built.json("explain", path, "--item", "1")
        assert [answer["item_idx"] for answer in reply["answers"]] == [1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Missing argument"),
        ((CROP, "--item", "1"), "SPLIT IMAGE_ID"),
        (("train",), "SPLIT IMAGE_ID"),
        (("train", "1", "2"), "SPLIT IMAGE_ID"),
        (("train", "0000001"), "up to six digits"),
        (("train", "000001.jpg"), "has up to six digits"),
        (("val", "1"), "There is no split 'val'"),
        ((SKU, "--item", "1"), "SPLIT IMAGE_ID"),
        ((CROP, "--split", "train"), "SPLIT IMAGE_ID"),
        (("train", "1", "--split", "train"), "SPLIT IMAGE_ID"),
    ],
)
def test_a_wrong_question_exits_with_2_and_one_line(
    built: Desk, arguments: tuple[str, ...], says: str
) -> None:
    result = built.run("explain", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_quiet_keeps_the_exit_code(built: Desk) -> None:
    assert built.run("--quiet", "explain", "train", "3").exit_code == 1
    assert built.run("--quiet", "explain", "train", "3").output == ""
    assert built.run("--quiet", "verify").output == ""


def test_an_answer_from_a_half_built_split_says_so(copy: Desk) -> None:
    copy.roots.state("train").unlink()
    result = copy.run("explain", "train", "1", "--item", "1").stdout
    assert "note: It is half-built: " in result
    assert "run df2-assets build --split train" in result


def damage(desk: Desk) -> None:
    """Flip a bit without changing size and time, add an orphan, and delete a crop."""
    flip(desk.sku / QUERY)
    shutil.copy(desk.sku / QUERY, desk.sku / ORPHAN)
    (desk.sku / CROP).unlink()


def test_an_unchanged_data_set_has_no_problems(built: Desk) -> None:
    result = built.run("verify")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "train: no problems in 3 crops (size and time compared).",
        "validation: no problems in 0 crops (size and time compared).",
    ]
    reply = built.json("verify", "--deep", "--split", "train")
    train = {"split": "train", "ok": True, "deep": True, "crops": 3}
    nothing: dict[str, object] = {
        key: [] for key in ("problems", "marked", "notes", "generated_views")
    }
    assert reply == {"ok": True, "splits": [train | nothing]}


def test_generated_views_are_a_note_and_a_list(copy: Desk) -> None:
    view = copy.sku / "train/catalog_dit" / SKU / "0.png"
    view.parent.mkdir(parents=True)
    view.write_bytes(b"theirs")
    lines = copy.run("verify", "--split", "train").stdout.splitlines()
    assert lines[1:] == [
        "train: note: Generated views, which are not compared and never changed: "
        "train/catalog_dit (1 file)"
    ]
    (split,) = copy.json("verify", "--split", "train")["splits"]
    assert split["ok"]
    assert split["generated_views"] == [{"path": "train/catalog_dit", "folders": 1, "files": 1}]


def test_exports_with_equal_options_are_repaired_by_one_command() -> None:
    repairs = {
        "build": 3,
        "export coco": 1,
        "embed --encoder histogram": 2,
        "export pairs --variant small": 1,
        "export table": 4,
        "export coco --variant small": 1,
    }
    assert join_exports(repairs) == {
        "build": 3,
        "export coco table": 5,
        "embed --encoder histogram": 2,
        "export pairs coco --variant small": 2,
    }


def test_problems_are_listed_with_their_repair_and_a_build_repairs_only_them(copy: Desk) -> None:
    clean, before = contract(copy.sku), crop_stamps(copy.sku)
    damage(copy)
    foreign = copy.sku / "train/catalog/notes.txt"
    foreign.write_text("mine")
    result = copy.run("verify", "--deep", "--split", "train")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    at = lines.index("train: crops: files_match: the file is missing")
    assert lines[at + 1] == f"    {CROP}"
    assert "train: 1 damaged crop is marked for the next build." in lines
    assert "train: to repair 4 of 5 problems: df2-assets build --split train" in lines
    assert "train: only you can repair 1 of 5 problems." in lines

    foreign.unlink()
    build(copy, "train")
    assert contract(copy.sku) == clean
    after = crop_stamps(copy.sku)
    made_again = {f"train/{path}" for path in before if before[path] != after[path]}
    assert made_again == {QUERY, CROP}
    assert copy.run("verify", "--deep").exit_code == 0


def test_the_first_ten_problems_of_each_kind_are_shown(copy: Desk) -> None:
    for image in range(100, 115):
        shutil.copy(copy.sku / QUERY, copy.sku / f"train/query/{SKU}/000{image}_item1.jpg")
    lines = copy.run("verify", "--split", "train").stdout.splitlines()
    assert len([line for line in lines if line.startswith("    train/query/")]) == 10
    assert "    and 5 more: see --json" in lines


def test_while_a_build_holds_the_split_the_faults_are_told_and_none_is_marked(copy: Desk) -> None:
    damage(copy)
    with writer(copy.roots, "train", "0123456789"):
        reply = copy.json("verify", "--deep", "--split", "train", exit_code=1)
    (split,) = reply["splits"]
    assert (reply["ok"], split["ok"], split["marked"]) == (False, False, [])
    paths = {problem["path"] for problem in split["problems"]}
    assert paths == {QUERY, ORPHAN, CROP, os.path.dirname(CROP)}
    (note,) = split["notes"]
    assert note.startswith(
        "Damaged crops are not marked for the next build. train is being built by process "
    )
    assert not copy.roots.journal("train").exists()
    crops = [problem for problem in split["problems"] if problem["image_id"]]
    assert crops
    for problem in crops:
        item = ("--item", str(problem["item_idx"]), "--json")
        answer = copy.run("explain", "train", problem["image_id"], *item).stdout
        assert json.loads(answer)["answers"][0]["image_id"] == problem["image_id"]


def test_an_unbuilt_split_is_a_problem_only_if_it_is_named(built: Desk) -> None:
    (split,) = built.json("verify", "--split", "test", exit_code=1)["splits"]
    assert [problem["what"] for problem in split["problems"]] == ["it has not been built"]

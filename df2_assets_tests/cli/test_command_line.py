"""The command `df2-assets`: help, wrong use, summaries and progress."""

import json
import os
import pty
import subprocess
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

import df2_assets
from df2_assets.cli import main
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support import oracle, processes, webserver
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.compare import assert_same_output
from df2_assets_tests.support.processes import DF2_ASSETS, Text
from df2_assets_tests.support.snapshots import Stamp, stamps


def write_splits(root: Path, *splits: str) -> DataSet:
    """Write one SKU with two images to each split."""
    data = DataSet(root)
    for split in splits:
        for image, source in ((1, "shop"), (2, "user")):
            data.image(split, image)
            data.annotation(split, image, source, 1, {1: item(1, 1, [5, 5, 70, 100])})
    return data


def test_help_names_the_commands_and_the_variables_of_the_roots(desk: Desk) -> None:
    reply = desk.run("--help")
    assert reply.exit_code == 0
    for word in (*main.commands, "DF2_ROOT", "SKU_ROOT"):
        assert word in reply.stdout
    assert df2_assets.__version__ in desk.run("--version").stdout
    assert desk.files() == {}


@pytest.mark.parametrize("command", main.commands)
def test_each_command_has_help_with_an_example(desk: Desk, command: str) -> None:
    reply = desk.run(command, "--help")
    assert reply.exit_code == 0
    assert f"df2-assets {command}" in reply.stdout.partition("Example:")[2]


class Wrong(NamedTuple):
    """A wrong use of two good splits, after `prepare` changed them, and texts of its message."""

    what: str
    says: tuple[str, ...]
    settings: Mapping[str, str] = {}
    prepare: Callable[[Desk], object] = lambda desk: None
    arguments: tuple[str, ...] = ("build",)


def move_down(folder: Path, name: str) -> None:
    """Move the content of a folder one level down."""
    folder.rename(folder.with_name("moving"))
    folder.mkdir()
    folder.with_name("moving").rename(folder / name)


def zip_up(folder: Path) -> None:
    folder.rename(folder.parents[1] / "elsewhere")
    folder.with_suffix(".zip").write_bytes(b"PK")


def misname(folder: Path) -> None:
    (folder / "annos").rename(folder / "annots")


def move_down_twice(folder: Path) -> None:
    move_down(folder, "deep")
    move_down(folder, "lower")


def move_down_with_test(folder: Path) -> None:
    (folder / "test" / "image").mkdir(parents=True)
    move_down(folder, "lower")


def rename_all(folder: Path, form: str) -> None:
    """Rename each file to `form`, with its stem and its number."""
    for number, path in enumerate(sorted(folder.iterdir()), 1):
        path.rename(folder / form.format(stem=path.stem, number=number))


WRONG = [
    *(
        Wrong(
            f"{kind} called {form}",
            (f"train/{kind} has no file named six digits", says),
            {},
            prepare,
        )
        for kind, form, says in (
            ("image", "{number}.jpg", "1.jpg"),
            ("image", "{stem}.JPG", "000001.JPG"),
            ("image", "{stem}.jpeg", "000001.jpeg"),
            ("image", "0{stem}.jpg", "0000001.jpg"),
            ("annos", "{stem}.JSON", "000001.JSON"),
        )
        for prepare in [
            lambda desk, kind=kind, form=form: rename_all(desk.df2 / "train" / kind, form)
        ]
    ),
    Wrong(
        "image/image",
        ("Found 1: image", "Move the content of", "image/image"),
        {},
        lambda desk: move_down(desk.df2 / "train" / "image", "image"),
    ),
    Wrong("DF2_ROOT around both", ("one level below", "DF2_ROOT=", "/df2"), {"DF2_ROOT": "."}),
    Wrong(
        "DF2_ROOT two levels too high",
        ("two levels below", "DF2_ROOT=", "df2/lower/deep"),
        {},
        lambda desk: move_down_twice(desk.df2),
    ),
    Wrong(
        "DF2_ROOT two levels too low",
        ("two levels too low", "/df2"),
        {"DF2_ROOT": "df2/train/image"},
    ),
    Wrong(
        "DF2_ROOT = validation",
        ("DF2_ROOT names a split", "/df2"),
        {"DF2_ROOT": "df2/validation"},
        arguments=("build", "--split", "train"),
    ),
    Wrong(
        "no DF2_ROOT, for test",
        ("DF2_ROOT", "elsewhere", "Set it"),
        {"DF2_ROOT": "elsewhere"},
        arguments=("build", "--split", "test"),
    ),
    Wrong(
        "DF2_ROOT a level too high, for test",
        ("one level below", "df2/lower"),
        {},
        lambda desk: move_down_with_test(desk.df2),
        arguments=("build", "--split", "test"),
    ),
    Wrong("no DF2_ROOT", ("DF2_ROOT", "elsewhere", "Set it"), {"DF2_ROOT": "elsewhere"}),
    Wrong("an unknown --split", ("'val'", "validation"), arguments=("build", "--split", "val")),
    Wrong("an unknown split in SPLITS", ("'val'", "validation"), {"SPLITS": "train val"}),
    Wrong("SKU_ROOT = DF2_ROOT", ("SKU_ROOT", "DF2_ROOT"), {"SKU_ROOT": "df2"}),
    Wrong("SKU_ROOT in DF2_ROOT", ("SKU_ROOT", "DF2_ROOT"), {"SKU_ROOT": "df2/train/sku"}),
    Wrong("SKU_ROOT around DF2_ROOT", ("SKU_ROOT", "DF2_ROOT"), {"SKU_ROOT": "."}),
    Wrong("SKU_ROOT = /", ("SKU_ROOT", "separate folder"), {"SKU_ROOT": "/"}),
    Wrong("SKU_ROOT = ~", ("SKU_ROOT", "separate folder"), {"SKU_ROOT": "~"}),
    Wrong("DF2_ROOT = train", ("DF2_ROOT names a split", "df2"), {"DF2_ROOT": "df2/train"}),
    Wrong("DF2_ROOT a file", ("DF2_ROOT", "1.jpg"), {"DF2_ROOT": "df2/train/image/000001.jpg"}),
    Wrong("SKU_ROOT a link", ("SKU_ROOT",), {}, lambda desk: desk.sku.symlink_to(desk.df2)),
    Wrong("SKU_ROOT a file", ("sku", "folder"), {}, lambda desk: desk.sku.write_text("a file")),
    Wrong("DAGSTER_HOME a file", ("DAGSTER_HOME",), {}, lambda desk: desk.home.write_text("")),
    Wrong("train/train", ("move",), {}, lambda desk: move_down(desk.df2 / "train", "train")),
    Wrong("all lower", ("DF2_ROOT=", "df2/lower"), {}, lambda desk: move_down(desk.df2, "lower")),
    Wrong("a zip", ("train.zip", "unzip"), {}, lambda desk: zip_up(desk.df2 / "train")),
    Wrong("no annos", ("train/annos", "annots"), {}, lambda desk: misname(desk.df2 / "train")),
    Wrong("no number", ("DF2_WORKERS", "from 1 to 1024"), {"DF2_WORKERS": "zero"}),
    Wrong("a Windows variable", (r"SKU_ROOT is 'sku\r'",), {"SKU_ROOT": "sku\r"}),
    Wrong("an empty Windows variable", (r"DF2_PROMPTS is '\r'",), {"DF2_PROMPTS": "\r"}),
    Wrong("a root in Latin-1", (r"DF2_ROOT is 'caf\xe9'",), {"DF2_ROOT": "caf\udce9"}),
    Wrong("a home in Latin-1", (r"DAGSTER_HOME is 'h\xe9'",), {"DAGSTER_HOME": "h\udce9"}),
    Wrong("a sample in Latin-1", (r"'caf\xe9'",), arguments=("sample", "caf\udce9")),
    Wrong("an unknown user", ("~nobody-here is unknown",), {"DF2_ROOT": "~nobody-here/x"}),
    Wrong("a home of nobody", ("~nobody-here is",), {"DAGSTER_HOME": "~nobody-here/x"}),
    Wrong("a circle", ("sku: Too many levels",), {}, lambda desk: desk.sku.symlink_to("sku")),
    Wrong("a dead link", ("link to x, which",), {}, lambda desk: desk.sku.symlink_to("x")),
    Wrong("SKU_ROOT below a file", ("Not a directory. Move",), {"SKU_ROOT": f"{__file__}/sku"}),
    Wrong("a long SKU_ROOT", ("File name too long. Choose",), {"SKU_ROOT": "n" * 300}),
    *(
        Wrong(f"DAGSTER_HOME {name}", (f"{name}) has a *, ?, [ or %",), {"DAGSTER_HOME": name})
        for name in ("a?b=1", "a*", "a[b]", "a%20b")
    ),
    Wrong("a sample at a URL", ("give a folder", "DF2_ROOT"), arguments=("sample", "s3://b/df2")),
    Wrong("no answer key", ("--defects",), arguments=("score", "df2")),
    Wrong("a report of nothing", ("or run df2-assets build\n",), arguments=("report",)),
    Wrong("nothing to verify", ("Nothing is built under SKU_ROOT",), arguments=("verify",)),
    Wrong("a sample in a folder in use", ("df2", "empty or a new"), arguments=("sample", "df2")),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.what for wrong in WRONG])
def test_wrong_use_prints_one_or_two_lines_and_writes_nothing(
    desk: Desk, wrong: Wrong, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    write_splits(desk.df2, "train", "validation")
    wrong.prepare(desk)
    before = desk.files()

    done = desk.run(*wrong.arguments, HOME=str(desk.folder.parent), **wrong.settings)

    assert isinstance(done.exception, SystemExit)
    assert done.exit_code != 0
    assert done.stdout == ""
    assert 1 <= len(done.stderr.strip().splitlines()) <= 2, done.stderr
    for word in wrong.says:
        assert word in done.stderr
    assert desk.files() == before


def test_a_file_in_place_of_the_projects_folder_is_reported_in_one_line(desk: Desk) -> None:
    write_splits(desk.df2, "train")
    desk.roots.own.mkdir(parents=True)
    desk.roots.lock("train").parent.write_text("")
    done = desk.run("build", "--split", "train")
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: train: {desk.roots.own}/locks: File exists. Move away the file")


@pytest.mark.parametrize("text", ["\xb2", "1_0", "\u0663", "\uff14"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "--workers"),
        ("explain", "train", "1", "--item"),
        ("sample", "new", "--images"),
        ("sample", "new", "--seed"),
    ],
    ids=lambda arguments: arguments[-1],
)
def test_a_number_option_accepts_only_ascii_digits(
    desk: Desk, arguments: tuple[str, ...], text: str
) -> None:
    done = desk.run(*arguments, text)
    assert done.exit_code == 2
    assert f"'{arguments[-1]}': {text!r} is not a whole number." in done.stderr
    assert desk.files() == {}


def test_a_process_prints_only_the_message(desk: Desk) -> None:
    done = desk.start("build", DF2_ROOT="elsewhere")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: DF2_ROOT (")


class Built(NamedTuple):
    """A sample with two splits that were built twice."""

    desk: Desk
    first: Text
    second: Text
    written: dict[str, Stamp]


BUILT = ("validation", "test")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    desk = Desk(tmp_path_factory.mktemp("sample"))
    drawn = desk.start("sample", "df2", "--images", "60", "--seed", "5")
    assert drawn.returncode == 0, drawn
    first = desk.start("build", SPLITS=" ".join(BUILT))
    written = stamps_of(desk)
    second = desk.start("build", SPLITS=" ".join(BUILT))
    return Built(desk, first, second, written)


def stamps_of(desk: Desk) -> dict[str, Stamp]:
    return {path: at for split in BUILT for path, at in stamps(desk.sku, split).items()}


@pytest.mark.slow
def test_a_sample_can_be_built(built: Built) -> None:
    assert built.first.returncode == 0, built.first
    expected = built.desk.folder / "expected"
    assert oracle.build(built.desk.df2, expected, BUILT) == []
    assert_same_output(built.desk.sku, expected)


def test_the_summary_shows_what_was_built_in_each_split_and_where(built: Built) -> None:
    rows = {line.split()[0]: line.split() for line in built.first.stdout.splitlines()}
    for split in BUILT:
        document = json.loads((built.desk.sku / f"{split}_sku_metadata.json").read_text())
        crops = len((built.desk.sku / f"{split}_image_text.jsonl").read_text().splitlines())
        assert rows[split][1:5] == [str(document["num_skus"]), str(crops), str(crops), "0"]
    assert int(rows["validation"][1]) > 0
    assert str(built.desk.sku) in built.first.stdout
    (line,) = (line for line in built.first.stdout.splitlines() if line.startswith("To see runs"))
    places = f"DF2_ROOT={built.desk.df2} SKU_ROOT={built.desk.sku} DAGSTER_HOME={built.desk.home}"
    assert line.endswith(f": {places} df2-assets ui")
    assert "up to date" not in built.first.stdout


def test_a_split_without_annotations_is_a_note_and_nothing_warns(built: Built) -> None:
    """A build of a normal data set prints no warning, so that every warning means something."""
    for done in (built.first, built.second):
        assert done.stdout.count("note: test: released without annotations") == 1
        assert "warning:" not in done.stdout
    planned = built.desk.run("plan", "--split", "test").stdout
    assert "note: test: released without annotations" in planned


def test_a_second_build_says_that_everything_is_up_to_date_and_writes_nothing(built: Built) -> None:
    assert built.second.returncode == 0
    assert "Everything is up to date." in built.second.stdout.splitlines()
    assert stamps_of(built.desk) == built.written


def test_no_output_of_dagster_reaches_the_terminal(built: Built) -> None:
    for text in (built.first, built.second):
        assert text.stderr == ""
        assert "dagster." not in text.stdout
        assert "Warning" not in text.stdout


def test_a_new_dagster_home_gets_the_projects_configuration_and_the_runs(built: Built) -> None:
    assert (built.desk.home / "dagster.yaml").read_text() == webserver.DEVELOPMENT.read_text()
    with dg.DagsterInstance.from_config(str(built.desk.home)) as instance:
        runs = instance.get_runs()
    assert [(run.job_name, run.status.value) for run in runs] == [("build_dataset", "SUCCESS")] * 4
    assert {run.tags["dagster/partition"] for run in runs} == set(BUILT)


def test_its_runs_belong_to_the_code_location_of_the_ui_and_name_their_data_set(
    built: Built,
) -> None:
    with dg.DagsterInstance.from_config(str(built.desk.home)) as instance:
        (run, *_) = instance.get_runs(limit=1)
    assert run.remote_job_origin is not None
    selector = run.remote_job_origin.repository_origin.get_selector()
    assert selector.location_name == webserver.REPOSITORY["repositoryLocationName"]
    assert selector.repository_name == webserver.REPOSITORY["repositoryName"]
    resources: Any = run.run_config["resources"]
    given = {"df2_root": str(built.desk.df2), "sku_root": str(built.desk.sku)}
    assert resources["data"]["config"] == given
    visible = {name for name in run.tags if not name.startswith(".dagster/")}
    assert visible <= {"dagster/partition", "dagster/code_location"}


@contextmanager
def terminal() -> Iterator[tuple[int, Callable[[], str]]]:
    """Open a terminal; yield it and a function that returns the text written to it."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 120))

    def written() -> str:
        os.set_blocking(ours, False)
        chunks = []
        while True:
            try:
                chunks.append(os.read(ours, 65536))
            except OSError:
                return b"".join(chunks).decode()

    try:
        yield theirs, written
    finally:
        os.close(ours)
        os.close(theirs)


def test_selected_splits_are_built_with_progress_on_a_terminal(desk: Desk) -> None:
    """`test` does not exist in this download."""
    write_splits(desk.df2, "train", "validation")
    command = (*DF2_ASSETS, "build", "--workers", "1", "--split", "validation", "--split", "test")
    with terminal() as (stderr, written):
        done = subprocess.run(
            command,
            env=desk.environment(SPLITS="train"),
            cwd=desk.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            timeout=processes.PATIENCE,
            check=False,
        )
        shown = written()

    assert done.returncode == 0, shown
    assert "reading annotations of validation" in shown
    assert "cutting crops of validation" in shown
    assert "%" in shown
    outputs = {path.name for path in desk.sku.iterdir() if path.is_file()}
    assert outputs == {
        f"{split}_{end}"
        for split in ("validation", "test")
        for end in ("sku_metadata.json", "image_text.jsonl")
    }
    expected = desk.folder / "expected"
    oracle.build(desk.df2, expected, ("validation", "test"))
    assert_same_output(desk.sku, expected)
    assert done.stdout.decode().count("note: test: released") == 1

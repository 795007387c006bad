"""The commands on a bucket: continued after a kill, without leaks, and clear about mistakes."""

import json
import re
import signal
import threading
import time
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from df2_assets.settings import read_settings
from df2_assets_tests.objects.conftest import Source, on
from df2_assets_tests.objects.outputs import crops, digests
from df2_assets_tests.support import processes
from df2_assets_tests.support.object_servers import READER
from df2_assets_tests.support.object_store import Place
from df2_assets_tests.support.reports import running

BUILD = (*processes.DF2_ASSETS, "build", "--split", "train", "--workers", "2")
LABELS = "_df2_assets/tables/labels/train.parquet"


@pytest.fixture
def env(tmp_path: Path, source: Source, place: Place) -> dict[str, str]:
    """Return the environment of commands that read from the bucket and write to the place."""
    return processes.environment(
        tmp_path / "home", DF2_ROOT=source.url, SKU_ROOT=place.url, AWS_MAX_ATTEMPTS="2"
    )


@on("s3", "azure")
def test_a_killed_build_is_continued_and_ends_in_the_same_bytes(
    env: dict[str, str], expected: dict[str, str], tmp_path: Path, place: Place
) -> None:
    journaled, killed = threading.Event(), threading.Event()

    def stall(operation: str, path: str) -> None:
        """Delay the crops after the first part of the journal until the build has been killed."""
        if operation == "put" and "/train.journal/" in path:
            journaled.set()
        elif path.endswith(".jpg") and "/out/" in path:
            time.sleep(0.2)
            if journaled.is_set():
                killed.wait(processes.PATIENCE)

    journal = place / "_df2_assets/tables/crops/train.journal"
    with place.store.failing(stall), processes.start(BUILD, env, tmp_path) as started:
        processes.wait_until(journal.tags, started)
        started.signal_group(signal.SIGKILL)
        started.process.wait()
        killed.set()
    at_once = processes.run(BUILD, env, tmp_path)
    assert at_once.returncode == 1
    assert re.search(r"train is being built by process \d+ .* free within 60 s", at_once.stderr)

    def done() -> str | None:
        again = processes.run(BUILD, env, tmp_path)
        return again.stdout if again.returncode == 0 else None

    made = int(processes.wait_until(done).splitlines()[1].split()[3])
    assert 0 < made < len(expected)
    assert digests(place.contents()) == expected


@on("s3", "azure")
def test_of_two_builds_of_a_split_one_is_refused(
    env: dict[str, str], expected: dict[str, str], tmp_path: Path, place: Place
) -> None:
    def slow(operation: str, path: str) -> None:
        """Delay both so that neither ends before the other has started."""
        if operation == "put" and path.endswith(".jpg"):
            time.sleep(0.5)

    with (
        place.store.failing(slow),
        processes.start(BUILD, env, tmp_path) as first,
        processes.start(BUILD, env, tmp_path) as second,
    ):
        ends = sorted((first.end(), second.end()), key=lambda done: done.returncode)
    assert [done.returncode for done in ends] == [0, 1], ends
    assert "train is being built by process" in ends[1].stderr
    assert digests(place.contents()) == expected


@on("s3", "azure", "gcs")
def test_no_credential_is_left_anywhere(env: dict[str, str], tmp_path: Path, place: Place) -> None:
    built = processes.run(BUILD, env, tmp_path)
    assert built.returncode == 0, built.stderr
    verbose = (*processes.DF2_ASSETS, "-v", "--debug", "build", "--split", "train")
    with place.store.failing(lambda operation, path: "500" if operation == "put" else None):
        failed = processes.run(verbose, env, tmp_path)
    assert failed.returncode == 1
    printed = [one.encode() for run in (built, failed) for one in (run.stdout, run.stderr)]
    history = [path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert len(history) > 3
    for data in (*printed, *history, *place.contents().values()):
        assert not [secret for secret in place.store.secrets if secret.encode() in data]


@on("s3", "azure", "gcs")
def test_plan_explain_and_report_work_on_a_bucket(
    env: dict[str, str], expected: dict[str, str], tmp_path: Path, place: Place
) -> None:
    def run_command(*words: str) -> str:
        done = processes.run((*processes.DF2_ASSETS, *words), env, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    plan = ("plan", "--split", "train", "--json")
    made = crops(expected)
    with place.store.counting() as asked:
        (before,) = json.loads(run_command(*plan))["splits"]
    assert (before["crops_to_make"], before["crops_to_keep"]) == (len(made), 0)
    assert before["fits"]
    assert before["takes"]["free"] is None
    assert before["takes"]["bytes"] > 0
    assert {"put", "delete"}.isdisjoint(asked)
    run_command("build", "--split", "train")
    (after,) = json.loads(run_command(*plan))["splits"]
    assert (after["crops_to_make"], after["crops_to_keep"]) == (0, len(made))
    assert "MB to write." in run_command(*plan[:-1])

    path = min(made)
    sku_id, image_id = path.split("/")[2], path.rpartition("/")[2][:6]
    for what in (("train", image_id), (sku_id,), (path,), (f"{place.url}/{path}",)):
        told = run_command("explain", *what)
        assert "is in the data set" in told
        assert sku_id in told
        assert "run " in told, "the run that made it is not named"
        assert "changed" not in told
    elsewhere = f"{place.store.url}/elsewhere/{path}"
    assert f"{path} of {place.url}" in run_command("explain", elsewhere), (
        "the message does not name the other file"
    )

    folder = "_df2_assets/report/train"
    assert f"Gallery of train: {place.url}/{folder}/index.html" in run_command("report", *plan[1:3])
    assert b'data-crops="../../.."' in place.get(f"{folder}/index.html")
    document = json.loads(place.get("train_sku_metadata.json"))
    assert len((place / folder / "thumbs").tags()) == document["num_skus"]


@on("s3", "azure")
def test_a_bucket_is_served(env: dict[str, str], tmp_path: Path, place: Place) -> None:
    for command in ("build", "report"):
        done = processes.run((*processes.DF2_ASSETS, command, "--split", "train"), env, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    settings = read_settings(env)
    images = settings.roots.images("train")
    original = min(settings.roots.df2.names(images))
    crop = min(crops(place.tags()))
    with running(settings) as served:
        status, headers, page = served.get_file("sku/_df2_assets/report/train/index.html")
        assert (status, page) == (200, place.get("_df2_assets/report/train/index.html"))
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert served.get_file(f"sku/{crop}")[2] == place.get(crop)
        assert served.get_file(f"df2/train/image/{original}")[0] == 200
        assert served.get("/")[2].count(b"<li>") == 1
        for name in ("train_sku_metadata.json", "_df2_assets/state/train.json", "../x", "%2e%2e/x"):
            assert served.get_file(f"sku/{name}")[0] == 404
        assert served.get_file(f"sku/{crop}", method="DELETE")[0] == 405


NO_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AZURE_STORAGE_ACCOUNT_KEY": "",
    "GOOGLE_BEARER_TOKEN": "",
}
NO_SERVER = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AZURE_STORAGE_ENDPOINT": "http://127.0.0.1:9",
    "GOOGLE_BASE_URL": "http://127.0.0.1:9",
}

MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "no such bucket": ({"SKU_ROOT": "{scheme}://no-such-bucket/sku"}, "the bucket does not exist"),
    "no such source": ({"DF2_ROOT": "{scheme}://no-such-bucket/df2"}, "the bucket does not exist"),
    "no credentials": (NO_CREDENTIALS, "no usable credentials"),
    "no server": (NO_SERVER, "the store does not answer"),
    "a password in the URL": (
        {"SKU_ROOT": "{scheme}://user:hQ2nTsecret@bucket/sku"},
        "contains a user, password or query",
    ),
    "one root in the other": ({"SKU_ROOT": "{bucket}/df2/sku"}, "one is inside the other"),
    "an unknown protocol": ({"SKU_ROOT": "sthree://bucket/sku"}, "sthree:// cannot be used"),
}


def refusal(env: dict[str, str], folder: Path, secrets: list[str]) -> str:
    """Return the error of a build that cannot begin: a line or two, without secrets."""
    done = processes.run(BUILD, {name: text for name, text in env.items() if text}, folder)
    assert done.returncode == 1
    problems = [line for line in done.stderr.splitlines() if line.strip()]
    assert 1 <= len(problems) <= 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not [secret for secret in secrets if secret in done.stderr]
    return done.stderr


@pytest.mark.parametrize(
    ("mistake", "store"),
    [
        *product(MISTAKES, ("s3",)),
        *product(("no credentials", "no server", "no such bucket"), ("azure", "gcs")),
    ],
    indirect=["store"],
    scope="session",
)
def test_a_mistake_is_reported_in_a_line_or_two(
    env: dict[str, str], tmp_path: Path, place: Place, mistake: str
) -> None:
    wrong, message = MISTAKES[mistake]
    bucket = place.store.url
    words = {"bucket": bucket, "scheme": bucket.partition(":")[0]}
    wrong = {name: text.format(**words) for name, text in wrong.items()}
    secrets = [*place.store.secrets, "hQ2nTsecret"]
    assert message in refusal(env | wrong, tmp_path, secrets)


RIGHTS: dict[str, tuple[dict[str, str], str]] = {
    "seaweedfs": ({"AWS_ACCESS_KEY_ID": READER}, "access is denied (AccessDenied)"),
    "azure": ({"AZURE_STORAGE_ACCOUNT_KEY": "d3Jvbmc="}, "access is denied (AuthorizationFailure)"),
    "gcs": ({"GOOGLE_BEARER_TOKEN": "wrong"}, "credentials"),
}


@on(*RIGHTS)
def test_rights_that_are_missing_are_named(
    env: dict[str, str], tmp_path: Path, place: Place
) -> None:
    wrong, message = RIGHTS[place.store.kind]
    assert message in refusal(env | wrong, tmp_path, place.store.secrets)
    assert not place.tags()


@on("seaweedfs")
def test_a_wrong_secret_is_named(env: dict[str, str], tmp_path: Path, place: Place) -> None:
    told = refusal(env | {"AWS_SECRET_ACCESS_KEY": "wrong"}, tmp_path, ["wrong"])
    assert "SignatureDoesNotMatch" in told


@on("seaweedfs")
def test_a_profile_of_the_aws_configuration_is_enough(
    env: dict[str, str], tmp_path: Path, place: Place
) -> None:
    """The server checks signatures, so the keys of the profile are the ones that are used."""
    profile = {
        "aws_access_key_id": env.pop("AWS_ACCESS_KEY_ID"),
        "aws_secret_access_key": env.pop("AWS_SECRET_ACCESS_KEY"),
        "endpoint_url": env.pop("AWS_ENDPOINT_URL"),
        "region": env.pop("AWS_DEFAULT_REGION"),
    }
    lines = (f"{name} = {value}" for name, value in profile.items())
    (tmp_path / "config").write_text("\n".join(("[profile garments]", *lines)))
    env |= {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "garments"}
    done = processes.run(BUILD, env, tmp_path)
    assert done.returncode == 0, done
    assert profile["aws_secret_access_key"] not in done.stdout + done.stderr
    assert crops(place.tags())


def test_a_public_bucket_is_read_without_credentials(
    env: dict[str, str], tmp_path: Path, place: Place
) -> None:
    """Without the variable, a build without credentials cannot begin: see `MISTAKES`."""
    import boto3

    images = Place(place.store, "df2")
    client = boto3.client("s3")
    for name in images.tags():
        client.put_object_acl(
            Bucket=place.store.url.removeprefix("s3://"), Key=f"df2/{name}", ACL="public-read"
        )
    env = {name: text for name, text in (env | NO_CREDENTIALS).items() if text}
    env |= {"AWS_NO_SIGN_REQUEST": "true", "SKU_ROOT": str(tmp_path / "sku")}
    done = processes.run(BUILD, env, tmp_path)
    assert done.returncode == 0, done


def test_labels_are_read_from_a_bucket_into_a_bucket(
    env: dict[str, str], tmp_path: Path, place: Place
) -> None:
    for command in (BUILD, (*processes.DF2_ASSETS, "labels", "--split", "train")):
        done = processes.run(command, env, tmp_path)
        assert done.returncode == 0, done
    table = pq.read_table(pa.BufferReader(place.contents()[LABELS]))
    assert set(table["crop_path"].to_pylist()) == crops(place.tags())
    assert table["mask"].null_count == table["landmarks"].null_count == 0

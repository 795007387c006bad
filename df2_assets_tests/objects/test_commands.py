"""The commands on a bucket: killed and gone on with, without leaks, and clear about mistakes."""

import json
import re
import signal
import time
from pathlib import Path

import pytest

from df2_assets_tests.objects.conftest import BUCKET, Source
from df2_assets_tests.objects.outputs import crops, digests, in_bucket, in_folder
from df2_assets_tests.support import processes
from df2_assets_tests.support.object_store import KEY, SECRET, ObjectStore

BUILD = (*processes.DF2_ASSETS, "build", "--split", "train", "--workers", "2")


def environment(folder: Path, source: Source, sku_root: str, **more: str) -> dict[str, str]:
    return processes.environment(
        folder / "home", DF2_ROOT=source.url, SKU_ROOT=sku_root, AWS_MAX_ATTEMPTS="2", **more
    )


def test_a_killed_build_is_gone_on_with_and_ends_in_the_same_bytes(
    store: ObjectStore, source: Source, local: Path, tmp_path: Path, prefix: str
) -> None:
    env = environment(tmp_path, source, f"s3://{BUCKET}/{prefix}")
    journal = f"{prefix}/_df2_assets/tables/crops/train.journal"
    with (
        store.failing(lambda operation, path: _slow(path)),
        processes.start(BUILD, env, tmp_path) as started,
    ):
        processes.wait_until(lambda: store.tags(BUCKET, journal), started)
        started.signal_group(signal.SIGKILL)
        started.process.wait()
    at_once = processes.run(BUILD, env, tmp_path)
    assert at_once.returncode == 1
    assert re.search(r"train is being built by process \d+ .* free within 60 s", at_once.stderr)

    def done() -> str | None:
        again = processes.run(BUILD, env, tmp_path)
        return again.stdout if again.returncode == 0 else None

    said = processes.wait_until(done)
    made = int(said.splitlines()[1].split()[3])
    assert 0 < made < len(digests(in_folder(local)))
    assert digests(in_bucket(store, prefix)) == digests(in_folder(local))


def _slow(path: str) -> None:
    """Crops go slowly, so that a build can be killed between them."""
    if path.endswith(".jpg") and "/out/" in path:
        time.sleep(0.2)


def test_no_credential_is_left_anywhere(
    store: ObjectStore, source: Source, tmp_path: Path, prefix: str
) -> None:
    env = environment(tmp_path, source, f"s3://{BUCKET}/{prefix}")
    built = processes.run((*BUILD[:-2], "--workers", "2"), env, tmp_path)
    assert built.returncode == 0, built.stderr
    verbose = (*processes.DF2_ASSETS, "-v", "--debug", "build", "--split", "train")
    with store.failing(lambda operation, path: "500" if operation == "put" else None):
        failed = processes.run(verbose, env, tmp_path)
    assert failed.returncode == 1
    said = [one.encode() for run in (built, failed) for one in (run.stdout, run.stderr)]
    history = [path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert len(history) > 3
    for data in (*said, *history, *in_bucket(store, prefix).values()):
        assert KEY.encode() not in data
        assert SECRET.encode() not in data


def test_what_a_build_would_do_and_why_something_is_in_it_is_said_of_a_bucket(
    store: ObjectStore, source: Source, local: Path, tmp_path: Path, prefix: str
) -> None:
    env = environment(tmp_path, source, f"s3://{BUCKET}/{prefix}")
    plan = (*processes.DF2_ASSETS, "plan", "--split", "train", "--json")
    with store.counting() as asked:
        done = processes.run(plan, env, tmp_path)
    (before,) = json.loads(done.stdout)["splits"]
    made = crops(in_folder(local))
    assert (before["crops_to_make"], before["crops_to_keep"]) == (len(made), 0)
    assert before["fits"]
    assert before["takes"]["free"] is None
    assert before["takes"]["bytes"] > 0
    assert {"put", "delete"}.isdisjoint(asked)
    assert processes.run(BUILD, env, tmp_path).returncode == 0
    (after,) = json.loads(processes.run(plan, env, tmp_path).stdout)["splits"]
    assert (after["crops_to_make"], after["crops_to_keep"]) == (0, len(made))
    assert "MB to write." in processes.run(plan[:-1], env, tmp_path).stdout

    path = min(made)
    sku_id, image_id = path.split("/")[2], path.rpartition("/")[2][:6]
    for what in (("train", image_id), (sku_id,), (path,), (f"s3://{BUCKET}/{prefix}/{path}",)):
        said = processes.run((*processes.DF2_ASSETS, "explain", *what), env, tmp_path)
        assert said.returncode == 0, said.stdout + said.stderr
        assert "is in the data set" in said.stdout
        assert sku_id in said.stdout
        assert "run " in said.stdout, "the run that made it is not named"
    elsewhere = (*processes.DF2_ASSETS, "explain", f"s3://{BUCKET}/elsewhere/{path}")
    assert processes.run(elsewhere, env, tmp_path).returncode == 2


def test_a_report_of_a_bucket_says_where_its_pages_are(
    store: ObjectStore, source: Source, tmp_path: Path, prefix: str
) -> None:
    env = environment(tmp_path, source, f"s3://{BUCKET}/{prefix}")
    assert processes.run(BUILD, env, tmp_path).returncode == 0
    done = processes.run((*processes.DF2_ASSETS, "report", "--split", "train"), env, tmp_path)
    assert done.returncode == 0, done.stderr
    page = "_df2_assets/report/train/index.html"
    assert f"Gallery of train: s3://{BUCKET}/{prefix}/{page}" in done.stdout
    assert b"<html" in store.get(BUCKET, f"{prefix}/{page}")


MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "no such bucket": ({"SKU_ROOT": "s3://no-such-bucket/sku"}, "there is no such bucket"),
    "no such source": ({"DF2_ROOT": "s3://no-such-bucket/df2"}, "there is no such bucket"),
    "no credentials": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"},
        "no credentials that can be used",
    ),
    "no server": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "the store does not answer"),
    "a password in the URL": (
        {"SKU_ROOT": f"s3://{KEY}:{SECRET}@bucket/sku"},
        "has a user, password or query in it",
    ),
    "a query in the URL": ({"DF2_ROOT": "s3://bucket/df2?key=x"}, "has a user, password or query"),
    "one root in the other": ({"SKU_ROOT": f"s3://{BUCKET}/df2/sku"}, "one lies in the other"),
    "one root in the other by another name": (
        {"SKU_ROOT": f"s3a://{BUCKET}/df2/sku"},
        "one lies in the other",
    ),
    "an unknown protocol": ({"SKU_ROOT": "sthree://bucket/sku"}, "sthree:// cannot be used"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_in_a_line_or_two(
    store: ObjectStore, source: Source, tmp_path: Path, prefix: str, mistake: str
) -> None:
    wrong, said = MISTAKES[mistake]
    env = environment(tmp_path, source, f"s3://{BUCKET}/{prefix}") | wrong
    env = {name: value for name, value in env.items() if value}
    done = processes.run(BUILD, env, tmp_path)
    assert done.returncode == 1
    problems = [line for line in done.stderr.splitlines() if line.strip()]
    assert said in done.stderr
    assert 1 <= len(problems) <= 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert KEY not in done.stderr
    assert SECRET not in done.stderr

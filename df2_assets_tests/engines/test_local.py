"""The local engine loses no shard silently, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from df2_assets.engines.base import Lost
from df2_assets.engines.local import LocalEngine
from df2_assets_tests.engines import work


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_shard_comes_back_with_its_result(workers: int) -> None:
    with closing(LocalEngine(workers).map(work.square, range(50))) as results:
        assert sorted(results) == [(n, n * n) for n in range(50)]


def test_no_shards_are_no_work() -> None:
    assert list(LocalEngine(2).map(work.square, [])) == []


def test_workers_import_neither_dagster_nor_pandas() -> None:
    with closing(LocalEngine(2).map(work.loaded_modules, [0])) as results:
        _, loaded = next(results)
    assert not isinstance(loaded, Lost)
    assert not loaded & {"dagster", "pandas", "pyarrow", "numpy", "matplotlib"}


def test_a_shard_that_ends_its_worker_is_lost_alone_and_its_neighbours_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(LocalEngine(2).map(work.die_of, range(30))) as results:
        found = dict(results)
    assert isinstance(found.pop(13), Lost)
    assert found == {n: n for n in range(30) if n != 13}
    assert "A worker process ended unexpectedly" in caplog.text


def test_a_shard_whose_worker_was_killed_once_is_run_again(tmp_path: Path) -> None:
    note = str(tmp_path / "died")
    with closing(LocalEngine(2).map(work.die_once, [note])) as results:
        assert list(results) == [(note, "done")]


def test_an_exception_of_the_function_is_raised_and_ends_the_map() -> None:
    with (
        pytest.raises(ValueError, match="three"),
        closing(LocalEngine(2).map(work.complain, range(9))) as results,
    ):
        list(results)
    with closing(LocalEngine(2).map(work.square, [7])) as results:
        assert list(results) == [(7, 49)]


def test_closing_an_unfinished_map_ends_its_workers(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = _script(f"""
        import os, signal, threading, time
        def interrupt():
            while not os.path.exists({str(note)!r}): time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            with closing(LocalEngine(1).map(work.tell_pid_and_stay, [{str(note)!r}])) as results:
                list(results)
        except KeyboardInterrupt:
            sys.exit(7)
    """)
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 7
    assert _gone(int(note.read_text()))


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = _script(f"list(LocalEngine(1).map(work.tell_pid_and_stay, [{str(note)!r}]))")
    parent = subprocess.Popen([sys.executable, "-c", script])
    _wait_for(note.exists)
    _wait_for(lambda: bool(note.read_text()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert _gone(int(note.read_text()))


def _script(body: str) -> str:
    lines = body.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    head = (
        "import sys\nfrom contextlib import closing\n"
        "from df2_assets.engines.local import LocalEngine\n"
        "from df2_assets_tests.engines import work\n"
    )
    return head + "\n".join(line[indent:] for line in lines)


def _wait_for(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _gone(pid: int) -> bool:
    """Whether the process ends soon; a zombie has ended."""

    def ended() -> bool:
        try:
            os.kill(pid, 0)
            return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
        except (ProcessLookupError, FileNotFoundError):
            return True

    return _wait_for(ended, seconds=10)

"""Every engine loses no shard silently, and leaves no process behind."""

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

import pytest

from df2_assets.engines.base import Engine, Lost
from df2_assets_tests.engines import work
from df2_assets_tests.engines.conftest import WITH_WORKERS
from df2_assets_tests.support import processes


def test_every_shard_comes_back_with_its_result(engine: Engine) -> None:
    with closing(engine.map(work.square, range(50))) as results:
        assert sorted(results) == [(n, n * n) for n in range(50)]


def test_no_shards_are_no_work(engine: Engine) -> None:
    assert list(engine.map(work.square, [])) == []


def test_no_process_of_this_machine_starts_without_shards() -> None:
    program = (
        "import os\n"
        "from df2_assets.engines.local import LocalEngine\n"
        "from df2_assets_tests.support.processes import descendants\n"
        "engine = LocalEngine(2)\n"
        "print([*engine.map(abs, [])], descendants(os.getpid()))\n"
        "print([*engine.map(abs, [-1])], len(descendants(os.getpid())) > 0)\n"
        "engine.close()\n"
    )
    done = processes.run((sys.executable, "-c", program), os.environ, processes.PROJECT)
    assert done.stdout.splitlines() == ["[] []", "[(-1, 1)] True"], done


def test_workers_import_neither_dagster_nor_tables(engine: Engine) -> None:
    with closing(engine.map(work.loaded_modules, [0])) as results:
        _, loaded = next(results)
    assert not isinstance(loaded, Lost)
    assert "df2_assets_tests" in loaded
    own = {"numpy", "pyarrow"} if "ray" in loaded else set()
    assert loaded & {"dagster", "pandas", "pyarrow", "numpy", "matplotlib"} == own


def test_shards_are_taken_a_few_ahead_of_what_has_finished(engine: Engine) -> None:
    shards = iter(range(100))
    with closing(engine.map(work.square, shards)) as results:
        next(results)
        assert next(shards) < 10


def test_a_shard_that_ends_its_worker_is_lost_alone_and_its_neighbours_are_not(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(engine.map(work.die_of, range(30))) as results:
        found = dict(results)
    assert isinstance(found.pop(13), Lost)
    assert found == {n: n for n in range(30) if n != 13}
    assert "A worker process ended unexpectedly" in caplog.text


def test_a_shard_whose_worker_was_killed_once_is_run_again(engine: Engine, tmp_path: Path) -> None:
    note = str(tmp_path / "died")
    with closing(engine.map(work.die_once, [note])) as results:
        assert list(results) == [(note, "done")]


def test_an_exception_of_the_function_is_raised_as_it_is_and_ends_the_map(engine: Engine) -> None:
    with (
        pytest.raises(ValueError, match="three") as raised,
        closing(engine.map(work.complain, range(9))) as results,
    ):
        list(results)
    assert type(raised.value) is ValueError
    assert "complain" in str(raised.value.__cause__)
    with closing(engine.map(work.square, [7])) as results:
        assert list(results) == [(7, 49)]


def test_closing_an_unfinished_map_ends_what_it_runs(engine: Engine, tmp_path: Path) -> None:
    notes = [str(tmp_path / str(number)) for number in range(3)]
    results = engine.map(work.tell_pid_and_stay_unless_first, notes)
    assert next(results)[0] == notes[0]
    pid = int(processes.wait_until(lambda: _said(Path(notes[1]))))
    results.close()
    processes.assert_gone([pid])


@pytest.mark.parametrize("kind", WITH_WORKERS)
@pytest.mark.parametrize(
    ("number", "ends"), [(signal.SIGINT, 7), (signal.SIGTERM, 8), (signal.SIGKILL, -9)]
)
def test_no_worker_is_left_of_a_program_that_is_told_to_end(
    kind: str, number: int, ends: int, tmp_path: Path
) -> None:
    program = f"""
import signal, sys
from contextlib import closing
from df2_assets.engines.make import make_engine
from df2_assets_tests.engines import work

class Told(BaseException): pass
def tell(number, frame): raise Told

signal.signal(signal.SIGTERM, tell)
try:
    with (
        closing(make_engine("{kind}", 1)) as engine,
        closing(engine.map(work.tell_pid_and_stay, ["{tmp_path}/pid"])) as results,
    ):
        list(results)
except KeyboardInterrupt:
    sys.exit(7)
except Told:
    sys.exit(8)
"""
    env = processes.environment(tmp_path, PYTHONPATH=processes.PROJECT)
    with processes.start((sys.executable, "-c", program), env, tmp_path) as started:
        pid = int(processes.wait_until(lambda: _said(tmp_path / "pid"), started))
        children = processes.descendants(started.pid)
        assert pid in children
        started.signal(number)
        done = started.end()
        # Agents of a Ray whose driver was killed stay for about a minute, at no work.
        killed = kind == "ray" and number == signal.SIGKILL
        processes.assert_gone([pid] if killed else children, patience=10)
    assert done.returncode == ends, done
    assert done.stdout == ""


def _said(note: Path) -> str:
    return note.read_text() if note.exists() else ""

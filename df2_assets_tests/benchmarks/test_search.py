"""`python -m benchmarks.search` on few vectors."""

import re
import subprocess
import sys

import pytest

from df2_assets_tests.support.processes import PROJECT


@pytest.mark.exports
def test_both_ways_give_the_same_rankings() -> None:
    sizes = ("--queries", "200", "--gallery", "3000", "--dimension", "32", "--turns", "2")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.search", *sizes],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"places that differ: \d+ of 4,000, 0 by more than", done.stdout)
    line = r"^(blocks|faiss): .+ s, .+ processor seconds, .+ MB at most$"
    assert len(re.findall(line, done.stdout, re.MULTILINE)) == 2

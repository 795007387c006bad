"""Print constraints that hold each direct dependency at its lower bound: `make test-lowest`.

What the dependencies themselves need is for pip to choose.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[1]


def lowest(extras: list[str]) -> Iterator[str]:
    """`name==version` for each requirement of the project and of some of its extras."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    for text in (*project["dependencies"], *(one for extra in extras for one in optional[extra])):
        requirement = Requirement(text)
        (bound,) = (one.version for one in requirement.specifier if one.operator == ">=")
        yield f"{requirement.name}=={bound}"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in lowest(sys.argv[1:])))

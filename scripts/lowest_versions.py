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
    """Yield `name==version` for each requirement of the project and of some of its extras.

    Where both name a package, the bound of the extra counts: the tests need more than the project.
    """
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    groups = (project["dependencies"], *(optional[extra] for extra in extras))
    requirements = [Requirement(text) for group in groups for text in group]
    for requirement in {one.name: one for one in requirements}.values():
        (bound,) = (one.version for one in requirement.specifier if one.operator == ">=")
        yield f"{requirement.name}=={bound}"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in lowest(sys.argv[1:])))

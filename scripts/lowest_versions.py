"""Print constraints that pin each direct dependency to its lower bound: `make test-lowest`.

pip chooses the versions of indirect dependencies.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[1]


def lowest(extras: list[str]) -> Iterator[str]:
    """Yield `name==version` for each requirement of the project and of some of its extras.

    If both require a package, the bound of the extra is used, since the tests need more.
    """
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    groups = (project["dependencies"], *(optional[extra] for extra in extras))
    requirements = [Requirement(text) for group in groups for text in group]
    for requirement in {item.name: item for item in requirements}.values():
        (bound,) = (bound.version for bound in requirement.specifier if bound.operator == ">=")
        yield f"{requirement.name}=={bound}"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in lowest(sys.argv[1:])))

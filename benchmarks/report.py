"""Results where people find them: numbers in results/, tables between markers of the README."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

from PIL import features

from benchmarks.builds import Result, cores


def machine() -> Result:
    """What the figures depend on, and nothing that says whose machine it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": cores(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
        "pillow": version("pillow"),
        "libjpeg_turbo": features.version("libjpeg_turbo") or "no",
        "dagster": version("dagster"),
    }


def keep(name: str, results: Result, text: str, folder: Path) -> None:
    """Write `results` to `results/{name}.json` under `folder`, `text` into its README.

    There it replaces what stands between `<!-- {name}: begin -->` and `<!-- {name}: end -->`.
    """
    path = folder / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results) + "\n", encoding="utf-8")
    readme = folder / "README.md"
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = readme.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    readme.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def load(name: str, folder: Path) -> Result | None:
    """The results that `keep` wrote; None where there are none."""
    path = folder / "results" / f"{name}.json"
    if not path.exists():
        return None
    results: Result = json.loads(path.read_text(encoding="utf-8"))
    return results

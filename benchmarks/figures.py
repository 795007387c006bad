"""Figures of the benchmarks: tables in README.md, raw numbers in results/NAME.json.

A table is a list of rows, and a row maps the heads of columns to its cells.
"""

import json
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from math import inf
from pathlib import Path
from statistics import median
from typing import Any, Final

import pandas as pd
from PIL import features

Result = dict[str, Any]
"""Raw numbers of a benchmark or a part of it, as in results/NAME.json."""

Row = dict[str, str]
Tables = dict[str, list[Row]]
"""Tables by their titles."""

FOLDER: Final = Path(__file__).parent
MIB: Final = 2**20


def format_spread(values: Iterable[float], form: str) -> str:
    """Format the median, followed by the least and the most if there are several values."""
    numbers = list(values)
    middle, *ends = (form.format(summary(numbers)) for summary in (median, min, max))
    return f"{middle} ({' to '.join(ends)})" if len(numbers) > 1 else middle


def rate_goal(
    what: str,
    values: Iterable[float],
    form: str,
    *,
    least: float | None = None,
    most: float | None = None,
    note: str = "",
) -> Row:
    """Return a row that says whether the median of `values`, one per turn, is within its bounds."""
    numbers = list(values)
    bounds = [f"{sign} {form.format(end)}" for sign, end in (("≥", least), ("≤", most)) if end]
    low, high = -inf if least is None else least, inf if most is None else most
    return {
        "what": what,
        "goal": form.format(least) if least == most else " and ".join(bounds),
        "measured": format_spread(numbers, form) + (f"; {note}" if note else ""),
        "met": "yes" if low <= median(numbers) <= high else "**no**",
    }


def tabulate_turns(results: Result) -> pd.DataFrame:
    """Return one row per turn and one column per number, such as `cold.seconds`."""
    return pd.json_normalize(results["turns"])


def describe_machine() -> Result:
    """Describe what the figures depend on, without anything that identifies the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": count_cores(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
        "pillow": version("pillow"),
        "libjpeg_turbo": features.version("libjpeg_turbo") or "no",
        "dagster": version("dagster"),
    }


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0))


def render_section(results: Result, tables: Tables) -> str:
    """Return Markdown that names the machine and shows each table with rows under its title."""
    on = (
        "On {cores} cores, {memory_gib} GiB, Python {python}, Pillow {pillow} with libjpeg-turbo "
        "{libjpeg_turbo}, Dagster {dagster}."
    ).format_map(results["machine"])
    turns = len(results.get("turns", ()))
    if turns == 1:
        on += " One turn."
    elif turns:
        on += f" Medians of {turns} turns, with the least and the most."
    shown = [f"**{title}**\n\n{format_table(rows)}" for title, rows in tables.items() if rows]
    return "\n\n".join([on, *shown])


def write(name: str, results: Result, tables: Tables, folder: Path = FOLDER) -> None:
    """Write `results` to results/NAME.json under `folder`, and `tables` into its README.md.

    The section replaces what is between `<!-- NAME: begin -->` and `<!-- NAME: end -->`.
    """
    path = folder / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results) + "\n", encoding="utf-8")
    readme = folder / "README.md"
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = readme.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    text = f"{before}{begin}\n\n{render_section(results, tables)}\n\n{end}{after}"
    readme.write_text(text, encoding="utf-8")


def load(name: str, folder: Path = FOLDER) -> Result | None:
    """Return the results that `write` has stored, or None if there are none."""
    path = folder / "results" / f"{name}.json"
    results: Result | None = json.loads(path.read_bytes()) if path.exists() else None
    return results


def format_table(rows: list[Row]) -> str:
    """Return a Markdown table; all columns but the first are aligned to the right."""
    rules = dict.fromkeys(rows[0], "---:") | {next(iter(rows[0])): "---"}
    lines = [list(rows[0]), rules.values(), *(row.values() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

"""The counts of the fault harness: as numbers in figures/ and as a table of docs/reliability.md."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER = Path(__file__).parent / "figures"
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

FIGURES: Final = {
    "kills": "kills with SIGKILL, each followed by a build to the end",
    "full_disks": "disks that filled up during a build",
    "damaged_files": "files deleted, truncated, changed or replaced from outside",
    "stops": "builds ended by SIGTERM, Ctrl-C, *Terminate* or the death of their parent process",
    "races": "builds during another build, a `verify` or a change of the input",
    "deletion_attacks": "links, names, roots and records that lead to foreign files",
    "annotations": "mutated annotation files",
    "images": "mutated images",
    "edits": "random edits of the input, each rebuilt and compared with a clean build",
    "upgrades": "outputs of another release, code version or data set",
    "injections": "texts that would act as HTML, a formula or a command if they were not escaped",
}
"""All figures, with what each counts."""

Counted = Mapping[str, Mapping[str, int]]
"""Figures by the test file that counted them."""


def table(forms: Mapping[str, Counted]) -> str:
    """Return a Markdown table, with one row per figure and one column per form of the harness."""
    sums = {form: _sum(counted) for form, counted in forms.items()}
    lines = [
        " | ".join(("| disturbance", *(f"`{form}`" for form in sums))) + " |",
        "|---|" + "---:|" * len(sums),
    ]
    for name, meaning in FIGURES.items():
        if any(figures[name] for figures in sums.values()):
            numbers = (f"{figures[name]:,}" for figures in sums.values())
            lines.append(" | ".join((f"| {meaning}", *numbers)) + " |")
    return "\n".join(lines)


def load(form: str) -> dict[str, dict[str, int]]:
    """Return the figures of the last run of a form of the harness; none if it never ran."""
    path = FOLDER / f"{form}.json"
    if not path.exists():
        return {}
    counted: dict[str, dict[str, int]] = json.loads(path.read_text(encoding="utf-8"))
    return counted


def keep(form: str, counted: Counted) -> None:
    """Record figures, replacing earlier ones of the same test files, and write them to the page."""
    FOLDER.mkdir(exist_ok=True)
    figures = json.dumps(load(form) | {file: dict(of) for file, of in counted.items()}, indent=2)
    (FOLDER / f"{form}.json").write_text(figures + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def page(text: str) -> str:
    """Return the page with its table made from the recorded figures."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    figures = table({form: counted for form in ("short", "long") if (counted := load(form))})
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}"


def _sum(counted: Counted) -> Counter[str]:
    total: Counter[str] = Counter()
    for figures in counted.values():
        total.update(figures)
    return total

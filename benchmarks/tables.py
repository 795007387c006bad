"""Figures as Markdown: medians with their spread, and whether they reach a goal."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.builds import Result


@dataclass(frozen=True)
class Goal:
    """A row of a table of goals; `values` has one for each turn, and their median counts.

    `least` or `most` is the bound, `form` how a value is written (`{:.1f} s`).
    """

    what: str
    goal: str
    values: Sequence[float]
    form: str
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        value = statistics.median(self.values)
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


def goals(rows: Sequence[Goal]) -> str:
    """What, goal, measured and whether that is enough."""
    return table(
        ("what", "goal", "measured", "met"),
        [
            (
                row.what,
                row.goal,
                spread(row.values, row.form) + (f"; {row.note}" if row.note else ""),
                "yes" if row.met else "**no**",
            )
            for row in rows
        ],
    )


def spread(values: Sequence[float], form: str) -> str:
    """The median, and the least and the most where there are several."""
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))} to {form.format(max(values))})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, all columns but the first to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def on(machine: Result) -> str:
    """What it was measured on, in a sentence."""
    return (
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, Python {machine['python']}, "
        f"Pillow {machine['pillow']} with libjpeg-turbo {machine['libjpeg_turbo']}, "
        f"Dagster {machine['dagster']}."
    )

"""What a check found: enough to judge, to show and to act on."""

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd


@dataclass(frozen=True)
class Finding:
    """`severity` says how bad it is when not passed; `offenders` are all of them, a row each.

    `summary` is a sentence with the counts and, where something is wrong, what to do. `numbers`
    have stable names: the UI plots them over time. `tables` are further small tables to show.
    """

    passed: bool
    severity: Literal["warn", "error"]
    looked_at: int
    summary: str
    offenders: pd.DataFrame = field(default_factory=pd.DataFrame)
    numbers: dict[str, int | float] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

"""The way in which tests build: the job `build_dataset` on a real Dagster instance."""

from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq

from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.settings import Settings
from df2_assets.store import tables
from df2_assets.store.layout import OWN_FOLDER


@dataclass(frozen=True)
class BuildResult:
    """The result of each split's run, in the order of the splits."""

    runs: list[Outcome] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """Whether no run failed, and no check with severity ERROR failed."""
        return all(run.success and not run.failed for run in self.runs)

    @property
    def problems(self) -> list[str]:
        return [problem for run in self.runs for problem in run.failed + run.problems]


def build(
    df2_root: Path,
    sku_root: Path,
    splits: tuple[str, ...] = ("train",),
    *,
    workers: int = 2,
    max_refused: float = 0.01,
    prompts: Path | None = None,
    only_pairs: bool | None = None,
    instance: dg.DagsterInstance | None = None,
) -> BuildResult:
    """Build `splits` as the command line does. Without an instance, use a temporary one."""
    settings = Settings(
        df2_root=df2_root,
        sku_root=str(sku_root),
        workers=workers,
        max_refused=max_refused,
        prompts=prompts,
        only_pairs=only_pairs,
    )
    defs = build_defs(settings)
    with instance or dg.DagsterInstance.ephemeral() as used:
        return BuildResult([run_split(defs, used, split) for split in splits])


def read_table(sku_root: Path, asset: str, split: str) -> pd.DataFrame:
    """Return a table as it is on disk."""
    path = sku_root / OWN_FOLDER / "tables" / asset / f"{split}.parquet"
    return tables.frame(pq.read_table(path))

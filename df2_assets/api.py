"""The commands as functions for notebooks and scripts, such as `df2_assets.build`.

A function does the same as the command of its name, with the same files and DAGSTER_HOME, and
returns what the command prints. Arguments that are left out come from the environment (`DF2_ROOT`,
`SKU_ROOT`, `SPLITS`, …). Nothing is printed. Errors that the user can fix are those of
`df2_assets.errors`.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from df2_assets import errors
from df2_assets.settings import (
    EngineName,
    Settings,
    as_given,
    read_settings,
    require_usable,
    settings_error,
)
from df2_assets.store.layout import Roots, require_input

if TYPE_CHECKING:
    import pandas as pd

    from df2_assets.cli.runs import Outcome
    from df2_assets.engines.progress import Progress
    from df2_assets.explanation.explain import Answer
    from df2_assets.pipeline.preview import SplitPlan
    from df2_assets.verification.verify import Verified

Root = str | Path
Splits = str | Iterable[str]


@dataclass(frozen=True)
class Check:
    """A check of a build.

    `state` is passed, warned or failed. `offenders` has one row per offender, and none if the check
    passed.
    """

    asset: str
    name: str
    state: str
    summary: str
    offenders: "pd.DataFrame" = field(repr=False)


@dataclass(frozen=True)
class SplitBuild:
    """A split after a build.

    `changed` says whether the build added, removed or rebuilt anything. `numbers` has the numbers
    that Dagster's UI shows, by asset. `checks` are sorted by the names of their assets. `notes` say
    what was rebuilt although its input did not change, and why.
    """

    split: str
    changed: bool
    numbers: Mapping[str, Mapping[str, int | float]] = field(repr=False)
    checks: tuple[Check, ...] = field(repr=False)
    notes: tuple[str, ...]
    crops_folder: Path
    sku_metadata: Path
    image_text: Path

    @property
    def skus(self) -> int:
        """The number of SKUs of the split."""
        return int(self.numbers["sku_metadata"]["skus"])

    @property
    def crops(self) -> int:
        """The number of crops of all SKUs."""
        return int(self.numbers["sku_metadata"]["crops"])

    @property
    def refused(self) -> int:
        """The number of files, items and crops that were refused."""
        return int(self.numbers["refusals"]["refused"])

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The checks that warned."""
        return tuple(check for check in self.checks if check.state == "warned")


def build(
    df2_root: Root | None = None,
    sku_root: Root | None = None,
    *,
    splits: Splits | None = None,
    workers: int | None = None,
    engine: EngineName | None = None,
    prompts: Root | None = None,
    sku_token: float | Literal["none"] | None = None,
    captions: Root | None = None,
    only_pairs: bool | None = None,
    max_refused: float | None = None,
    progress: bool = False,
) -> dict[str, SplitBuild]:
    """Build crops, metadata and prompts, run every check, and return the splits by name.

    Each split is a run of the job `build_dataset`, which Dagster's UI shows like any other run.
    `progress` shows a bar on standard error. In a notebook, interrupting the kernel stops a build,
    and the next build continues from there.

    The first split that fails ends the call; splits that were built before it stay. Raises the
    error that ended the run, such as LayoutError, BusyError, DiskFullError or StoppedError, or
    BuildError if a check of severity ERROR failed.
    """
    settings = _settings(
        df2_root,
        sku_root,
        splits,
        workers=workers,
        engine=engine,
        prompts=prompts,
        sku_token=sku_token,
        captions=captions,
        only_pairs=only_pairs,
        max_refused=max_refused,
        starts_engine=True,
    )
    for split in settings.splits:
        require_input(settings.roots, split)

    from df2_assets.cli.runs import run_each

    # Closed also when a failed run raises, or its Dagster instance would stay open.
    with warnings.catch_warnings(), closing(run_each(settings, terminal=progress)) as outcomes:
        # Dagster closes its own event loop, which it cannot do while that of a notebook runs.
        warnings.filterwarnings("ignore", "coroutine .*shutdown_asyncgens", RuntimeWarning)
        builds = {outcome.split: _split_build(settings.roots, outcome) for outcome in outcomes}
    return {split: builds[split] for split in settings.splits}


def plan(
    df2_root: Root | None = None,
    sku_root: Root | None = None,
    *,
    splits: Splits | None = None,
    workers: int | None = None,
    engine: EngineName | None = None,
    prompts: Root | None = None,
    sku_token: float | Literal["none"] | None = None,
    captions: Root | None = None,
    only_pairs: bool | None = None,
    progress: bool = False,
) -> "dict[str, SplitPlan]":
    """Return what a build would do to each split, with its time and bytes; change nothing.

    Raises SettingsError, RootsError or LayoutError if a build could not start.
    """
    settings = _settings(
        df2_root,
        sku_root,
        splits,
        workers=workers,
        engine=engine,
        prompts=prompts,
        sku_token=sku_token,
        captions=captions,
        only_pairs=only_pairs,
        starts_engine=True,
    )

    from df2_assets.cli.plan import plan_splits

    plans = plan_splits(settings, _progress(progress))
    return {split_plan.split: split_plan for split_plan in plans}


def verify(
    df2_root: Root | None = None,
    sku_root: Root | None = None,
    *,
    splits: Splits | None = None,
    deep: bool = False,
    workers: int | None = None,
    engine: EngineName | None = None,
    progress: bool = False,
) -> "dict[str, Verified]":
    """Compare the files of each split on disk with what was built; return the problems.

    The default is every split that is built. `deep` also compares the digests of all crops and
    exports, and marks the crops that only a digest shows to be damaged: the next build makes them
    again. Raises MissingTableError if nothing is built.
    """
    settings = _settings(
        df2_root, sku_root, splits, workers=workers, engine=engine, starts_engine=deep
    )

    from df2_assets.cli.options import built_splits
    from df2_assets.cli.verify import mark, verify_splits

    names = built_splits(settings, named=splits is not None)
    results = verify_splits(settings, names, deep, _progress(progress))
    for result in results:
        mark(settings.roots, result)
    return {result.split: result for result in results}


def explain(
    *what: str,
    df2_root: Root | None = None,
    sku_root: Root | None = None,
    split: str | None = None,
    item: int | None = None,
) -> "list[Answer]":
    """Explain step by step why something is or is not in the data set.

    `what` is a split and an image id, or a SKU id, or `{split}/{sku_id}`, or the path of a crop, an
    image, an annotation or the folder of a SKU. `item` is the N of `itemN` in an image, and `split`
    the only split to search for a SKU. The result has one answer per item of an image, or per split
    that has the SKU.

    Raises SettingsError if `what` is nothing that can be explained.
    """
    import click

    from df2_assets.cli.explain import find_answers

    settings = _settings(df2_root, sku_root, split)
    try:
        return find_answers(settings, what, item, split)
    except click.UsageError as problem:
        raise errors.SettingsError(problem.message) from None


def read_image_text(sku_root: Root, split: str, *, strict: bool = True) -> "pd.DataFrame":
    """Return `{split}_image_text.jsonl` as a table: one row per crop, one column per field.

    Ids and paths are text; `pair_id`, `style`, `category_id`, `item_idx` and labels are int64;
    `bbox` is a list of four integers. `pandas.read_json` would read `000002_01_13` as 20113.

    Raises MissingSplitError, which names the splits that exist, if the folder or the split does
    not; IncompleteSplitError if the split is half-built or, if `strict`, no record says that it is
    complete; MissingTableError if the JSONL was removed.
    """
    import msgspec
    import pandas as pd

    from df2_assets.dataset.record import IMAGE_TEXT
    from df2_assets.store.location import locate
    from df2_assets.store.state import require_readable

    roots = Roots(Path(), locate(str(sku_root)), str(sku_root))
    require_readable(roots, split, strict=strict)
    lines = msgspec.json.Decoder(dict[str, Any]).decode_lines(roots.image_text(split).read_bytes())
    if lines:
        return pd.DataFrame(lines)
    types = {"string": "str", "box": "object"}  # pandas cannot infer types without lines
    columns = {field.name: types.get(field.kind, "int64") for field in IMAGE_TEXT.fields}
    return pd.DataFrame(columns=[*columns]).astype(columns)


def _settings(
    df2_root: Root | None,
    sku_root: Root | None,
    splits: Splits | None,
    *,
    starts_engine: bool = False,
    **more: Any,
) -> Settings:
    """Return the settings of the environment, overridden by arguments that are not None.

    Raises SettingsError, which names the argument, also if `starts_engine` and the engine cannot be
    used; or RootsError.
    """
    from pydantic import ValidationError

    more |= {"df2_root": df2_root, "sku_root": sku_root, "splits": splits}
    values = {name: value for name, value in more.items() if value is not None}
    values |= {name: str(value) for name, value in values.items() if isinstance(value, Path)}
    if sku_root is not None:
        values["sku_root"] = as_given(str(sku_root))
    try:
        settings = replace(read_settings(), **values)
    except ValidationError as error:
        raise settings_error(error, {name: name for name in values}) from None
    require_usable(settings, starts_engine=starts_engine)
    return settings


def _progress(is_shown: bool) -> "Progress":
    from df2_assets.engines.progress import bar, silent

    return bar if is_shown else silent


def _split_build(roots: Roots, outcome: "Outcome") -> SplitBuild:
    """Return a split after its run. Raises the error that ended the run, or BuildError."""
    if not outcome.ok:
        kind = getattr(errors, outcome.error or "BuildError")
        problems = dict.fromkeys(outcome.failed + outcome.problems)
        lines = [
            line
            for problem in problems
            for line in (f"{outcome.split}: {problem}", *outcome.offender_lines(problem))
        ]
        raise kind("\n".join(lines))
    return SplitBuild(
        outcome.split,
        outcome.changed,
        outcome.numbers,
        tuple(_checks(roots, outcome)),
        tuple(outcome.notes),
        roots.crops(outcome.split),
        roots.sku_metadata(outcome.split),
        roots.image_text(outcome.split),
    )


def _checks(roots: Roots, outcome: "Outcome") -> Iterator[Check]:
    """Yield the checks of a run, from the findings recorded with the data set."""
    import pandas as pd

    from df2_assets.checks.finding import read_findings, read_offenders

    evaluated = {tuple(line.split(": ")[:2]) for line in outcome.passed + outcome.warned}
    for finding in read_findings(roots, outcome.split):
        if (finding.asset, finding.check) in evaluated:
            offenders = read_offenders(roots, finding.asset, finding.check, outcome.split)
            rows = pd.DataFrame() if offenders is None else offenders
            yield Check(finding.asset, finding.check, finding.state, finding.summary, rows)

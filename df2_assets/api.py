"""The commands as functions, for notebooks and scripts: `df2_assets.build` and its like.

A function does what the command of its name does, to the same files and in the same DAGSTER_HOME,
and returns what the command prints. What is not given is taken from the environment (`DF2_ROOT`,
`SKU_ROOT`, `SPLITS`, …). Nothing is printed, and everything that a person can mend is raised as an
error of `df2_assets.errors`.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from df2_assets import errors
from df2_assets.settings import EngineName, Settings, read_settings, require_usable, settings_error
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
    """A check that a build evaluated, with all its offenders: a row each, none where it passed.

    `state` is passed, warned or failed.
    """

    asset: str
    name: str
    state: str
    summary: str
    offenders: "pd.DataFrame" = field(repr=False)


@dataclass(frozen=True)
class SplitBuild:
    """A split after a build.

    `changed` says whether the build added, removed or made again any of it. `numbers` are those
    that each asset reports in Dagster's UI, by asset. `checks` are in the order of their assets'
    names. `notes` say what was rebuilt though its input is as it was, and why.
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
        """How many SKUs the split has."""
        return int(self.numbers["sku_metadata"]["skus"])

    @property
    def crops(self) -> int:
        """How many crops they have."""
        return int(self.numbers["sku_metadata"]["crops"])

    @property
    def refused(self) -> int:
        """How many files, items and crops could not be used."""
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
    max_refused: float | None = None,
    progress: bool = False,
) -> dict[str, SplitBuild]:
    """Bring crops, metadata and prompts up to date, with every check; return each split by name.

    Each split is a run of the job `build_dataset`, which Dagster's UI shows like any other.
    `progress` shows a bar on standard error. In a notebook, interrupting the kernel ends a build;
    the next one goes on from there.

    The first split that fails ends the call: splits that were built before it stay. Raises the
    error that ended the run, such as LayoutError, BusyError, DiskFullError or StoppedError;
    BuildError where a check with severity ERROR failed.
    """
    settings = _settings(
        df2_root,
        sku_root,
        splits,
        workers=workers,
        engine=engine,
        prompts=prompts,
        max_refused=max_refused,
        starts_engine=True,
    )
    for split in settings.splits:
        require_input(settings.roots, split)

    from df2_assets.cli.runs import run_each

    with warnings.catch_warnings():
        # Dagster closes a loop of its own, which it cannot in a notebook, where one is running.
        warnings.filterwarnings("ignore", "coroutine .*shutdown_asyncgens", RuntimeWarning)
        outcomes = run_each(settings, terminal=progress)
        built = {outcome.split: _built(settings.roots, outcome) for outcome in outcomes}
    return {split: built[split] for split in settings.splits}


def plan(
    df2_root: Root | None = None,
    sku_root: Root | None = None,
    *,
    splits: Splits | None = None,
    workers: int | None = None,
    engine: EngineName | None = None,
    prompts: Root | None = None,
    progress: bool = False,
) -> "dict[str, SplitPlan]":
    """Return what a build would do to each split, and what it would take; change nothing.

    Raises SettingsError, RootsError or LayoutError where a build could not start.
    """
    settings = _settings(
        df2_root,
        sku_root,
        splits,
        workers=workers,
        engine=engine,
        prompts=prompts,
        starts_engine=True,
    )

    from df2_assets.cli.plan import plan_splits

    return {of_split.split: of_split for of_split in plan_splits(settings, _progress(progress))}


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
    """Compare what is on disk of each split with what was built.

    By default every split that was built. `deep` also compares the digest of every crop and export,
    and marks crops that only a digest gives away, so that the next build makes them again. What is
    wrong is a problem in the result. Raises MissingTableError where nothing is built.
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
    """Return step by step why something is in the data set, or is not.

    `what` is a split and an image id, or a SKU id, or the path of a crop, an image, an annotation
    or the folder of a SKU. `item` is the N of `itemN` in an image, `split` the only split to look
    for a SKU in. An image has an answer per item, a SKU one per split that has it.

    Raises SettingsError where `what` names nothing that can be explained.
    """
    import click

    from df2_assets.cli.explain import find_answers

    settings = _settings(df2_root, sku_root, split)
    try:
        return find_answers(settings, what, item, split)
    except click.UsageError as problem:
        raise errors.SettingsError(problem.message) from None


def read_image_text(sku_root: Root, split: str, *, strict: bool = True) -> "pd.DataFrame":
    """Return the lines of `{split}_image_text.jsonl`, one row per crop, one column per field.

    Ids and paths are text, `pair_id`, `style`, `category_id`, `item_idx` and labels are int64,
    `bbox` is a list of four integers. `pandas.read_json` would take `000002_01_13` for 20113.

    Raises MissingSplitError where the folder or the split is not there, and names the splits that
    are; IncompleteSplitError where the split is half-built or, if `strict`, nothing says that it
    is not; MissingTableError where the JSONL was removed.
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
    types = {"string": "str", "box": "object"}  # without lines pandas cannot tell
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
    """Return the settings of the environment, with the arguments in place of theirs.

    Raises SettingsError, which names an argument by its own name, also where an engine is to start
    and cannot; or RootsError.
    """
    from pydantic import ValidationError

    more |= {"df2_root": df2_root, "sku_root": sku_root, "splits": splits}
    given = {name: value for name, value in more.items() if value is not None}
    given |= {name: str(value) for name, value in given.items() if isinstance(value, Path)}
    try:
        settings = replace(read_settings(), **given)
    except ValidationError as error:
        raise settings_error(error, {name: name for name in given}) from None
    require_usable(settings, starts_engine=starts_engine)
    return settings


def _progress(is_shown: bool) -> "Progress":
    from df2_assets.engines.progress import bar, silent

    return bar if is_shown else silent


def _built(roots: Roots, outcome: "Outcome") -> SplitBuild:
    """Return a split after its run; raise what ended the run where it is not well."""
    if not outcome.is_well:
        kind = getattr(errors, outcome.error or "BuildError")
        problems = dict.fromkeys(outcome.failed + outcome.problems)
        raise kind("\n".join(f"{outcome.split}: {problem}" for problem in problems))
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
    """Yield the checks of a run as they were recorded beside the data set."""
    import pandas as pd

    from df2_assets.checks.finding import read_findings, read_offenders

    evaluated = {tuple(line.split(": ")[:2]) for line in outcome.passed + outcome.warned}
    for finding in read_findings(roots, outcome.split):
        if (finding.asset, finding.check) in evaluated:
            offenders = read_offenders(roots, finding.asset, finding.check, outcome.split)
            rows = pd.DataFrame() if offenders is None else offenders
            yield Check(finding.asset, finding.check, finding.state, finding.summary, rows)

"""`df2-assets verify`: is what lies on disk still what was built?"""

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from df2_assets.cli.options import (
    built_splits,
    json_option,
    progress,
    say,
    say_json,
    say_problem,
    setting_options,
    settings_for,
    splits_option,
    workers_option,
)

if TYPE_CHECKING:
    from df2_assets.engines.progress import Progress
    from df2_assets.settings import Settings
    from df2_assets.store.layout import Roots
    from df2_assets.verification.verify import Verified

_SHOWN = 10


@click.command()
@setting_options("df2_root", "sku_root")
@splits_option
@click.option("--deep", is_flag=True, help="Compare the digests of all crops and exports as well.")
@workers_option
@json_option
def verify(names: tuple[str, ...], deep: bool, workers: int | None, as_json: bool) -> None:
    """Hold what lies on disk against the contract, and make nothing.

    \b
    Example: df2-assets verify --split train --deep

    Looks at every split that was built. A crop that only its digest gives away is marked, so
    that the next build makes it again. Ends with 1 where something is wrong.
    """
    settings = settings_for(names, workers, starts_engine=deep)
    splits = built_splits(settings, named=bool(names))
    found = verify_splits(settings, splits, deep, progress())
    marked = {one.split: mark(settings.roots, one) for one in found}
    well = not any(one.problems for one in found)
    if as_json:
        say_json({"well": well, "splits": [_as_dict(one, marked[one.split]) for one in found]})
    else:
        for one in found:
            _show(one, marked[one.split])
    if not well:
        raise SystemExit(1)


def verify_splits(
    settings: "Settings", splits: tuple[str, ...], deep: bool, progress: "Progress"
) -> "list[Verified]":
    """Compare splits with the contract and the tables; if `deep`, every digest as well."""
    from df2_assets.engines.make import make_engine
    from df2_assets.verification.verify import verify as verify_split

    with closing(make_engine(settings.engine, settings.workers, settings.ray_address)) as engine:
        return [
            verify_split(settings.roots, split, engine if deep else None, progress)
            for split in splits
        ]


def mark(roots: "Roots", found: "Verified") -> list[str]:
    """Mark damaged crops for the next build and return them; where none can be, a note says why."""
    from df2_assets.errors import BusyError
    from df2_assets.pipeline.planning import mark_damaged
    from df2_assets.store.lock import writer

    if not found.damaged:
        return []
    try:
        with writer(roots, found.split, "verify"):
            return mark_damaged(roots, found.split, found.damaged)
    except BusyError as problem:
        found.notes.append(f"Nothing is marked for the next build. {problem}")
    except OSError as problem:
        found.notes.append(f"Nothing can be marked for the next build: {problem.strerror}.")
    return []


def _as_dict(found: "Verified", marked: list[str]) -> dict[str, Any]:
    import msgspec

    problems: list[dict[str, Any]] = msgspec.to_builtins(found.problems)
    return {
        "split": found.split,
        "well": not problems,
        "deep": found.deep,
        "crops": found.crops,
        "problems": problems,
        "marked": marked,
        "notes": found.notes,
    }


def _show(found: "Verified", marked: list[str]) -> None:
    """What is wrong, by kind, each with its first offenders; then what to do about it."""
    from df2_assets.errors import escape_untrusted

    looked = "read back whole" if found.deep else "by size and time"
    problems = found.problems
    if not problems:
        say(f"{found.split}: all is well: {found.crops:,} crops, {looked}.")
    kinds: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        where = problem.path or (escape_untrusted(problem.sku_id) if problem.sku_id else None)
        kinds.setdefault((problem.check, problem.what), []).extend([where] if where else [])
    for (check, what), places in kinds.items():
        say_problem(f"{found.split}: {check}: {escape_untrusted(what, 300)}")
        for place in places[:_SHOWN]:
            say_problem(f"    {place}")
        if len(places) > _SHOWN:
            say_problem(f"    and {len(places) - _SHOWN:,} more: see --json")
    for note in found.notes:
        say(f"{found.split}: note: {note}")
    if marked:
        are = "crop is" if len(marked) == 1 else "crops are"
        say(f"{found.split}: {len(marked):,} damaged {are} marked for the next build.")
    repairs = Counter(problem.repair for problem in problems)
    if repairs["build"]:
        say_problem(
            f"{found.split}: to repair {repairs['build']:,} of {len(problems):,}: "
            f"df2-assets build --split {found.split}"
        )
    if repairs["export"]:
        names = {
            problem.check.partition(":")[0]: None
            for problem in problems
            if problem.repair == "export"
        }
        say_problem(
            f"{found.split}: to repair {repairs['export']:,} of {len(problems):,}: "
            f"df2-assets export {' '.join(names)} --split {found.split}"
        )
    yours = repairs["you"]
    if yours:
        are = "is" if yours == 1 else "are"
        say_problem(f"{found.split}: {yours:,} of {len(problems):,} {are} yours to mend.")

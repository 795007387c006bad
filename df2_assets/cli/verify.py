"""`df2-assets verify`: whether the files on disk are still those that were built."""

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
    from collections.abc import Mapping

    from df2_assets.engines.progress import Progress
    from df2_assets.settings import Settings
    from df2_assets.store.layout import Roots
    from df2_assets.verification.verify import Verified

_SHOWN = 10


@click.command()
@setting_options("df2_root", "sku_root")
@splits_option
@click.option("--deep", is_flag=True, help="Also compare the digests of all crops and exports.")
@workers_option
@json_option
def verify(names: tuple[str, ...], deep: bool, workers: int | None, as_json: bool) -> None:
    """Compare the files on disk with what was built.

    \b
    Example: df2-assets verify --split train --deep

    It verifies every split that is built, and builds nothing. If only the digest of a crop shows
    that it is damaged, the crop is marked, and the next build makes it again. The exit code is 1 if
    there are problems.
    """
    settings = settings_for(names, workers, starts_engine=deep)
    splits = built_splits(settings, named=bool(names))
    results = verify_splits(settings, splits, deep, progress())
    marked = {result.split: mark(settings.roots, result) for result in results}
    ok = all(result.ok for result in results)
    if as_json:
        listed = [_as_dict(result, marked[result.split]) for result in results]
        say_json({"ok": ok, "splits": listed})
    else:
        for result in results:
            _show(result, marked[result.split])
    if not ok:
        raise SystemExit(1)


def verify_splits(
    settings: "Settings", splits: tuple[str, ...], deep: bool, progress: "Progress"
) -> "list[Verified]":
    """Compare splits with the contract and the tables; if `deep`, also every digest."""
    from df2_assets.engines.make import make_engine
    from df2_assets.verification.verify import verify as verify_split

    with closing(make_engine(settings.engine, settings.workers, settings.ray_address)) as engine:
        return [
            verify_split(settings.roots, split, engine if deep else None, progress)
            for split in splits
        ]


def mark(roots: "Roots", verified: "Verified") -> list[str]:
    """Mark damaged crops for the next build and return them; a note says why none can be marked."""
    from df2_assets.errors import BusyError
    from df2_assets.pipeline.planning import mark_damaged
    from df2_assets.store.lock import writer

    if not verified.damaged:
        return []
    try:
        with writer(roots, verified.split, "verify"):
            return mark_damaged(roots, verified.split, verified.damaged)
    except BusyError as problem:
        verified.notes.append(f"Damaged crops are not marked for the next build. {problem}")
    except OSError as problem:
        verified.notes.append(
            f"Damaged crops cannot be marked for the next build: {problem.strerror}."
        )
    return []


def join_exports(repairs: "Mapping[str, int]") -> dict[str, int]:
    """Return commands with their numbers of problems, the exports with equal options as one."""
    groups: dict[tuple[str, str], tuple[list[str], int]] = {}
    for command, count in repairs.items():
        verb, _, rest = command.partition(" ")
        name, _, options = rest.partition(" ") if verb == "export" else ("", "", rest)
        names, total = groups.get((verb, options), ([], 0))
        groups[verb, options] = [*names, name], total + count
    return {
        " ".join(filter(None, (verb, *names, options))): total
        for (verb, options), (names, total) in groups.items()
    }


def _as_dict(verified: "Verified", marked: list[str]) -> dict[str, Any]:
    import msgspec

    return {
        "split": verified.split,
        "ok": verified.ok,
        "deep": verified.deep,
        "crops": verified.crops,
        "problems": msgspec.to_builtins(verified.problems),
        "marked": marked,
        "notes": verified.notes,
        "generated_views": msgspec.to_builtins(verified.generated_views),
    }


def _show(verified: "Verified", marked: list[str]) -> None:
    """Print the problems by kind, with the first places of each, and then what to do."""
    from df2_assets.checks.finding import number_of
    from df2_assets.errors import escape_untrusted

    split, problems = verified.split, verified.problems
    if not problems:
        compared = "every byte" if verified.deep else "size and time"
        say(f"{split}: no problems in {verified.crops:,} crops ({compared} compared).")
    kinds: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        where = problem.path or (escape_untrusted(problem.sku_id) if problem.sku_id else None)
        kinds.setdefault((problem.check, problem.what), []).extend([where] if where else [])
    for (check, what), places in kinds.items():
        say_problem(f"{split}: {check}: {escape_untrusted(what, 300)}")
        for place in places[:_SHOWN]:
            say_problem(f"    {place}")
        if len(places) > _SHOWN:
            say_problem(f"    and {len(places) - _SHOWN:,} more: see --json")
    for note in verified.notes:
        say(f"{split}: note: {note}")
    if marked:
        are = "crop is" if len(marked) == 1 else "crops are"
        say(f"{split}: {len(marked):,} damaged {are} marked for the next build.")
    repairs = Counter(problem.repair for problem in problems)
    of_all = f"of {number_of(len(problems), 'problem')}"
    by_a_person = repairs.pop("you", 0)
    for command, count in join_exports(repairs).items():
        say_problem(f"{split}: to repair {count:,} {of_all}: df2-assets {command} --split {split}")
    if by_a_person:
        say_problem(f"{split}: only you can repair {by_a_person:,} {of_all}.")

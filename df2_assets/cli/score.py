"""`df2-assets score`: does the platform find all that is wrong, and nothing else?"""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from df2_assets.cli.options import json_option, say, say_json, say_table, workers_option

if TYPE_CHECKING:
    import pandas as pd

    from df2_assets.sample.score import Score
    from df2_assets.store.layout import Roots

_SHOWN = 5
_BESIDE = ("SKU", "dagster")


@click.command()
@click.argument("out", type=click.Path(path_type=Path, exists=True, file_okay=False))
@workers_option
@json_option
def score(out: Path, workers: int | None, as_json: bool) -> None:
    """Build the sample with planted defects at OUT, and score every reason and check.

    The result goes beside it, into OUT_SKU, and the history of the runs into OUT_dagster: pages of
    the UI show other data sets. Ends with 1 where something planted was not found, or something was
    named that is not wrong.

    \b
    Example: df2-assets sample faulty --defects && df2-assets score faulty
    """
    from df2_assets.dataset.taxonomy import SPLITS
    from df2_assets.sample.answer_key import read_answer_key
    from df2_assets.settings import read_settings

    key = read_answer_key(out)
    result, home = (out.absolute().with_name(f"{out.absolute().name}_{end}") for end in _BESIDE)
    os.environ["DAGSTER_HOME"] = str(home)
    settings = dataclasses.replace(
        read_settings(),
        df2_root=out.absolute(),
        sku_root=str(result),
        splits=SPLITS,
        max_refused=1.0,
        workers=workers,
    )
    from df2_assets.cli.runs import run_all

    outcomes = run_all(settings)
    outcomes += run_all(settings, "refresh_reports")
    problems = [problem for one in outcomes for problem in one.failed + one.problems]
    if problems:
        raise click.ClickException("\n".join(problems))
    built = list(dict.fromkeys(outcome.split for outcome in outcomes))

    import pandas as pd

    from df2_assets.checks.registry import CHECKS
    from df2_assets.sample.score import read_offenders, score_checks, score_reasons
    from df2_assets.store import tables

    roots = settings.roots
    parts = [tables.frame(tables.read(roots, "refusals", split)) for split in built]
    offenders = {
        f"{check.asset}/{check.name}": read_offenders(roots, check.asset, check.name, built)
        for check in CHECKS
    }
    refused = pd.concat(parts, ignore_index=True)
    reasons = score_reasons(key, refused)
    checks = score_checks(key, offenders, built)
    is_perfect = all(one.is_perfect for one in reasons + checks)
    if as_json:
        scores = {"reasons": reasons, "checks": checks}
        listed = {of: [dataclasses.asdict(one) for one in found] for of, found in scores.items()}
        say_json({"perfect": is_perfect, **listed})
    else:
        _show("reason", reasons)
        say("")
        _show("check", checks)
        say("")
        _show_refusals(refused, roots)
        say("")
        say("All found, none invented." if is_perfect else "Not all found, or some invented.")
    if not is_perfect:
        raise SystemExit(1)


def _show_refusals(refused: "pd.DataFrame", roots: "Roots") -> None:
    """What was refused and why: the first of each reason, and where all of it can be read."""
    import pandas as pd

    from df2_assets.cli.instance import with_places

    say(f"{len(refused)} files and items were refused. The first of each reason:")
    where = ""
    for row in refused.drop_duplicates("reason").sort_values("reason").to_dict("records"):
        item = "" if pd.isna(row["item_idx"]) else f" --item {row['item_idx']}"
        where = f"{row['split']} {row['image_id']}{item}"
        say(f"  {row['reason']:<17} {where:<28} {row['detail']}")
    say(f"All of them: {roots.tables('refusals')}")
    say("To follow one through:")
    say(f"  {with_places(f'df2-assets explain {where}', roots)}")
    say("To see the runs and checks in the UI:")
    say(f"  {with_places('df2-assets ui', roots)}")


def _show(of: str, scores: "list[Score]") -> None:
    say_table(
        {
            of: one.what,
            "planted": one.planted,
            "found": one.found,
            "recall": f"{one.found / one.planted:.0%}" if one.planted else "-",
            "invented": len(one.invented),
        }
        for one in scores
    )
    for one in scores:
        for name, places in (("missed", one.missed), ("invented", one.invented)):
            for split, where, item in places[:_SHOWN]:
                item_option = "" if item is None else f" --item {item}"
                say(f"  {one.what} {name}: {split} {where}{item_option}")

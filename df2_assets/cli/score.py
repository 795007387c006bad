"""`df2-assets score`: whether all planted defects are found, and nothing else."""

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
    """Build a sample with planted defects and score the checks.

    OUT is the folder of a sample that was drawn with --defects. Each reason and check gets its
    score. The result is written to OUT_SKU,
    and the history of the runs to OUT_dagster, apart from the runs of other data sets. The exit
    code is 1 if a planted defect was missed, or something was reported that is no defect.

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
    problems = [problem for run in outcomes for problem in run.failed + run.problems]
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
        listed = {name: [*map(dataclasses.asdict, group)] for name, group in scores.items()}
        say_json({"perfect": is_perfect, **listed})
    else:
        _show("reason", reasons)
        say("")
        _show("check", checks)
        say("")
        _show_refusals(refused, roots)
        say("")
        verdict = "All found, no false alarms."
        say(verdict if is_perfect else "Some were missed, or were false alarms.")
    if not is_perfect:
        raise SystemExit(1)


def _show_refusals(refused: "pd.DataFrame", roots: "Roots") -> None:
    """Print the first refusal of each reason, and how to see all of them."""
    import pandas as pd

    from df2_assets.cli.instance import with_places

    say(f"{len(refused)} files and items were refused. The first of each reason:")
    where = ""
    for row in refused.drop_duplicates("reason").sort_values("reason").to_dict("records"):
        item = "" if pd.isna(row["item_idx"]) else f" --item {row['item_idx']}"
        where = f"{row['split']} {row['image_id']}{item}"
        say(f"  {row['reason']:<17} {where:<28} {row['detail']}")
    say(f"All of them: {roots.tables('refusals')}")
    say("To see why one was refused:")
    say(f"  {with_places(f'df2-assets explain {where}', roots)}")
    say("To see the runs and checks in the UI:")
    say(f"  {with_places('df2-assets ui', roots)}")


def _show(kind: str, scores: "list[Score]") -> None:
    say_table(
        {
            kind: score.what,
            "planted": score.planted,
            "reported": score.reported,
            "recall": f"{score.reported / score.planted:.0%}" if score.planted else "-",
            "false alarms": len(score.invented),
        }
        for score in scores
    )
    for score in scores:
        for name, places in (("missed", score.missed), ("false alarm", score.invented)):
            for split, where, item in places[:_SHOWN]:
                item_option = "" if item is None else f" --item {item}"
                say(f"  {score.what} {name}: {split} {where}{item_option}")

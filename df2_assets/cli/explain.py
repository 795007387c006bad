"""`df2-assets explain`: why is this in the data set, or not?"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from df2_assets.cli.options import json_option, say, say_json, settings_for
from df2_assets.errors import Df2Error, SettingsError

if TYPE_CHECKING:
    from df2_assets.explain.explain import Answer, Runs
    from df2_assets.explain.steps import Fate, Step
    from df2_assets.store.layout import Roots

_IN, _OUT, _UNKNOWN = 0, 1, 2


class _Error(click.ClickException):
    """1 would say that something is not in the data set."""

    exit_code = _UNKNOWN


class _Explain(click.Command):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Df2Error as error:
            if ctx.find_root().params["debug"]:
                raise
            raise _Error(str(error)) from error


@click.command(cls=_Explain)
@click.argument("what", nargs=-1, required=True)
@click.option("--item", type=click.IntRange(0), help="N of itemN, for SPLIT IMAGE_ID.")
@click.option("--split", help="For SKU_ID: of this split only; an id names one SKU a split.")
@json_option
def explain(what: tuple[str, ...], item: int | None, split: str | None, as_json: bool) -> None:
    """Say step by step why WHAT is in the data set, or is not.

    WHAT is SPLIT IMAGE_ID, or a SKU_ID, or the path of a crop.

    \b
    Example: df2-assets explain train 000002 --item 1
             df2-assets explain 000001_01_01 --split train
             df2-assets explain train/catalog/000001_01_01/000002_item1.jpg

    Ends with 0 for what is in the data set, 1 for what is not, 2 for what is unknown.
    """
    from df2_assets.dataset.skus import SKU_ID

    settings = settings_for((split,) if split else ())
    roots = settings.roots
    if len(what) == 1 and SKU_ID.fullmatch(what[0]) and item is None:
        answers = _of_sku(roots, settings.splits, what[0])
    elif len(what) == 1 and "/" in what[0] and item is None and split is None:
        answers = [_of_crop(roots, what[0])]
    elif len(what) == 2 and split is None:
        answers = _of_image(roots, *what, item)
    else:
        raise click.UsageError("Give SPLIT IMAGE_ID, or a SKU_ID, or the path of a crop.")
    fate = _fate(answers)
    if as_json:
        say_json(_as_dict(" ".join(what), fate, answers))
    else:
        for answer in answers:
            _show(answer)
        for note in dict.fromkeys(note for answer in answers for note in answer.notes):
            say(f"note: {note}")
    sys.exit({"in": _IN, "unknown": _UNKNOWN}.get(fate, _OUT))


def _of_image(roots: "Roots", split: str, image_id: str, item: int | None) -> "list[Answer]":
    from df2_assets.explain.explain import explain_image
    from df2_assets.settings import parse_splits

    parse_splits([split])
    if not (image_id.isascii() and image_id.isdigit() and len(image_id) <= 6):
        raise click.UsageError(f"An image id is up to six digits, such as 000001: not {image_id}.")
    return explain_image(roots, split, image_id.zfill(6), item, _runs(roots, split))


def _of_sku(roots: "Roots", splits: tuple[str, ...], sku_id: str) -> "list[Answer]":
    """An answer for each split that has the SKU; for each that was looked into where none has."""
    from df2_assets.explain.explain import explain_sku

    answers = [explain_sku(roots, split, sku_id, _runs(roots, split)) for split in splits]
    return [answer for answer in answers if answer.fate != "unknown"] or answers


def _of_crop(roots: "Roots", given: str) -> "Answer":
    """The path is relative to SKU_ROOT and starts with a split, or leads into it from here."""
    from df2_assets.dataset.taxonomy import SPLITS
    from df2_assets.explain.explain import explain_crop
    from df2_assets.store.location import is_url, locate

    path = locate(given) if is_url(given) else Path(given)
    here, top = _absolute(path), _absolute(roots.sku_root)
    if path.parts[0] not in SPLITS and here.is_relative_to(top):
        path = here.relative_to(top)
    split = path.as_posix().partition("/")[0]
    return explain_crop(roots, path.as_posix(), _runs(roots, split) if split in SPLITS else {})


def _absolute(path: Path) -> Path:
    from df2_assets.store.location import is_url

    return path if is_url(str(path)) else Path(os.path.abspath(path))


def _runs(roots: "Roots", split: str) -> "Runs":
    """The runs that made what there is of a split, as far as the instance knows."""
    from df2_assets.cli.instance import made_by, open_instance

    try:
        with open_instance() as instance:
            return made_by(instance, roots, split)
    except SettingsError as problem:
        click.echo(f"note: no runs are named. {problem}", err=True)
        return {}


def _fate(answers: "list[Answer]") -> "Fate":
    """The fate that speaks for all: something of what was asked for is in the data set, or not."""
    from df2_assets.explain.explain import BEST

    return min((answer.fate for answer in answers), key=BEST.index)


def _as_dict(asked: str, fate: str, answers: "list[Answer]") -> dict[str, Any]:
    import msgspec

    told: list[dict[str, Any]] = msgspec.to_builtins(answers)
    steps = told[0]["steps"] if len(told) == 1 else []
    return {"asked": asked, "fate": fate, "steps": steps, "answers": told}


def _show(answer: "Answer") -> None:
    if answer.image_id:
        item = "" if answer.item_idx is None else f" item {answer.item_idx}"
        subject = f"{answer.split} {answer.image_id}{item}"
    else:
        subject = f"{answer.split} {answer.sku_id}" if answer.sku_id else f"{answer.crop_path}"
    verdict = {"in": "in the data set", "unknown": "unknown"}.get(
        answer.fate, f"not in the data set: {answer.fate}"
    )
    told = any(step.said == answer.why for step in answer.steps)
    say(f"{subject} is {verdict}." if told else f"{subject} is {verdict}: {answer.why}.")
    made: dict[str, list[Step]] = {}
    for step in answer.steps:
        for stage, said in ((step.stage, step.said), *(("", line) for line in step.also)):
            say(f"  {stage:<22}{said}")
        if step.run:
            made.setdefault(step.run.run_id, []).append(step)
    for run_id, steps in made.items():
        at = max(step.run.at for step in steps if step.run)
        say(f"  run {run_id} of {at} made {', '.join(step.stage for step in steps)}")
    for one in answer.items:
        why = one.crop_path if one.fate == "in" else one.why
        say(f"  {one.domain:<8}{one.image_id} item {one.item_idx}: {one.fate}, {why}")

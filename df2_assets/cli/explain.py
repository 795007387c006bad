"""`df2-assets explain`: why something is or is not in the data set."""

import sys
from typing import TYPE_CHECKING

import click

from df2_assets.cli.errors import short_errors
from df2_assets.cli.options import (
    WholeNumber,
    json_option,
    say,
    say_json,
    setting_options,
    settings_for,
)

if TYPE_CHECKING:
    from df2_assets.explanation.explain import Answer, Run, Step
    from df2_assets.settings import Settings
    from df2_assets.store.layout import Roots

_IN, _OUT, _UNKNOWN = 0, 1, 2


class _Error(click.ClickException):
    exit_code = _UNKNOWN  # 1 means that something is not in the data set


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option(
    "--item",
    type=WholeNumber(0),
    metavar="NUMBER",
    help="Only this item (N of itemN); with SPLIT IMAGE_ID or the path of an image.",
)
@click.option(
    "--split", metavar="SPLIT", help="Only this split; with SKU_ID, which each split can have."
)
@setting_options("df2_root", "sku_root")
@json_option
def explain(what: tuple[str, ...], item: int | None, split: str | None, as_json: bool) -> None:
    """Explain step by step why WHAT is or is not in the data set.

    WHAT is SPLIT IMAGE_ID, or a SKU_ID or SPLIT/SKU_ID, or the path of a crop, an image, an
    annotation or the folder of a SKU. A path is absolute, or relative to SKU_ROOT, DF2_ROOT or the
    current folder. The same SKU_ID in two splits names two garments.

    \b
    Example: df2-assets explain train 000002 --item 1
             df2-assets explain 000001_01_01
             df2-assets explain validation/000001_01_01
             df2-assets explain train/catalog/000001_01_01/000002_item1.jpg
             df2-assets explain train/image/000002.jpg

    The exit code is 0 if it is in the data set, 1 if it is not, and 2 if it is unknown.
    """
    import msgspec

    from df2_assets.explanation.explain import BEST

    with short_errors(click.get_current_context(), ending=_Error):
        answers = find_answers(settings_for((split,) if split else ()), what, item, split)
    fate = min((answer.fate for answer in answers), key=BEST.index)
    if as_json:
        documents = msgspec.to_builtins(answers)
        steps = documents[0]["steps"] if len(documents) == 1 else []
        say_json({"asked": " ".join(what), "fate": fate, "steps": steps, "answers": documents})
    else:
        for answer in answers:
            _show(answer)
        for note in dict.fromkeys(note for answer in answers for note in answer.notes):
            say(f"note: {note}")
    sys.exit({"in": _IN, "unknown": _UNKNOWN}.get(fate, _OUT))


def find_answers(
    settings: "Settings", what: tuple[str, ...], item: int | None, split: str | None
) -> "list[Answer]":
    """Return the answers; for a SKU one per split that has it, or one per split if none has it.

    Raises click.UsageError if `what` is nothing that can be explained.
    """
    from df2_assets.dataset.skus import SKU_ID
    from df2_assets.explanation.explain import (
        explain_image,
        explain_place,
        explain_sku_id,
        find_place,
    )
    from df2_assets.settings import parse_splits

    roots = settings.roots
    match what:
        case [sku_id] if SKU_ID.fullmatch(sku_id) and item is None:
            return explain_sku_id(roots, sku_id, {s: _runs(roots, s) for s in settings.splits})
        case [path] if ("/" in path or path.endswith((".jpg", ".json"))) and split is None:
            place = find_place(roots, path)
            if item is None or place.image_id:
                return explain_place(roots, place, item, _runs(roots, place.split))
        case [of, image_id] if split is None:
            parse_splits([of])
            if not (image_id.isascii() and image_id.isdigit() and len(image_id) <= 6):
                raise click.UsageError(
                    f"An image id has up to six digits, such as 000001: not {image_id!r}"
                )
            return explain_image(roots, of, image_id.zfill(6), item, _runs(roots, of))
    raise click.UsageError(
        "Give SPLIT IMAGE_ID, or a SKU_ID or SPLIT/SKU_ID, or the path of a crop, an image or an "
        "annotation."
    )


def _runs(roots: "Roots", split: str) -> "dict[str, Run]":
    """Return the last run of each asset, by asset."""
    from df2_assets.explanation.explain import STAGES, Run
    from df2_assets.store import runs

    last = {asset: runs.load(roots, asset, split) for asset in STAGES}
    return {asset: Run(run.run_id, run.at) for asset, run in last.items() if run is not None}


def _show(answer: "Answer") -> None:
    if answer.image_id:
        of_item = "" if answer.item_idx is None else f" item {answer.item_idx}"
        subject = f"{answer.split} {answer.image_id}{of_item}"
    else:
        subject = answer.sku_uid or f"{answer.crop_path}"
    verdict = {"in": "in the data set", "unknown": "unknown"}.get(
        answer.fate, f"not in the data set: {answer.fate}"
    )
    is_last_step = any(step.text == answer.why for step in answer.steps)
    say(f"{subject} is {verdict}{'.' if is_last_step else f': {answer.why}'}")
    by_run: dict[str, list[Step]] = {}
    for step in answer.steps:
        for stage, text in ((step.stage, step.text), *(("", line) for line in step.more)):
            say(f"  {stage:<22}{text}")
        if step.run:
            by_run.setdefault(step.run.run_id, []).append(step)
    for run_id, steps in by_run.items():
        at = max(step.run.at for step in steps if step.run)
        say(f"  run {run_id} at {at} built {', '.join(step.stage for step in steps)}")
    for item in answer.items:
        why = item.crop_path if item.fate == "in" else item.why
        say(f"  {item.domain:<8}{item.image_id} item {item.item_idx}: {item.fate}, {why}")

"""The checks of the texts that people add to the JSONL: texts that name a SKU, and captions.

Texts that follow from a crop are compared with it by `checks.image_text`.
"""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.checks.finding import Finding, crop_rows, number_of
from df2_assets.checks.image_text import PromptCounts
from df2_assets.dataset.captions import CURRENT, STALE, match_captions
from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.prompts import Texts
from df2_assets.dataset.skus import SKU_ID
from df2_assets.errors import CaptionsError, Df2Error, MissingTableError
from df2_assets.settings import read_captions
from df2_assets.store import declaration, tables
from df2_assets.store.layout import Roots

_TOKEN: Final = re.compile(r"\(style ([^,()]*), SKU ([^()]*)\)")
"""Style and SKU in a text, as `dataset.prompts.SkuToken` writes them."""

_ROWS: Final = 10_000
"""How many lines are Python objects at the same time."""


class _WrongText(NamedTuple):
    """A text that names a SKU wrongly: its crop, its key and what is wrong."""

    crop_path: str
    key: str
    what: str


def sku_tokens(
    roots: Roots, split: str, prompt_counts: PromptCounts | None, texts: Texts
) -> Finding:
    """Check that no text outside train names a SKU, and that in train each names its own.

    A text that names its SKU is a label: in an evaluation it would give the answer away. Texts
    under all keys are searched for ids of SKUs and for `(style …, SKU …)`. The counts of
    `count_prompts` are enough where there are only the contract's prompts and none names a SKU.
    """
    keys = ("text", *texts.keys)
    lines, tokens = sum(prompt_counts.values()) if prompt_counts else 0, 0
    wrong: list[_WrongText] = []
    is_clean = prompt_counts is not None and not any(
        _named_skus(text) for *_, text in prompt_counts
    )
    if len(keys) > 1 or not is_clean:
        lines = 0
        for line in _read_lines(roots, split):
            lines += 1
            for key in keys:
                if named := _named_skus(line.get(key)):
                    tokens += 1
                    if what := _describe_token(split, line, named):
                        wrong.append(_WrongText(str(line.get("image_path")), key, f"{key} {what}"))
    summary = "No text names a SKU."
    if tokens:
        summary = f"{number_of(tokens, 'text')} in {number_of(lines, 'line')} name a SKU; "
        summary += f"{len(wrong):,} must not. " if wrong else "each names its own."
    if wrong:
        summary += f"Rerun image_text for {split}; if a caption names a SKU, change the caption."
    offenders = crop_rows(text.crop_path for text in wrong).assign(
        key=pd.Series([text.key for text in wrong], dtype=TEXT),
        what=pd.Series([text.what for text in wrong], dtype=TEXT),
    )
    numbers: dict[str, int | float] = {"tokens": tokens, "wrong_tokens": len(wrong)}
    return Finding(not wrong, "error", lines, summary, offenders, numbers)


def _read_lines(roots: Roots, split: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of the JSONL; `matches_metadata` names lines that are none."""
    try:
        with roots.image_text(split).open("rb") as file:
            for data in file:
                try:
                    line = msgspec.json.decode(data)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if isinstance(line, dict):
                    yield line
    except FileNotFoundError:
        return


def _named_skus(text: object) -> list[tuple[str, str]]:
    """Return the id of each SKU that a text names, with the style beside it, or an empty one."""
    if not isinstance(text, str):
        return []
    tokens = [(sku, style) for style, sku in _TOKEN.findall(text)]
    return tokens + [(sku, "") for sku in SKU_ID.findall(_TOKEN.sub("", text))]


def _describe_token(split: str, line: dict[str, Any], named: list[tuple[str, str]]) -> str | None:
    """Return what is wrong with a text that names SKUs, or None."""
    if split != "train":
        return "names a SKU outside train"
    if any(sku != line.get("sku_id") for sku, _ in named):
        return "names another SKU"
    if any(style not in ("", str(line.get("style"))) for _, style in named):
        return "names another style"
    return None


def caption_coverage(
    roots: Roots, split: str, prompt_counts: PromptCounts | None, texts: Texts
) -> Finding:
    """Check that every crop has a current caption in the file of captions, and the line has it.

    A stale caption was refused, and a crop without a current one has the contract's prompt; both
    are warnings. A line with any other text is an error. Where the file cannot be read any more, or
    is not the one that the split was built with, that is the warning.
    """
    captions = texts.captions
    if captions is None:
        lines = sum(prompt_counts.values()) if prompt_counts else 0
        return Finding(True, "warn", lines, "There are no captions from a file.")
    try:
        file = declaration.load(roots).captions_file
        if file is None:
            raise CaptionsError("No record says which file they are from.")
        now, table = read_captions(Path(file), split)
        if now != captions:
            raise CaptionsError(f"{file} is not the file that image_text was built with.")
        manifest = tables.read(roots, "crops", split)
        lines_on_disk = _read_texts(roots, split, captions.keys)
    except Df2Error as problem:
        return Finding(False, "warn", 0, f"The captions were not compared: {problem}")
    return _compare_captions(split, lines_on_disk, table, manifest)


def _read_texts(roots: Roots, split: str, keys: tuple[str, ...]) -> pa.Table:
    """Return `image_path`, `text` and the texts under `keys` of each line of the JSONL.

    Raises MissingTableError where the file is missing or damaged.
    """
    names = ("image_path", "text", *keys)
    path = roots.image_text(split)
    decode = msgspec.json.Decoder(msgspec.defstruct("Line", [(name, str) for name in names])).decode
    schema = pa.schema([(name, pa.string()) for name in names])
    parts = [schema.empty_table()]
    try:
        with path.open("rb") as file:
            while lines := [msgspec.structs.asdict(decode(data)) for data in islice(file, _ROWS)]:
                parts.append(pa.Table.from_pylist(lines, schema))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
        raise MissingTableError(
            f"{path} cannot be read ({why}): materialize image_text for {split}."
        ) from error
    return pa.concat_tables(parts)


def _compare_captions(
    split: str, lines: pa.Table, captions: pa.Table, manifest: pa.Table
) -> Finding:
    """Return the finding on the texts of lines, compared with the captions of a file."""
    paths = lines["image_path"]
    expected, states = match_captions(captions, paths, manifest)
    texts = {key: pc.coalesce(expected[key], lines["text"]) for key in expected.column_names}
    by_problem = {
        **{
            f"{key} is not what the file of captions has": paths.filter(
                pc.not_equal(lines[key], text)
            )
            for key, text in texts.items()
        },
        "the caption is of other bytes": paths.filter(pc.equal(states, STALE)),
        "no caption": paths.filter(pc.is_null(states)),
        "a caption without a crop": captions["crop_path"].filter(
            pc.invert(pc.is_in(captions["crop_path"], value_set=paths.combine_chunks()))
        ),
    }
    problems = [(path, what) for what, of in by_problem.items() for path in of.to_pylist()]
    *of_keys, stale, missing, foreign = map(len, by_problem.values())
    current = pc.sum(pc.equal(states, CURRENT)).as_py() or 0
    share = 100 * current / len(paths) if len(paths) else 100.0
    crops = number_of(len(paths), "crop")
    summary = f"{current:,} of {crops} have a current caption ({share:.1f} %)"
    if stale:
        summary += f"; {number_of(stale, 'caption')} refused, written for other bytes of the crop"
    if foreign:
        summary += f"; {number_of(foreign, 'caption')} without a crop"
    wrong = sum(of_keys)
    if wrong:
        summary += f"; {number_of(wrong, 'wrong text')}. Rerun image_text for {split}"
    offenders = crop_rows(path for path, _ in problems).assign(
        what=pd.Series([what for _, what in problems], dtype=TEXT)
    )
    numbers = {
        "captioned": current,
        "caption_coverage": round(share, 1),
        "stale_captions": stale,
        "without_caption": missing,
        "captions_without_crop": foreign,
        "wrong_captions": wrong,
    }
    return Finding(
        not problems,
        "error" if wrong else "warn",
        len(paths),
        f"{summary}.",
        offenders,
        numbers,
    )

"""The checks of `{split}_image_text.jsonl`: lines match the metadata, prompts match the labels.

`count_prompts` reads both contract files once and compares bytes. Only if something differs, the
files are read again, line by line, to name the offenders.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, product, zip_longest
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import pandas as pd

from df2_assets.checks.finding import CROP, Finding, crop_rows, number_of
from df2_assets.dataset.colours import PALETTE
from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.metadata import Crop, ImageText, Sku
from df2_assets.dataset.prompts import NO_TEXTS, Subject, Texts
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, OCCLUSIONS, RELEASED, VIEWPOINTS
from df2_assets.errors import MissingTableError
from df2_assets.store import tables
from df2_assets.store.contract_files import read_image_text, read_metadata, read_skus
from df2_assets.store.layout import Roots

COMBINATIONS: Final = "crops by combination"
"""The name of the table of all 234 combinations."""

_PROMPT: Final = re.compile(
    r"A (?P<photo>catalog product|user) photo of a (?P<person>person wearing a )?"
    r"(?P<occlusion>(?:partially|heavily) occluded )?(?P<category>.+?)"
    r" (?P<view>that is not being worn|from the front|from the side or back)\."
)
_LABELS: Final = ("category_id", "category_name", "domain", "occlusion", "viewpoint")
_LABELS_AND_TEXT: Final = attrgetter(*_LABELS, "text")
_DOMAIN_BY_PHOTO: Final = {"catalog product": "catalog", "user": "query"}
_OCCLUSION_BY_WORDS: Final = {None: 1, "partially occluded ": 2, "heavily occluded ": 3}
_VIEWPOINT_BY_WORDS: Final = {
    "that is not being worn": 1,
    "from the front": 2,
    "from the side or back": 3,
}

_encode: Final = msgspec.json.Encoder().encode
_decode_texts: Final = msgspec.json.Decoder(dict[str, str]).decode

_NO_COLOURS: Final[dict[str, str | None]] = {}
_Line = dict[str, Any]

Colours = Mapping[str, str | None]
"""The colour of a crop by its path."""

PromptCounts = Mapping[tuple[int, str, str, int, int, str], int]
"""How many crops have each combination of `_LABELS` and the contract's prompt."""


class _Start(NamedTuple):
    """A line of the JSONL up to its texts, and what the texts depend on."""

    data: bytes
    category_id: int
    crop: Subject


def count_prompts(roots: Roots, split: str, texts: Texts = NO_TEXTS) -> PromptCounts | None:
    """Compare the JSONL with the metadata, and count its prompts by the labels of their crops.

    Each line must be, byte for byte, the entry of its crop in the metadata, followed by a prompt
    and the further `texts` of the split. Texts that follow from the crop are compared; captions are
    not. Return None if a line differs, or if a file is missing or damaged. Only one SKU and one
    line are in memory at a time.
    """
    keys = ["text", *texts.keys]
    has_further = len(keys) > 1
    ends: Counter[tuple[int, tuple[str, str, int, int], bytes]] = Counter()
    counts: Counter[tuple[int, str, str, int, int, str]] = Counter()
    try:
        with roots.image_text(split).open("rb") as lines:
            starts = _starts(split, read_skus(roots, split), _read_colours(roots, split, texts))
            for line, start in zip_longest(lines, starts):
                if line is None or start is None or not line.startswith(start.data):
                    return None
                end = line[len(start.data) :]
                if has_further:
                    values = _texts(end)
                    if [*values] != keys or next(_wrong_texts(start.crop, values, texts), None):
                        return None
                    end = _encode(values["text"]) + b"}"
                crop = start.crop
                labels = crop.domain, crop.category_name, crop.occlusion, crop.viewpoint
                ends[start.category_id, labels, end] += 1
        for (category_id, (domain, name, occlusion, viewpoint), end), crops in ends.items():
            values = _texts(end)
            if [*values] != ["text"]:
                return None
            counts[category_id, name, domain, occlusion, viewpoint, values["text"]] += crops
    except (OSError, MissingTableError, msgspec.DecodeError):
        return None
    return counts


def _starts(split: str, skus: Iterable[tuple[str, Sku]], colours: Colours) -> Iterator[_Start]:
    """Yield the start of the line of each crop; the metadata has its fields in the same order."""
    for sku_id, sku in skus:
        for domain, crops in (("catalog", sku.catalog), ("query", sku.query)):
            of_sku = _encode(_sku_fields(split, sku_id, sku, domain)).removesuffix(b"}")
            of_sku += b',"image_path":'
            for crop in crops:
                of_crop = _encode(crop).removeprefix(b'{"crop_path":').removesuffix(b"}")
                data = of_sku + of_crop + b',"text":'
                subject = Subject(
                    crop.crop_path,
                    sku_id,
                    sku.style,
                    domain,
                    sku.category_name,
                    crop.occlusion,
                    crop.viewpoint,
                    colours.get(crop.crop_path),
                )
                yield _Start(data, sku.category_id, subject)


def _read_colours(roots: Roots, split: str, texts: Texts) -> Colours:
    """Return the word of each crop, if a text needs it. Raises MissingTableError."""
    if not texts.use_colour:
        return {}
    table = tables.read_colours(roots, split)
    return dict(zip(*(table[name].to_pylist() for name in ("crop_path", "colour")), strict=True))


def _texts(end: bytes) -> dict[str, str]:
    """Return the texts at the end of a line, by key. Raises DecodeError."""
    return _decode_texts(b'{"text":' + end)


def _wrong_texts(crop: Subject, values: Mapping[str, str], texts: Texts) -> Iterator[str]:
    """Yield the keys of further texts that are not what follows from their crop."""
    return (rule.key for rule in texts.rules if values.get(rule.key) != rule.prompt(crop))


class _Crop(NamedTuple):
    """A crop of the metadata, and its place there."""

    place: int
    sku_id: str
    sku: Sku
    domain: str
    crop: Crop


def matches_metadata(
    roots: Roots, split: str, prompt_counts: PromptCounts | None, texts: Texts
) -> Finding:
    """Check that the JSONL has one line per crop of the metadata, in the same order.

    After `text` come the texts that the split was built with, and nothing else.
    If `count_prompts` returned counts, the lines match, and the files are not read again.
    """
    if prompt_counts is not None:
        total = sum(prompt_counts.values())
        return _matched(split, total, total, [])
    keys = ["text", *texts.keys]
    try:
        crops = {c.crop.crop_path: c for c in _crops(read_metadata(roots, split).skus.items())}
        lines = roots.image_text(split).read_bytes().splitlines()
    except MissingTableError as error:
        return Finding(False, "error", 0, str(error))
    except OSError as error:
        summary = f"{roots.image_text(split)}: {os.strerror(error.errno or 0)}."
        return Finding(False, "error", 0, f"{summary} Materialize image_text for {split}.")
    last = -1
    seen: set[int] = set()
    problems: list[tuple[int | None, _Line, str]] = []
    for number, data in enumerate(lines, 1):
        line = _decoded(data)
        if line is None:
            problems.append((number, {}, "not a JSON object"))
            continue
        path = line.get("image_path")
        crop = crops.get(path) if isinstance(path, str) else None
        if crop is None:
            problems.append((number, line, "the metadata has no such crop"))
            continue
        entry = _entry(split, crop)
        if crop.place in seen:
            problems.append((number, entry, "a second line of the crop"))
            continue
        seen.add(crop.place)
        what = _difference(line, entry, keys)
        if what:
            problems.append((number, entry, what))
        if crop.place < last:
            problems.append((number, entry, "out of order"))
        last = max(last, crop.place)
    problems += (
        (None, _entry(split, crop), "the crop has no line")
        for crop in crops.values()
        if crop.place not in seen
    )
    return _matched(split, len(lines), len(crops), problems)


def _matched(
    split: str, lines: int, crops: int, problems: list[tuple[int | None, _Line, str]]
) -> Finding:
    """Return the finding on a JSONL with `lines` and metadata with `crops`.

    A problem consists of the number of a line, its entry, and what is wrong.
    """
    rows = crop_rows(str(entry.get("image_path", "")) for _, entry, _ in problems)
    offenders = rows.assign(
        split=split,
        line=pd.array([number for number, _, _ in problems], "Int64"),
        what=pd.Series([what for _, _, what in problems], dtype=TEXT),
    )
    summary = f"{number_of(lines, 'line')}, {number_of(crops, 'crop')} in the metadata"
    if problems:
        summary += f"; {number_of(len(problems), 'problem')}. Rerun image_text for {split}."
    else:
        summary += ": one to one."
    numbers: dict[str, int | float] = {"lines": lines, "crops": crops}
    return Finding(not problems, "error", lines, summary, offenders, numbers)


def _crops(skus: Iterable[tuple[str, Sku]]) -> Iterator[_Crop]:
    """Yield the crops of SKUs in the order of the contract."""
    places = count()
    for sku_id, sku in skus:
        for domain, crops in (("catalog", sku.catalog), ("query", sku.query)):
            for crop in crops:
                yield _Crop(next(places), sku_id, sku, domain, crop)


def _entry(split: str, crop: _Crop) -> _Line:
    """Return the line that a crop of the metadata should have, without the texts."""
    _, sku_id, sku, domain, listed = crop
    return {
        **_sku_fields(split, sku_id, sku, domain),
        "image_path": listed.crop_path,
        "orig_image_path": listed.orig_image_path,
        "image_id": listed.image_id,
        "item_idx": listed.item_idx,
        "bbox": list(listed.bbox),
        "occlusion": listed.occlusion,
        "viewpoint": listed.viewpoint,
    }


def _sku_fields(split: str, sku_id: str, sku: Sku, domain: str) -> _Line:
    """Return the fields that a line has from the SKU of its crop."""
    return {
        "split": split,
        "sku_id": sku_id,
        "pair_id": sku.pair_id,
        "style": sku.style,
        "category_id": sku.category_id,
        "category_name": sku.category_name,
        "domain": domain,
    }


def _decoded(data: bytes) -> _Line | None:
    try:
        line = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return None
    return line if isinstance(line, dict) else None


def _difference(line: _Line, entry: _Line, texts: list[str]) -> str | None:
    """Return how a line differs from the entry that it should have, or None."""
    keys = list(line)
    for text in texts:
        if not isinstance(line.pop(text, None), str):
            return f"{text} is missing"
    if line != entry:
        names = [name for name in entry | line if line.get(name, line) != entry.get(name, entry)]
        return f"differs in {', '.join(names)}"
    return None if keys == [*entry, *texts] else "keys in another order"


def prompt_coverage(
    roots: Roots, split: str, prompt_counts: PromptCounts | None, texts: Texts
) -> Finding:
    """Check the prompts of the JSONL; it is an error if the file is missing or damaged.

    The counts of `count_prompts` are enough as long as every prompt in them is right.
    """
    try:
        is_full = _is_full(roots, split)
        colours = _read_colours(roots, split, texts)
        if prompt_counts is None or any(_wrong_prompt(*key) for key in prompt_counts):
            records = read_image_text(roots, split)
            return coverage(split, records, texts, colours, is_full=is_full)
        return _covered(split, prompt_counts, [], len(texts.keys), colours, is_full=is_full)
    except MissingTableError as error:
        return Finding(False, "error", 0, str(error))


def _is_full(roots: Roots, split: str) -> bool:
    """Return whether the split has as many images as were released."""
    files = tables.find(roots, "files", split)
    return files is not None and len(files["image_size"].drop_null()) >= RELEASED[split].images


def coverage(
    split: str,
    records: Sequence[ImageText],
    texts: Texts = NO_TEXTS,
    colours: Colours = _NO_COLOURS,
    *,
    is_full: bool,
) -> Finding:
    """Compare every prompt with the labels of its crop, and count the crops of each combination.

    `records` also have further `texts`; those with a template are compared with what that gives,
    given the `colours` of the crops.
    There are 234 combinations of category, domain, occlusion and viewpoint. A wrong prompt
    is an error. A combination without crops is a warning in a split of the release's size; in a
    smaller split it is normal, and only counted.
    """
    counts = Counter(map(_LABELS_AND_TEXT, records))
    wrong = {key: what for key in counts if (what := _wrong_prompt(*key))}
    suspects = records if wrong else ()
    problems = [(r, r.text, wrong[key]) for r in suspects if (key := _LABELS_AND_TEXT(r)) in wrong]
    problems += _wrong_records(records, texts, colours)
    return _covered(split, counts, problems, len(texts.keys), colours, is_full=is_full)


def _covered(
    split: str,
    counts: PromptCounts,
    problems: list[tuple[ImageText, str, str]],
    further: int,
    colours: Colours,
    *,
    is_full: bool,
) -> Finding:
    """Return the finding on prompts that have been counted, with `further` texts each.

    A problem consists of a line, the text that is wrong, and what is wrong with it. Crops are also
    counted by their `colours`, where texts have them.
    """
    cells: Counter[tuple[int, str, int, int]] = Counter()
    for (category_id, _, domain, occlusion, viewpoint, _), crops in counts.items():
        cells[category_id, domain, occlusion, viewpoint] += crops
    combinations = list(product(CATEGORIES, DOMAINS.values(), OCCLUSIONS, VIEWPOINTS))
    lines = cells.total()
    empty = [cell for cell in combinations if not cells[cell]] if lines else []
    summary = "No prompts, because the split has no SKUs."
    if lines:
        summary = (
            f"{number_of(lines * (1 + further), 'prompt')}, {len(problems):,} wrong; "
            f"{len(empty):,} of {len(combinations)} combinations without a crop."
        )
    if problems:
        summary += f" Rerun image_text for {split}."
    missing = empty if is_full else []
    return Finding(
        not (problems or missing),
        "error" if problems else "warn",
        lines,
        summary,
        _offending_prompts(split, problems, missing),
        {"wrong_prompts": len(problems), "empty_combinations": len(empty)}
        | _count_colours(colours),
        {COMBINATIONS: _table(cells)} if lines else {},
    )


def _count_colours(colours: Colours) -> dict[str, int | float]:
    """Return how many crops have each word of the palette, and how many have none."""
    counts = Counter(colours.values())
    words = {f"colour_{word}": counts[word] for word in PALETTE if counts[word]}
    return {**words, "colour_unknown": counts[None]} if colours else {}


def _wrong_prompt(
    category_id: int, category_name: str, domain: str, occlusion: int, viewpoint: int, text: str
) -> str | None:
    """Return what is wrong with a prompt, or None."""
    match = _PROMPT.fullmatch(text)
    if match is None:
        return "not a sentence of the contract"
    worn = domain == "query" and viewpoint in (2, 3)
    wrong = {
        "category": match["category"] != category_name
        or category_name != CATEGORIES.get(category_id),
        "domain": _DOMAIN_BY_PHOTO[match["photo"]] != domain,
        "occlusion": _OCCLUSION_BY_WORDS[match["occlusion"]] != occlusion,
        "viewpoint": _VIEWPOINT_BY_WORDS[match["view"]] != viewpoint,
        "person": (match["person"] is not None) != worn,
    }
    names = [name for name, is_wrong in wrong.items() if is_wrong]
    return f"the prompt has the wrong {', '.join(names)}" if names else None


def _wrong_records(
    records: Sequence[ImageText], texts: Texts, colours: Colours
) -> Iterator[tuple[ImageText, str, str]]:
    """Yield each line with a text that its template does not give, the text, and what is wrong."""
    for r in records if texts.rules else ():
        labels = r.domain, r.category_name, r.occlusion, r.viewpoint
        crop = Subject(r.image_path, r.sku_id, r.style, *labels, colours.get(r.image_path))
        values = {key: getattr(r, key) for key in texts.keys}
        for key in _wrong_texts(crop, values, texts):
            yield r, values[key], f"{key} is not what its template gives"


def _offending_prompts(
    split: str,
    problems: Iterable[tuple[ImageText, str, str]],
    empty: Iterable[tuple[int, str, int, int]],
) -> pd.DataFrame:
    """Return one row per wrong prompt, then one per combination without crops."""
    rows = [
        (split, r.sku_id, r.image_id, r.item_idx, r.image_path, *_LABELS_AND_TEXT(r)[:-1], *texts)
        for r, *texts in problems
    ]
    rows += [
        (split, *[None] * 4, c, CATEGORIES[c], *labels, None, "no crop of this kind")
        for c, *labels in empty
    ]
    columns = [*CROP, *_LABELS, "text", "what"]
    return pd.DataFrame(rows, columns=columns).astype({"item_idx": "Int32"})


def _table(cells: Counter[tuple[int, str, int, int]]) -> pd.DataFrame:
    """Count crops: one row per category and domain, one column per occlusion and viewpoint."""
    return pd.DataFrame(
        [
            {"category": name, "domain": domain}
            | {
                f"{occlusion} occlusion, {viewpoint}": cells[category_id, domain, o, v]
                for (o, occlusion), (v, viewpoint) in product(
                    OCCLUSIONS.items(), VIEWPOINTS.items()
                )
            }
            for (category_id, name), domain in product(CATEGORIES.items(), DOMAINS.values())
        ]
    )

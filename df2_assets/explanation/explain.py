"""Explaining why an item, an image, a SKU or a crop is in the data set or not, step by step.

The explanation follows an item through the tables and files of the last build, one step per asset.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, reduce
from operator import and_
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec
import pyarrow.compute as pc

from df2_assets.dataset import skus
from df2_assets.dataset.documents import IMAGE_TEXT
from df2_assets.dataset.metadata import Sku
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.tables import RAW_ANNOTATION_INDEX
from df2_assets.dataset.taxonomy import DOMAINS, LABELS, NOT_GIVEN, SPLITS
from df2_assets.errors import MissingTableError, escape_controls, escape_untrusted
from df2_assets.store import checksums, tables
from df2_assets.store.contract_files import read_metadata
from df2_assets.store.layout import Roots
from df2_assets.store.location import locate
from df2_assets.store.state import consistency_problems
from df2_assets.store.store import NOT_A_FILE, status_of

Fate = Literal["in", "unpaired", "refused", "style 0", "unknown"]

BEST: Final[tuple[Fate, ...]] = ("in", "unpaired", "refused", "style 0", "unknown")
"""The fates, best first. A SKU has the best fate of its items."""

_SPLIT: Final = rf"(?P<split>{'|'.join(SPLITS)})"
_DOMAIN: Final = rf"(?:{'|'.join(DOMAINS.values())})"
_PLACE: Final = re.compile(
    rf"{_SPLIT}/(?:{skus.CROP_PATH}"
    r"|(?:image/(?P<image>[0-9]{6})\.jpg|annos/(?P<annotation>[0-9]{6})\.json)"
    rf"|(?:{_DOMAIN}/)?(?P<sku_id>{skus.SKU_ID.pattern}))",
    re.ASCII,
)
"""The paths of the contract that name a crop, an image, an annotation or a SKU, and `sku_uid`."""

_ENDS_IN_PLACE: Final = re.compile(rf"(?:^|/)({_PLACE.pattern})$", re.ASCII)

_SHOWN: Final = 5
_TABLES: Final = ("files", "raw_annotation_index", "sku_groups", "crops")

Row = dict[str, Any]


class Run(msgspec.Struct):
    """A Dagster run, and the time at which it materialized an asset (ISO 8601)."""

    run_id: str
    at: str


Runs = Mapping[str, Run]
"""The last run that materialized each asset of a split, by asset."""


class Step(msgspec.Struct):
    """What an asset did with an item.

    `text` is one line, and `more` has further lines. `facts` are the values behind them. `ends` is
    the fate of the item, if it ends with this step.
    """

    stage: str
    text: str
    facts: dict[str, Any] = {}
    ends: Fate | None = None
    run: Run | None = None
    more: list[str] = []


class Answer(msgspec.Struct):
    """The fate of an item, a file or a SKU, and the reason for it.

    `steps` has the steps that it reached. `items` are the answers for the items of a SKU. `notes`
    say where the answer may be wrong.
    """

    split: str
    fate: Fate
    why: str
    image_id: str | None = None
    item_idx: int | None = None
    domain: str | None = None
    sku_id: str | None = None
    sku_uid: str | None = None
    crop_path: str | None = None
    steps: list[Step] = []
    items: list["Answer"] = []
    notes: list[str] = []


class Place(NamedTuple):
    """A path or `sku_uid` that somebody asks about, from the split on, and what it names.

    `image_id` is set for an image or annotation, `sku_id` for a SKU. `is_elsewhere`: the end of the
    path is that of a path of the contract, but the path is in neither root.
    """

    path: str
    split: str
    image_id: str | None = None
    sku_id: str | None = None
    is_elsewhere: bool = False


def find_place(roots: Roots, text: str) -> Place:
    """Return what a path names. It may be relative to a root, or lead into one from here.

    If it is in neither root, only its end counts, so that paths from another machine work.
    """
    below = [os.path.relpath(path, root) for path, root in _possible_roots(roots, text)]
    for path in (os.path.normpath(text), *below):
        if match := _PLACE.fullmatch(path):
            return _read_place(match)
    if match := _ENDS_IN_PLACE.search(os.path.normpath(text)):
        place = _PLACE.fullmatch(match[1])
        assert place
        return _read_place(place)._replace(is_elsewhere=True)
    inside = [path for path in below if not path.startswith("..")]
    path = os.path.normpath(text)
    if path.partition("/")[0] not in SPLITS and inside:
        path = inside[0]
    return Place(path, path.partition("/")[0])


def _possible_roots(roots: Roots, text: str) -> Iterator[tuple[str, str]]:
    """Yield the path and a root that may contain it, without and with links followed."""
    path = locate(text)
    for root in (roots.sku_root, roots.df2_root):
        yield str(path), str(root)
        # The file itself may be a link to where the images are.
        yield f"{path.parent.resolve()}/{path.name}", str(root.resolve())


def _read_place(match: re.Match[str]) -> Place:
    image_id = match["image"] or match["annotation"]
    return Place(match[0], match["split"], image_id, match["sku_id"])


def explain_place(roots: Roots, place: Place, item_idx: int | None, runs: Runs) -> list[Answer]:
    """Return the answers for a path. `item_idx` selects an item of an image or annotation."""
    if place.image_id:
        answers = explain_image(roots, place.split, place.image_id, item_idx, runs)
    elif place.sku_id:
        answers = [explain_sku(roots, place.split, place.sku_id, runs)]
    else:
        answers = [explain_crop(roots, place.path, runs)]
    if place.is_elsewhere:
        note = f"The path is in neither root. This is about {place.path} of {roots.sku_root}."
        for answer in answers:
            answer.notes.append(note)
    return answers


def explain_image(
    roots: Roots, split: str, image_id: str, item_idx: int | None, runs: Runs
) -> list[Answer]:
    """Return one answer per item of an image, or one for the whole file.

    With `item_idx`, return only the answers for that item.
    """
    evidence = _Evidence(roots, split)
    if not evidence.is_built:
        return [Answer(split, "unknown", evidence.not_built, image_id, item_idx)]
    rows = evidence.rows("raw_annotation_index", image_id=image_id)
    chosen = rows
    if item_idx is not None:  # a row without item and source is about the whole file
        chosen = [
            row
            for row in rows
            if row["item_idx"] == item_idx or (row["item_idx"] is None and row["source"] is None)
        ]
    answers = [_explain_row(evidence, row, runs) for row in chosen]
    if not answers:
        why, steps = (
            _explain_missing_item(evidence, image_id, item_idx, rows),
            [_follow_files(evidence, image_id)],
        )
        answers = [Answer(split, "unknown", why, image_id, item_idx, steps=steps)]
    for answer in answers:
        answer.notes += evidence.notes
    return answers


def explain_sku_id(roots: Roots, sku_id: str, runs: Mapping[str, Runs]) -> list[Answer]:
    """Return the answer for each split of `runs` that has a SKU of this id, or all if none has it.

    If several splits have it, a note says that they are different garments.
    """
    answers = [explain_sku(roots, split, sku_id, runs[split]) for split in runs]
    in_splits = [answer for answer in answers if answer.fate != "unknown"]
    if len(in_splits) > 1:
        uids = [str(answer.sku_uid) for answer in in_splits]
        note = f"{' and '.join(uids)} are different garments: pair ids restart in every split."
        for answer in in_splits:
            answer.notes = [*answer.notes, note]
    return in_splits or answers


def explain_sku(roots: Roots, split: str, sku_id: str, runs: Runs) -> Answer:
    """Return the fate of a SKU, and of each item that could be one of its crops."""
    evidence = _Evidence(roots, split)
    uid = skus.sku_uid(split, sku_id)
    if not evidence.is_built:
        return Answer(split, "unknown", evidence.not_built, sku_id=sku_id, sku_uid=uid)
    pair_id, style, category_id = map(int, sku_id.split("_"))
    key = {"pair_id": pair_id, "style": style, "category_id": category_id}
    items = [
        _explain_row(evidence, row, runs) for row in evidence.rows("raw_annotation_index", **key)
    ]
    if not items:
        why = f"no item of pair {pair_id}, style {style}, category {category_id} could be read"
        return Answer(split, "unknown", why, sku_id=sku_id, sku_uid=uid, notes=evidence.notes)
    best = min(items, key=lambda item: BEST.index(item.fate))
    why = best.why
    if best.fate == "in":
        why = f"with {_count_by_domain([item for item in items if item.fate == 'in'])} crops"
    steps = []
    for stage, (_, passed) in STAGES.items():
        past = [i for i in items if any(s.stage == stage and not s.ends for s in i.steps)]
        steps.append(Step(stage, f"{_count_by_domain(past)} items {passed}", run=runs.get(stage)))
    return Answer(
        split,
        best.fate,
        why,
        sku_id=sku_id,
        sku_uid=uid,
        steps=steps,
        items=items,
        notes=evidence.notes,
    )


def explain_crop(roots: Roots, crop_path: str, runs: Runs) -> Answer:
    """Return the fate of the item whose crop has this path, relative to SKU_ROOT."""
    split, _, below = crop_path.partition("/")
    match = re.fullmatch(skus.CROP_PATH, below, re.ASCII) if split in SPLITS else None
    exists = roots.crop(crop_path).is_file()
    if match is None:
        why = (
            "it is not the path of a crop, an image or an annotation, such as "
            "train/catalog/000001_01_01/000002_item1.jpg or train/image/000002.jpg"
        )
        foreign = "There is a foreign file with this path. Builds leave it alone."
        notes = [foreign] if exists else []
        return Answer(
            split, "unknown", why, crop_path=escape_untrusted(crop_path, 200), notes=notes
        )
    image_id, item_idx = match.groups()
    answers = explain_image(roots, split, image_id, int(item_idx), runs)
    answer = next((answer for answer in answers if answer.crop_path == crop_path), answers[0])
    if answer.crop_path not in (None, crop_path):
        answer.fate, answer.why = "unknown", f"the crop of that item would be {answer.crop_path}"
    if exists and answer.fate != "in":
        answer.notes.append("There is a file with this path. The next build removes it.")
    return answer


class _Evidence:
    """The tables and files of a split. One that is missing or unreadable counts as empty."""

    def __init__(self, roots: Roots, split: str) -> None:
        self.roots = roots
        self.split = split
        self._tables = {asset: tables.find(roots, asset, split) for asset in _TABLES}
        self.is_built = self._tables["raw_annotation_index"] is not None
        groups = self._tables["sku_groups"]
        self.only_pairs = groups is None or skus.has_only_pairs(groups)
        self.not_built = (
            f"{split} is not built under {roots.sku_root}: run df2-assets build --split {split}"
        )

    @cached_property
    def notes(self) -> list[str]:
        """The reasons why answers may be wrong, one sentence each."""
        remedy = f"run df2-assets build --split {self.split}"
        problems = consistency_problems(self.roots, self.split)
        return [f"{problem[0].upper()}{problem[1:]}: {remedy}" for problem in problems]

    def rows(self, asset: str, **values: str | int) -> list[Row]:
        """Return the rows of a table whose columns have these values."""
        table = self._tables[asset]
        conditions = (pc.field(column) == value for column, value in values.items())
        return table.filter(reduce(and_, conditions)).to_pylist() if table else []

    def row(self, asset: str, **values: str | int) -> Row | None:
        """Return the first of these rows."""
        return next(iter(self.rows(asset, **values)), None)

    @cached_property
    def skus(self) -> dict[str, Sku]:
        """The SKUs of the metadata."""
        try:
            return read_metadata(self.roots, self.split).skus
        except MissingTableError:
            return {}

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines of the JSONL."""
        try:
            return self.roots.image_text(self.split).read_bytes().splitlines()
        except OSError:
            return []


def _explain_row(evidence: _Evidence, row: Row, runs: Runs) -> Answer:
    """Return the answer for a row of the index: follow it through the stages that it reached."""
    row = row | _locate_crop(row)
    shown = ("image_id", "item_idx", "domain", "sku_id", "sku_uid", "crop_path")
    steps = [_follow_files(evidence, row["image_id"])]
    for stage, (follow, _) in STAGES.items():
        steps.append(follow(evidence, row))
        steps[-1].run = runs.get(stage)
        if steps[-1].ends:
            break
    return Answer(
        evidence.split,
        steps[-1].ends or "in",
        steps[-1].text,
        steps=steps,
        **{name: row[name] for name in shown},
    )


def _locate_crop(row: Row) -> Row:
    """Return domain, SKU and crop path of an index row; None if too little is known of it."""
    domain = DOMAINS.get(row["source"])
    if any(row[name] is None for name in ("item_idx", "source", *skus.KEY)):
        return {"domain": domain, "sku_id": None, "sku_uid": None, "crop_path": None}
    sku_id = skus.sku_id(*(row[name] for name in skus.KEY))
    name = f"{row['image_id']}_item{row['item_idx']}.jpg"
    crop_path = f"{row['split']}/{domain}/{sku_id}/{name}"
    uid = skus.sku_uid(row["split"], sku_id)
    return {"domain": domain, "sku_id": sku_id, "sku_uid": uid, "crop_path": crop_path}


def _follow_files(evidence: _Evidence, image_id: str) -> Step:
    """Return the step of the download: annotation and image, and whether they have changed."""
    row = evidence.row("files", image_id=image_id) or {}
    roots, split = evidence.roots, evidence.split
    texts: list[str] = []
    facts: dict[str, Any] = {}
    for kind, stem, path in (
        ("annotation", "anno", roots.annotations(split) / f"{image_id}.json"),
        ("image", "image", roots.images(split) / f"{image_id}.jpg"),
    ):
        size = row.get(f"{stem}_size")
        name = f"{split}/{path.parent.name}/{path.name}"
        facts[kind] = {"path": name, "bytes": size}
        if size is None:
            texts.append(f"no {kind} ({name})")
        else:
            texts.append(f"{name}, " + ("no file" if size == NOT_A_FILE else f"{size:,} bytes"))
        now = _read_stamp(path)
        if path.parent.is_dir() and now != (size, row.get(f"{stem}_mtime_ns")):
            what = "its time changed" if size is not None and now[0] == size else "changed"
            texts[-1] += f", {what} since: build again"
    return Step("deepfashion2", "; ".join(texts), facts)


def _follow_index(_: _Evidence, row: Row) -> Step:
    facts = {name: row[name] for name in RAW_ANNOTATION_INDEX.names if row[name] is not None}
    if row["reason"] is not None:
        what = "the item" if row["source"] else "the whole file"
        text = f"{what} is refused: {_describe_reason(row)}"
        return Step("raw_annotation_index", text, facts, "refused")
    box = ", ".join(str(row[edge]) for edge in ("x1", "y1", "x2", "y2"))
    text = (
        f"{row['source']} image, pair {row['pair_id']}, style {row['style']}, category "
        f"{row['category_id']} ({row['category_name']}), box {box} of {row['width']} x "
        f"{row['height']}"
    )
    for name, meanings in LABELS.items():
        text += f", {name} {meanings.get(row[name], NOT_GIVEN)}"
    return Step("raw_annotation_index", text, facts)


def _follow_groups(evidence: _Evidence, row: Row) -> Step:
    if row["style"] == 0:
        return Step(
            "sku_groups", "its style is 0: it has no counterpart in the other domain", {}, "style 0"
        )
    key = {name: row[name] for name in skus.KEY}
    usable = [r for r in evidence.rows("raw_annotation_index", **key) if r["reason"] is None]
    counts = {d: sum(r["source"] == source for r in usable) for source, d in DOMAINS.items()}
    facts = {name: row[name] for name in ("sku_id", "sku_uid", "domain")} | counts
    absent = [domain for domain, count in counts.items() if not count]
    if absent and evidence.only_pairs:
        refused = _refused_counterparts(evidence, row)
        text = f"SKU {row['sku_id']} has no {absent[0]} item, so it is left out"
        if refused:
            text += f"; these refused items may belong to it: {_list_first(refused)}"
        return Step("sku_groups", text, facts | {"refused": refused}, "unpaired")
    if not evidence.rows("sku_groups", crop_path=row["crop_path"]):
        text = "usable, but not in sku_groups, which is older than the index"
        return Step("sku_groups", text, facts, "unknown")
    text = (
        f"SKU {row['sku_id']}, with {counts['catalog']} catalog and {counts['query']} query items"
    )
    if absent:
        text += ", kept though it has only one domain"
    return Step("sku_groups", text, facts)


def _refused_counterparts(evidence: _Evidence, row: Row) -> list[str]:
    """Return refused items of the other domain that may belong to the SKU of an item."""
    return [
        f"{other['image_id']} item {other['item_idx']} ({_describe_reason(other)})"
        for other in evidence.rows("raw_annotation_index", pair_id=row["pair_id"])
        if other["reason"] is not None
        and other["source"] != row["source"]
        and all(other[name] in (None, row[name]) for name in ("style", "category_id"))
    ]


def _follow_crop(evidence: _Evidence, row: Row) -> Step:
    crop = evidence.row("crops", crop_path=row["crop_path"])
    if crop is None:
        text = "not in the manifest, which is older than sku_groups"
        return Step("crops", text, {"crop_path": row["crop_path"]}, "unknown")
    facts = {name: value for name, value in crop.items() if value is not None}
    if crop["reason"] == UNPAIRED:
        failed = _failed_counterparts(evidence, row)
        text = f"it could be made, but SKU {row['sku_id']} has no crop of the other domain left"
        text += f": {_list_first(failed)}" if failed else ""
        return Step("crops", text, facts | {"failed": failed}, "unpaired")
    if crop["reason"] is not None:
        return Step("crops", f"the crop is refused: {_describe_reason(crop)}", facts, "refused")
    text = f"{row['crop_path']}, {crop['size']:,} bytes, {crop['width']} x {crop['height']} pixels"
    path = evidence.roots.crop(row["crop_path"])
    on_disk = _read_stamp(path)
    is_same = on_disk == (crop["size"], crop["mtime_ns"]) or (
        on_disk[0] == crop["size"] and checksums.digest(path) == crop["sha256"]
    )
    if not is_same:
        text += ", missing since" if on_disk == (None, None) else ", changed since"
        text += ": build again"
    return Step("crops", text, facts)


def _failed_counterparts(evidence: _Evidence, row: Row) -> list[str]:
    """Return the crops of the other domain of an item's SKU that were refused."""
    crops = (
        evidence.row("crops", crop_path=other["crop_path"])
        for other in evidence.rows("sku_groups", sku_id=row["sku_id"])
        if other["domain"] != row["domain"]
    )
    return [
        f"{crop['crop_path']} ({_describe_reason(crop)})"
        for crop in crops
        if crop and crop["reason"] not in (None, UNPAIRED)
    ]


def _follow_metadata(evidence: _Evidence, row: Row) -> Step:
    sku = evidence.skus.get(row["sku_id"])
    crops = getattr(sku, row["domain"]) if sku else []
    for position, crop in enumerate(crops, 1):
        if crop.crop_path == row["crop_path"]:
            text = f"{row['domain']} crop {position} of {len(crops)} of {row['sku_id']}"
            return Step("sku_metadata", text, msgspec.json.decode(msgspec.json.encode(crop)))
    name = evidence.roots.sku_metadata(evidence.split).name
    return Step("sku_metadata", f"{name} does not have it: build again", {}, "unknown")


def _follow_prompt(evidence: _Evidence, row: Row) -> Step:
    lines = (line for line in evidence.lines if row["crop_path"].encode() in line)
    try:
        line: Row = msgspec.json.decode(next(lines, b"{}"))
    except msgspec.DecodeError:
        line = {}
    if line.get("image_path") != row["crop_path"]:
        name = evidence.roots.image_text(evidence.split).name
        return Step("image_text", f"{name} has no line for it: build again", {}, "unknown")
    more = [key for key in line if key not in IMAGE_TEXT.names]
    facts = {key: line.get(key) for key in ("text", *more)}
    more = [f"{escape_untrusted(key, 64)}: {escape_controls(line[key], 200)}" for key in more]
    return Step("image_text", escape_controls(line.get("text"), 200), facts, more=more)


STAGES: Final[dict[str, tuple[Callable[[_Evidence, Row], Step], str]]] = {
    "raw_annotation_index": (_follow_index, "usable"),
    "sku_groups": (_follow_groups, "grouped"),
    "crops": (_follow_crop, "cropped"),
    "sku_metadata": (_follow_metadata, "listed"),
    "image_text": (_follow_prompt, "with a prompt"),
}
"""By asset, in order: the function that follows an index row, and a word for items that pass."""


def _explain_missing_item(
    evidence: _Evidence, image_id: str, item_idx: int | None, rows: list[Row]
) -> str:
    if rows:
        others = ", ".join(str(row["item_idx"]) for row in rows if row["item_idx"] is not None)
        return f"its annotation has no item {item_idx}; it has {others or 'none with a number'}"
    files = evidence.row("files", image_id=image_id)
    if files is None:
        return (
            f"{evidence.split} had neither an image nor an annotation with this id when it was read"
        )
    if files["anno_size"] is None:
        return "there is an image, but no annotation for it"
    return "its annotation has no items"


def _count_by_domain(items: list[Answer]) -> str:
    counts = Counter(item.domain for item in items)
    return " and ".join(f"{counts[domain]} {domain}" for domain in DOMAINS.values())


def _describe_reason(row: Row) -> str:
    """Return the reason of a refusal, with its detail."""
    detail = str(row["detail"])
    return f"{row['reason']}: {detail if detail.isprintable() else escape_untrusted(detail, 300)}"


def _list_first(names: list[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _read_stamp(path: Path) -> tuple[int | None, int | None]:
    """Return size and time of a file, or None for both if it is missing."""
    try:
        return status_of(path.stat())
    except OSError:
        return None, None

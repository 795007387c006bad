"""How well the reasons and the checks find what was planted, and whether they invent anything."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from df2_assets.checks import finding
from df2_assets.dataset.reasons import Reason
from df2_assets.sample.answer_key import PlantedDefect
from df2_assets.store.layout import Roots

Place = tuple[str, str | None, int | None]
"""Split, image id (or the path of a file without one), item index."""


@dataclass(frozen=True)
class Score:
    """`planted` things that `what` must name, those it `found`, and what it named besides.

    `missed` and `invented` are the places themselves.
    """

    what: str
    planted: int
    found: int
    missed: list[Place]
    invented: list[Place]

    @property
    def is_perfect(self) -> bool:
        return not self.missed and not self.invented


def score_reasons(key: list[PlantedDefect], refusals: pd.DataFrame) -> list[Score]:
    """A score a reason code, of the rows of `refusals` of all splits."""
    named = list(zip(_places(refusals), refusals["reason"], strict=True))
    scores = []
    for reason in Reason:
        planted = {_place(one) for one in key if one.expect.reason == reason}
        scores.append(_score(reason.value, planted, [p for p, said in named if said == reason]))
    return scores


def score_checks(
    key: list[PlantedDefect], offenders: Mapping[str, pd.DataFrame], built: list[str]
) -> list[Score]:
    """A score a check (`asset/check`), of its offenders of all splits.

    `built` are the splits in the order in which they were built: what a check can only see once
    another split is there, it may miss before.
    """
    scores = []
    for check, rows in offenders.items():
        expected = [one for one in key if check in one.expect.checks]
        due = {_place(one) for one in expected if _visible(one, built)}
        allowed = {_place(one) for one in key if check in (*one.expect.checks, *one.expect.may)}
        scores.append(_score(check, due, _places(rows), allowed))
    return scores


def read_offenders(roots: Roots, asset: str, check: str, splits: list[str]) -> pd.DataFrame:
    """All offenders of a check, as its last run over each split left them."""
    found = [finding.read_offenders(roots, asset, check, split) for split in splits]
    parts = [rows for rows in found if rows is not None]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _score(
    what: str, due: set[Place], named: list[Place], allowed: set[Place] | None = None
) -> Score:
    missed = due - set(named)
    invented = set(named) - (due if allowed is None else allowed)
    return Score(what, len(due), len(due) - len(missed), _sorted(missed), _sorted(invented))


def _visible(one: PlantedDefect, built: list[str]) -> bool:
    other = one.expect.once_built
    return other is None or built.index(other) < built.index(one.split)


def _place(one: PlantedDefect) -> Place:
    return one.split, one.image_id or one.path, one.item_idx


def _places(rows: pd.DataFrame) -> list[Place]:
    """Where each row is: its image and item, else the path of its file, or its SKU.

    A row without any of these is of the split, such as labels in a combination that no crop has:
    a small sample lacks some, and nobody planted that.
    """
    if rows.empty:
        return []
    nothing = pd.Series(None, index=rows.index, dtype=object)
    names = rows.get("image_id", nothing).astype(object)
    for column in ("path", "sku_id"):
        names = names.where(names.notna(), rows.get(column, nothing))
    items, splits = (rows.get(column, nothing) for column in ("item_idx", "split"))
    return [
        (split, name, None if pd.isna(item) else int(item))
        for split, name, item in zip(splits, names, items, strict=True)
        if not pd.isna(name)
    ]


def _sorted(places: set[Place]) -> list[Place]:
    return sorted(places, key=lambda place: (place[0], place[1] or "", place[2] or 0))

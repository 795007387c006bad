"""Scores: how many planted defects the reasons and checks report, and what they invent."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from df2_assets.checks import finding
from df2_assets.dataset.reasons import Reason
from df2_assets.sample.answer_key import PlantedDefect
from df2_assets.store.layout import Roots

Place = tuple[str, str | None, int | None]
"""Split, image id (or the path of a file without an id), item number."""


@dataclass(frozen=True)
class Score:
    """The score of a reason or check, `what`.

    `planted` is the number of defects that it has to report, `reported` the number that it reports.
    `missed` are the places of the others, and `invented` the places that it reports without reason.
    """

    what: str
    planted: int
    reported: int
    missed: list[Place]
    invented: list[Place]

    @property
    def is_perfect(self) -> bool:
        return not self.missed and not self.invented


def score_reasons(key: list[PlantedDefect], refusals: pd.DataFrame) -> list[Score]:
    """Return one score per reason, from the rows of `refusals` of all splits."""
    named = list(zip(_places(refusals), refusals["reason"], strict=True))
    scores = []
    for reason in Reason:
        planted = {_place(defect) for defect in key if defect.expect.reason == reason}
        scores.append(
            _score(reason.value, planted, [place for place, name in named if name == reason])
        )
    return scores


def score_checks(
    key: list[PlantedDefect], offenders: Mapping[str, pd.DataFrame], built: list[str]
) -> list[Score]:
    """Return one score per check (`asset/check`), from its offenders in all splits.

    `built` has the splits in the order in which they were built. A check may miss a defect that it
    can only see after another split has been built.
    """
    scores = []
    for check, rows in offenders.items():
        expected = [defect for defect in key if check in defect.expect.checks]
        due = {_place(defect) for defect in expected if _is_visible(defect, built)}
        allowed = {
            _place(defect) for defect in key if check in (*defect.expect.checks, *defect.expect.may)
        }
        scores.append(_score(check, due, _places(rows), allowed))
    return scores


def read_offenders(roots: Roots, asset: str, check: str, splits: list[str]) -> pd.DataFrame:
    """Return all offenders of the last findings of a check, over all splits."""
    tables = [finding.read_offenders(roots, asset, check, split) for split in splits]
    parts = [rows for rows in tables if rows is not None]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _score(
    what: str, due: set[Place], named: list[Place], allowed: set[Place] | None = None
) -> Score:
    missed = due - set(named)
    invented = set(named) - (due if allowed is None else allowed)
    return Score(what, len(due), len(due) - len(missed), _sorted(missed), _sorted(invented))


def _is_visible(defect: PlantedDefect, built: list[str]) -> bool:
    other = defect.expect.once_built
    return other is None or built.index(other) < built.index(defect.split)


def _place(defect: PlantedDefect) -> Place:
    return defect.split, defect.image_id or defect.path, defect.item_idx


def _places(rows: pd.DataFrame) -> list[Place]:
    """Return the place of each row: its image and item, or the path of its file, or its SKU.

    Rows without any of these are about the split and are left out, such as combinations of labels
    that no crop has: a small sample lacks some of them.
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

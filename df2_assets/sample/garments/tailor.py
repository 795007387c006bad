"""Which cut a garment has, by its category; and the cut's outlines in a pose."""

import random
from typing import Any, Final

from df2_assets.sample.garments.cuts import Collar, Cut, Fit, Lower, Neck, Upper
from df2_assets.sample.garments.lowers import lower
from df2_assets.sample.garments.shapes import Pose, Shape
from df2_assets.sample.garments.uppers import upper

_NECKS: Final[dict[Neck, tuple[float, float]]] = {
    "round": (0.34, 1.62),
    "v": (0.36, 2.12),
    "boat": (0.56, 1.56),
    "scoop": (0.42, 1.95),
    "square": (0.42, 1.85),
    "high": (0.25, 1.42),
}
"""Half-width and depth of each neckline."""

_OPEN_NECKS: Final[tuple[Neck, ...]] = ("round", "round", "v", "boat", "scoop", "square")
_SHIRT: Final[dict[str, Any]] = {
    "neck": "v",
    "neck_width": 0.36,
    "neck_depth": 1.85,
    "collar": "shirt",
    "front": "buttons",
}


def choose(chance: random.Random, category_id: int, short: bool) -> Cut:
    """A cut of the category; `short` keeps outwear above the hips, for wear over legs."""
    if category_id in (7, 8):
        return _legs(chance, short=category_id == 7)
    if category_id == 9:
        return _skirt(chance)
    if category_id in (3, 4):
        return _outwear(chance, long_sleeves=category_id == 4, short=short)
    dress = category_id >= 10
    kind = {10: 1, 11: 2, 12: 5, 13: 6}.get(category_id, category_id)
    upper_half = {1: _short_sleeves, 2: _long_sleeves, 5: _sleeveless, 6: _straps}[kind](chance)
    if dress and upper_half.get("front") != "buttons":
        upper_half["front"] = "plain"
    return Upper(**upper_half, **(_dress(chance) if dress else _top(chance)))


def shape(cut: Cut, pose: Pose) -> Shape:
    """The outlines of a garment in a pose."""
    return upper(cut, pose) if isinstance(cut, Upper) else lower(cut, pose)


def _neckline(chance: random.Random, *necks: Neck) -> dict[str, Any]:
    neck = chance.choice(necks)
    width, depth = _NECKS[neck]
    return {"neck": neck, "neck_width": width, "neck_depth": depth}


def _short_sleeves(chance: random.Random) -> dict[str, Any]:
    sleeve = {"sleeve": chance.uniform(0.62, 1.0), "cuff": chance.uniform(0.3, 0.42)}
    if chance.random() < 0.35:
        return {"shoulder": 0.86, **sleeve, **_SHIRT}
    front = chance.choice(("plain", "plain", "print", "pocket"))
    return {"shoulder": 0.86, "front": front, **sleeve, **_neckline(chance, *_OPEN_NECKS)}


def _long_sleeves(chance: random.Random) -> dict[str, Any]:
    sleeve = {"sleeve": chance.uniform(2.3, 2.5), "cuff": chance.uniform(0.15, 0.26)}
    kind = chance.random()
    if kind < 0.3:
        return {"shoulder": 0.86, **sleeve, **_SHIRT}
    if kind < 0.5:
        hood = {"collar": "hood", "front": "bib"}
        return {"shoulder": 0.86, **sleeve, **hood, **_neckline(chance, "round")}
    front = chance.choice(("plain", "plain", "print", "pocket"))
    neck = _neckline(chance, *_OPEN_NECKS, "high", "high")
    return {"shoulder": 0.86, "front": front, **sleeve, **neck}


def _sleeveless(chance: random.Random) -> dict[str, Any]:
    shoulder = chance.uniform(0.58, 0.68)
    neck = _neckline(chance, "scoop", "round", "v", "square")
    neck["neck_width"] = min(neck["neck_width"], shoulder - 0.2)
    return {"shoulder": shoulder, "front": chance.choice(("plain", "print", "pocket")), **neck}


def _straps(chance: random.Random) -> dict[str, Any]:
    return {"shoulder": 0.0, **_neckline(chance, "v")}


def _top(chance: random.Random) -> dict[str, Any]:
    fit: Fit = chance.choice(("boxy", "fitted", "fitted", "flared"))
    return {
        "fit": fit,
        "ease": chance.uniform(0.03, 0.1) + (0.08 if fit == "boxy" else 0.0),
        "hem_y": chance.uniform(3.4, 3.9),
        "hem": {"boxy": 0.82, "fitted": 0.7, "flared": 1.0}[fit],
        "hem_drop": chance.uniform(0.02, 0.12),
    }


def _dress(chance: random.Random) -> dict[str, Any]:
    fit: Fit = chance.choice(("flared", "flared", "flared", "fitted"))
    return {
        "fit": fit,
        "ease": chance.uniform(0.03, 0.1),
        "hem_y": chance.choice((4.9, 5.3, 5.7, 6.4, 7.0)) + chance.uniform(-0.15, 0.15),
        "hem": chance.uniform(1.0, 1.6) if fit == "flared" else chance.uniform(0.64, 0.74),
        "hem_drop": chance.uniform(0.02, 0.12),
        "belt": chance.random() < 0.4,
        "dress": True,
    }


def _outwear(chance: random.Random, *, long_sleeves: bool, short: bool) -> Upper:
    fit: Fit = chance.choice(("boxy", "boxy", "fitted", "flared"))
    if short:
        hem_y = chance.uniform(3.4, 3.8)
    else:
        hem_y = chance.uniform(4.4, 6.3) if long_sleeves else chance.uniform(4.0, 5.0)
    collars: list[Collar] = ["lapel", "lapel", "stand", "none", "shirt"]
    if long_sleeves:
        collars += ["hood", "hood", "hood"]
    return Upper(
        **_neckline(chance, "v"),
        shoulder=0.93,
        sleeve=chance.uniform(2.35, 2.6) if long_sleeves else chance.uniform(0.8, 1.25),
        cuff=chance.uniform(0.2, 0.32) if long_sleeves else chance.uniform(0.42, 0.55),
        fit=fit,
        ease=chance.uniform(0.14, 0.22),
        hem_y=hem_y,
        hem={"boxy": 0.86, "fitted": 0.76, "flared": 0.95}[fit] + 0.12 * (hem_y - 3.6),
        hem_drop=0.06,
        gap=chance.uniform(0.22, 0.38),
        collar=chance.choice(collars),
        front=chance.choice(("buttons", "zip", "pocket")),
    )


def _legs(chance: random.Random, *, short: bool) -> Lower:
    return Lower(
        legs=True,
        waist_y=chance.uniform(2.98, 3.2),
        hem_y=chance.uniform(4.85, 5.6) if short else chance.uniform(7.1, 7.65),
        hem=chance.uniform(0.4, 0.52) if short else chance.choice((0.17, 0.21, 0.27, 0.38, 0.46)),
        ease=chance.uniform(0.03, 0.1),
        cuffs=chance.random() < 0.3,
    )


def _skirt(chance: random.Random) -> Lower:
    hem_y = chance.choice((4.7, 5.2, 5.7, 6.3, 7.0)) + chance.uniform(-0.15, 0.15)
    straight = chance.random() < 0.25
    wide = 0.85 + (hem_y - 4.5) * 0.28 + chance.uniform(0, 0.15)
    return Lower(
        legs=False,
        waist_y=chance.uniform(2.98, 3.2),
        hem_y=hem_y,
        hem=chance.uniform(0.62, 0.8) if straight else wide,
        ease=chance.uniform(0.02, 0.06),
        pleats=0 if straight else chance.choice((0, 5, 9)),
        buttons=chance.random() < 0.3,
        flare=1.0 if straight else chance.uniform(0.8, 1.3),
    )

"""The person who wears the clothes: simple, but with a head, hair, hands and shoes."""

import random
from dataclasses import dataclass
from typing import Final

from PIL import Image

from df2_assets.sample.canvas import Colour, paint, shade, stroke
from df2_assets.sample.dressing import rounded
from df2_assets.sample.geometry import Camera, Polygon, closed, curve, ellipse, ribbon
from df2_assets.sample.shapes import Pose

_SKINS: Final[tuple[Colour, ...]] = (
    (241, 208, 184),
    (229, 187, 156),
    (206, 157, 120),
    (168, 117, 83),
    (122, 82, 58),
    (88, 59, 44),
)
_HAIRS: Final[tuple[Colour, ...]] = (
    (38, 30, 28),
    (64, 44, 32),
    (104, 70, 44),
    (186, 146, 92),
    (142, 62, 40),
    (24, 24, 30),
    (120, 116, 116),
)
_HAIRCUTS: Final = ("short", "bob", "long", "bun", "long", "tail")


@dataclass(frozen=True)
class Figure:
    """Who is in the picture; `turned` is 0 from the front, else where the face looks (-1, 1)."""

    skin: Colour
    hair: Colour
    haircut: str
    shoes: Colour
    turned: int


def choose(chance: random.Random, turned: int) -> Figure:
    """Somebody."""
    return Figure(
        chance.choice(_SKINS),
        chance.choice(_HAIRS),
        chance.choice(_HAIRCUTS),
        chance.choice(
            ((240, 240, 238), (40, 36, 38), (120, 76, 50), (170, 60, 58), (90, 100, 120))
        ),
        turned,
    )


def pose(chance: random.Random, viewpoint: int, back: bool) -> Pose:
    """A way to stand; one in four has a hand on the hip."""
    if viewpoint == 3 and not back:
        arms = [(chance.uniform(6, 16), chance.uniform(0, 14)) for _ in range(2)]
    else:
        arms = [(chance.uniform(10, 24), chance.uniform(2, 16)) for _ in range(2)]
        if chance.random() < 0.25:
            arms[0] = (chance.uniform(38, 46), chance.uniform(-38, -28))
    chance.shuffle(arms)
    return Pose(arms[0], arms[1], chance.uniform(-0.05, 0.2), back)


def paint_behind(image: Image.Image, figure: Figure, camera: Camera) -> None:
    """Hair that falls behind the shoulders."""
    if figure.haircut == "long":
        fall = closed([(0, 0.05), *curve([(0.5, 0.3), (0.62, 1.2), (0.62, 2.0)], 4), (0, 2.1)])
        rounded(image, [camera.at(fall)], shade(figure.hair, 0.8), camera.unit * 0.2)
    elif figure.haircut == "bob":
        fall = closed([(0, 0.05), *curve([(0.52, 0.35), (0.6, 0.9), (0.54, 1.2)], 4), (0, 1.2)])
        rounded(image, [camera.at(fall)], shade(figure.hair, 0.8), camera.unit * 0.2)


def paint_body(image: Image.Image, figure: Figure, body: Pose, camera: Camera) -> None:
    """Legs, shoes, trunk, neck and head."""
    depth = camera.unit * 0.13
    for sign in (1, -1):
        leg = ribbon(curve(body.leg(sign), 4), _spread(9, (0.33, 0.22, 0.11)))
        rounded(image, [camera.at(leg)], figure.skin, depth)
        x, y = body.leg(sign)[-1]
        toe = 0.22 * figure.turned + 0.06 * sign
        shoe = curve(
            [
                (x - 0.15, y - 0.1),
                (x - 0.15, y + 0.25),
                (x + toe, y + 0.42),
                (x + toe + 0.17, y + 0.3),
                (x + 0.15, y - 0.1),
            ],
            4,
        )
        rounded(image, [camera.at(shoe)], figure.shoes, depth)
    trunk = closed(
        [
            (0, 1.3),
            (0.25, 1.34),
            (0.72, 1.48),
            *curve([(0.82, 1.62), (0.62, 2.15), (0.5, 3.05), (0.68, 3.95), (0.66, 4.3)], 4),
            (0, 4.45),
        ]
    )
    rounded(image, [camera.at(trunk)], figure.skin, depth)
    rounded(
        image,
        [camera.at([(-0.2, 0.85), (0.2, 0.85), (0.27, 1.5), (-0.27, 1.5)])],
        shade(figure.skin, 0.86),
        depth,
    )
    _head(image, figure, body, camera)


def paint_arms(image: Image.Image, figure: Figure, body: Pose, camera: Camera) -> None:
    """Arms and hands."""
    for sign in (1, -1):
        path = body.arm(sign)
        arm = ribbon(curve(path, 4), _spread(9, (0.19, 0.14, 0.09)))
        shoulder = ellipse(*path[0], 0.19, 0.19, 16)
        rounded(image, [camera.at(arm), camera.at(shoulder)], figure.skin, camera.unit * 0.1)
        (ex, ey), (wx, wy) = path[1:]
        hand = [(wx, wy), (wx + (wx - ex) * 0.3, wy + (wy - ey) * 0.3)]
        palm = ribbon(
            [hand[0], ((hand[0][0] + hand[1][0]) / 2, (hand[0][1] + hand[1][1]) / 2), hand[1]],
            [0.09, 0.14, 0.07],
        )
        rounded(image, [camera.at(palm)], figure.skin, camera.unit * 0.08)


def paint_locks(image: Image.Image, figure: Figure, body: Pose, camera: Camera) -> None:
    """Long hair that falls over the clothes, when seen from behind."""
    if not body.back or figure.haircut not in ("long", "tail"):
        return
    width, end = (0.5, 2.0) if figure.haircut == "long" else (0.17, 2.1)
    fall = closed(
        [
            (0, 0.2),
            *curve([(width * 0.9, 0.5), (width, 1.3), (width * 0.6, end)], 4),
            (0, end + 0.1),
        ]
    )
    rounded(image, [camera.at(fall)], figure.hair, camera.unit * 0.18)
    for x in (-0.5, 0.1, 0.6):
        strand = [(x * width, 0.3), (x * width * 1.1, 1.2), (x * width * 0.7, end)]
        stroke(image, camera.at(curve(strand, 4)), 1.2, shade(figure.hair, 1.5), 0.35)


def _head(image: Image.Image, figure: Figure, body: Pose, camera: Camera) -> None:
    if body.back:
        rounded(image, [camera.at(ellipse(0, 0.52, 0.43, 0.52))], figure.hair, camera.unit * 0.2)
        _bun(image, figure, camera)
        return
    look = 0.17 * figure.turned
    face = closed(
        [(0, 0.08), *curve([(0.3, 0.15), (0.4, 0.5), (0.3, 0.86), (0.12, 1.02)], 4), (0, 1.04)]
    )
    rounded(image, [camera.at(face)], figure.skin, camera.unit * 0.12)
    cap: Polygon = [
        (-0.43, 0.62 + 0.15 * look),
        *curve([(-0.45, 0.3), (-0.25, -0.02), (0, -0.06), (0.25, -0.02), (0.45, 0.3)], 4),
        (0.43, 0.62 - 0.15 * look),
        *curve([(0.35, 0.42), (0.1 + look, 0.24), (-0.2 + look, 0.3), (-0.35, 0.44)], 4),
    ]
    rounded(image, [camera.at(cap)], figure.hair, camera.unit * 0.15)
    _bun(image, figure, camera)
    for eye in (-0.16, 0.16):
        x = eye + look
        if abs(x) < 0.32:
            paint(image, [camera.at(ellipse(x, 0.53, 0.055, 0.035, 10))], (34, 28, 28), 0.85)
            brow = [(x - 0.08, 0.43), (x + 0.02, 0.4), (x + 0.09, 0.43)]
            stroke(image, camera.at(brow), camera.unit * 0.035, figure.hair, 0.8)
    nose = [(look, 0.55), (look * 1.5 + 0.03, 0.7), (look, 0.73)]
    stroke(image, camera.at(nose), camera.unit * 0.025, shade(figure.skin, 0.7), 0.7)
    mouth = curve([(look - 0.11, 0.83), (look, 0.865), (look + 0.11, 0.83)], 3)
    stroke(image, camera.at(mouth), camera.unit * 0.05, (168, 74, 74), 0.8)


def _bun(image: Image.Image, figure: Figure, camera: Camera) -> None:
    if figure.haircut == "bun":
        rounded(image, [camera.at(ellipse(0, -0.12, 0.22, 0.18))], figure.hair, camera.unit * 0.1)


def _spread(count: int, widths: tuple[float, float, float]) -> list[float]:
    """`count` widths from the first over the second to the third."""
    middle = (count - 1) / 2
    result = []
    for i in range(count):
        t = i / middle
        a, b, share = (widths[0], widths[1], t) if t <= 1 else (widths[1], widths[2], t - 1)
        result.append(a + (b - a) * share)
    return result

"""Grounds, and the things that lie about on them or get in the way.

Shop images have plain grounds; user images rooms, streets, floors and beds.
"""

import random
from typing import Final

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import (
    Camera,
    Colour,
    Part,
    Polygon,
    Size,
    closed,
    clouds,
    curve,
    ellipse,
    hsv,
    multiply,
    paint,
    ramp,
    ribbon,
    shade,
)  # fmt: skip
from df2_assets.sample.figure import SKINS

_WHITE: Final = (244, 243, 238)
_WOODS: Final = ((176, 128, 84), (132, 92, 62), (206, 170, 128))
_WALLS: Final = ((150, 92, 76), (196, 178, 150), (120, 130, 146), (212, 196, 180))
_GLASS: Final = ((74, 92, 112), (226, 214, 160), (120, 140, 156))
_BAGS: Final = ((120, 86, 66), (66, 62, 64), (178, 148, 116), (118, 62, 66), (82, 94, 116))
_PRINTED: Final = ((160, 92, 90), (86, 108, 134), (214, 200, 150), (230, 228, 222))
_CLOTHS: Final = ((184, 156, 124), (118, 130, 136), (160, 116, 110), (222, 214, 198))
_GREENS: Final = ((84, 112, 78), (100, 122, 84), (70, 92, 78))
_LEAF: Final = curve([(0, 1.2), (-0.24, 0.1), (0, -1), (0.24, 0.1), (0, 1.2)])

_THINGS: Final[dict[str, tuple[tuple[Colour, ...], list[tuple[Polygon, float | Colour]]]]] = {
    "tote": (_BAGS, [
        (ribbon(curve([(-0.4, -0.6), (-0.3, -1.3), (0.3, -1.3), (0.4, -0.6)]), 0.055), 0.7),
        (closed([(0.72, -0.7), (0.82, 0.85)]), 1),
        (ellipse(0, 0.1, 0.3, 0.3), 1.6),
    ]),
    "handbag": (_BAGS, [
        (ribbon(curve([(-0.5, -0.4), (-0.45, -1.0), (0.45, -1.0), (0.5, -0.4)]), 0.07), 0.75),
        (closed(curve([(0, -0.5), (0.85, -0.35), (0.95, 0.6), (0, 0.75)])), 1),
        (closed(curve([(0, -0.5), (0.86, -0.36), (0.6, 0.12), (0, 0.22)])), 0.8),
        (closed([(0.1, 0.08), (0.1, 0.26)]), (212, 182, 98)),
    ]),
    "arm": (SKINS, [
        (ribbon(curve([(6.5, 4.6), (2.0, 0.95), (-0.35, 0.0), (-0.95, 0.04)]), 0.46, 0.2), 1),
        (ellipse(-0.75, 0.02, 0.36, 0.27), 0.96),
        (ribbon([(-0.25, -0.24), (-0.3, 0.26)], 0.05), (212, 182, 98)),
    ]),
    "magazine": (_PRINTED, [
        (closed([(0.75, -0.95), (0.75, 0.95)]), 1),
        (closed([(0.62, -0.82), (0.62, -0.56)]), 0.45),
        (ellipse(0, 0.16, 0.4, 0.46), 1.7),
        (closed([(0.5, 0.75), (0.5, 0.83)]), 0.45),
    ]),
    "cushion": (_CLOTHS, [
        (closed(curve([(0, -0.74), (0.95, -0.9), (0.8, 0), (0.95, 0.9), (0, 0.74)])), 1),
        *((ribbon([(x, -0.68), (x, 0.68)], 0.06), 0.75) for x in (-0.5, 0, 0.5)),
    ]),
    "plant": (_GREENS, [
        *(
            ([(x + lean * (1.2 - y) / 2, y + abs(lean) * (1.2 - y) / 4) for x, y in _LEAF], tone)
            for lean, tone in ((-1.4, 0.7), (1.4, 0.7), (-0.8, 0.9), (0.8, 0.9), (0, 1.1))
        ),
        (closed([(0.42, 1.0), (0.32, 1.9)]), (172, 116, 90)),
    ]),
    "shoes": (_BAGS, [
        (ellipse(x, y, 0.32 * size, 0.85 * size), tone)
        for x in (-0.4, 0.4)
        for y, size, tone in ((0, 1, 1), (0.32, 0.55, 0.4))
    ]),
}  # fmt: skip
"""Colours to choose from, and outlines around (0, 0), about one unit from the middle to the edge.

Each outline has a factor by which that colour is shaded, or a colour of its own.
"""

IN_A_STUDIO: Final = ("tote", "handbag", "arm", "magazine")
IN_DAILY_LIFE: Final = ("tote", "handbag", "arm", "magazine", "plant", "cushion")
ON_THE_FLOOR: Final = ("shoes", "magazine", "tote", "cushion", "plant")


def choose_thing(rng: random.Random, names: tuple[str, ...]) -> list[Part]:
    """Return one of the named things in one of its colours, as it is or mirrored."""
    colours, outlines = _THINGS[rng.choice(names)]
    own, is_mirrored = rng.choice(colours), rng.random() < 0.5
    tones = [tone if isinstance(tone, tuple) else shade(own, tone) for _, tone in outlines]
    parts = [Part(o, tone, 0.12) for (o, _), tone in zip(outlines, tones, strict=True)]
    return [part.mirrored() for part in parts] if is_mirrored else parts


def draw_studio(rng: random.Random, size: Size) -> Image.Image:
    """Return a plain ground: near white or pale, a little lighter in the middle."""
    colour = hsv(rng.random(), rng.choice((0.01, rng.uniform(0.02, 0.18))), rng.uniform(0.88, 0.98))
    ground = Image.new("RGB", size, colour)
    if rng.random() < 0.5:  # the edge between wall and floor
        ground.paste(shade(colour, 0.9), (0, round(size[1] * rng.uniform(0.8, 0.9)), *size))
    return multiply(ground, Image.radial_gradient("L").resize(size).point(ramp(1.0, 0.86)))


def draw_scene(rng: random.Random, size: Size, lying: bool) -> Image.Image:
    """Return somebody's room or street; `lying`: a floor or a bed, seen from above.

    It is drawn at half the size and enlarged: out of focus, as behind a person.
    """
    width, height = (size[0] + 1) // 2, (size[1] + 1) // 2
    small = Image.new("RGB", (width, height), _choose_colour(rng))
    draw = ImageDraw.Draw(small)
    horizon = 0 if lying else round(height * rng.uniform(0.68, 0.8))
    rng.choice((_draw_boards, _draw_stripes))(draw, rng, horizon, width, height)
    if not lying:
        rng.choice((_draw_room, _draw_houses))(draw, rng, horizon, width)
    for _ in range(rng.randint(4, 7)):
        x, y, reach = rng.randint(0, width), rng.randint(horizon, height), rng.randint(16, 30)
        parts = [part._replace(depth=0) for part in choose_thing(rng, ON_THE_FLOOR)]
        paint(small, Camera(reach, x, y), parts)
    small = multiply(small, clouds(rng, small.size, (4, 5)).point(ramp(0.82, 1.1)))
    return small.resize(size, Image.Resampling.BICUBIC)


def _choose_colour(rng: random.Random) -> Colour:
    return hsv(rng.random(), rng.uniform(0.1, 0.5), rng.uniform(0.45, 0.9))


def _draw_boards(
    draw: ImageDraw.ImageDraw, rng: random.Random, top: int, width: int, height: int
) -> None:
    wood, across = rng.choice(_WOODS), rng.randint(18, 34)
    for x in range(-rng.randrange(across), width, across):
        tone, y = shade(wood, rng.uniform(0.8, 1.1)), rng.randint(top, height)
        for plank in ((x, top, x + across, y), (x, y, x + across, height)):
            draw.rectangle(plank, fill=tone, outline=shade(wood, 0.6))


def _draw_stripes(
    draw: ImageDraw.ImageDraw, rng: random.Random, top: int, width: int, height: int
) -> None:
    """Draw a striped cover or carpet."""
    draw.rectangle((0, top, width, height), fill=_choose_colour(rng))
    band, step, lean = _choose_colour(rng), rng.randint(22, 44), rng.randint(-120, 120)
    for x in range(-abs(lean), width + abs(lean), step):
        draw.line((x, top, x + lean, height), fill=band, width=step // 4)


def _draw_room(draw: ImageDraw.ImageDraw, rng: random.Random, floor: int, width: int) -> None:
    """Draw a window with curtains, pictures and a sofa."""
    draw.rectangle((0, floor - 5, width, floor), fill=_WHITE)
    x, across, curtain = rng.randint(-10, width // 2), width // 3, _choose_colour(rng)
    pane = (x, floor // 8, x + across, floor * 2 // 3)
    draw.rectangle(pane, fill=(212, 228, 240), outline=_WHITE, width=5)
    for i in range(5):
        for left in (x - 26 + i * 6, x + across - 6 + i * 6):
            fold = shade(curtain, 0.85 + 0.1 * (i % 3))
            draw.rectangle((left, 0, left + 6, floor - 20), fill=fold)
    for _ in range(rng.randint(1, 3)):
        x, y, side = rng.randint(0, width), rng.randint(5, floor // 2), rng.randint(24, 44)
        draw.rectangle((x, y, x + side, y + side), fill=_WHITE, outline=(96, 70, 50), width=3)
        draw.ellipse((x + 8, y + 8, x + side - 8, y + side - 8), fill=_choose_colour(rng))
    x, sofa = rng.choice((-width // 5, width // 2)), _choose_colour(rng)
    draw.rounded_rectangle((x, floor - 50, x + width * 3 // 4, floor + 30), 14, fill=sofa)
    draw.rounded_rectangle(
        (x - 8, floor - 10, x + width * 4 // 5, floor + 34), 10, fill=shade(sofa, 0.8)
    )


def _draw_houses(draw: ImageDraw.ImageDraw, rng: random.Random, ground: int, width: int) -> None:
    """Draw houses with shops under a sky."""
    draw.rectangle((0, 0, width, ground), fill=(190, 208, 226))
    x = -rng.randint(0, 40)
    while x < width:
        right, top = x + rng.randint(44, 96), rng.randint(0, ground // 2)
        wall, glass = rng.choice(_WALLS), rng.choice(_GLASS)
        draw.rectangle((x, top, right, ground), fill=wall)
        for u in range(x + 7, right - 10, 18):
            for v in range(top + 9, ground - 52, 25):
                draw.rectangle((u, v, u + 10, v + 15), fill=glass, outline=shade(wall, 1.5))
        draw.rectangle((x + 3, ground - 40, right - 3, ground), fill=shade(glass, 0.7))
        draw.rectangle((x, ground - 50, right, ground - 38), fill=_choose_colour(rng))
        x = right

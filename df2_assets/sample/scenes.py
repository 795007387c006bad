"""Grounds: plain ones for shop images; rooms, streets and floors for user images."""

import random
from typing import Final, NamedTuple

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import Camera, Colour, Size, clouds, hsv, multiply, paint, ramp, shade
from df2_assets.sample.things import ON_THE_FLOOR, choose_thing

_WHITE: Final = (244, 243, 238)
_WOODS: Final = ((176, 128, 84), (132, 92, 62), (206, 170, 128))
_GREENS: Final = ((62, 112, 58), (86, 128, 62), (48, 92, 66))
_SKIES: Final = ((176, 204, 230), (214, 218, 224), (240, 206, 176))
_WALLS: Final = ((150, 92, 76), (196, 178, 150), (120, 130, 146), (212, 196, 180))


class Sketch(NamedTuple):
    """Where a scene is drawn, by whose chance, and how large it is in pixels."""

    image: Image.Image
    draw: ImageDraw.ImageDraw
    rng: random.Random
    width: int
    height: int

    def colour(self) -> Colour:
        """Return a colour of any hue."""
        return hsv(self.rng.random(), self.rng.uniform(0.1, 0.5), self.rng.uniform(0.45, 0.9))

    def place(self, x: float, y: float, size: float, *names: str) -> None:
        """Put one of the named things at a place."""
        paint(self.image, Camera(size, x, y), choose_thing(self.rng, names))

    def fill(self, top: float, colour: Colour) -> None:
        """Fill the picture from `top` down."""
        self.draw.rectangle((0, top, self.width, self.height), fill=colour)


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
    small = Image.new("RGB", ((size[0] + 1) // 2, (size[1] + 1) // 2))
    sketch = Sketch(small, ImageDraw.Draw(small), rng, *small.size)
    if lying:
        rng.choice((_draw_boards, _draw_cover))(sketch, 0)
        for _ in range(rng.randint(4, 7)):
            x, y = rng.randint(0, small.width), rng.randint(0, small.height)
            sketch.place(x, y, rng.randint(16, 30), *ON_THE_FLOOR)
    else:
        rng.choice((_draw_room, _draw_street, _draw_park))(sketch)
    small = multiply(small, clouds(rng, small.size, (4, 5)).point(ramp(0.82, 1.1)))
    return small.resize(size, Image.Resampling.BICUBIC)


def _draw_boards(s: Sketch, top: int) -> None:
    """Floorboards from `top` down."""
    wood, width = s.rng.choice(_WOODS), s.rng.randint(18, 34)
    for x in range(-s.rng.randrange(width), s.width, width):
        tone, y = shade(wood, s.rng.uniform(0.8, 1.1)), s.rng.randint(top, s.height)
        for plank in ((x, top, x + width, y), (x, y, x + width, s.height)):
            s.draw.rectangle(plank, fill=tone, outline=shade(wood, 0.6))


def _draw_cover(s: Sketch, top: int) -> None:
    """A striped bed cover and pillows."""
    s.fill(top, s.colour())
    band, step, lean = s.colour(), s.rng.randint(22, 44), s.rng.randint(-120, 120)
    for x in range(-abs(lean), s.width + abs(lean), step):
        s.draw.line((x, top, x + lean, s.height), fill=band, width=step // 4)
    for x in (s.rng.randint(-30, 20), s.width // 2 + s.rng.randint(0, 30)):
        s.draw.rounded_rectangle((x, -30, x + 110, 44), 18, fill=_WHITE, outline=shade(_WHITE, 0.8))


def _draw_room(s: Sketch) -> None:
    """A window with curtains, pictures, a sofa, a plant."""
    rng, wall, floor = s.rng, s.colour(), round(s.height * s.rng.uniform(0.68, 0.8))
    s.fill(0, wall)
    _draw_boards(s, floor)
    s.draw.rectangle((0, floor - 5, s.width, floor), fill=shade(wall, 1.4))
    x, across, curtain = rng.randint(-10, s.width // 2), s.width // 3, s.colour()
    pane = (x, s.height // 12, x + across, s.height // 2)
    s.draw.rectangle(pane, fill=(212, 228, 240), outline=_WHITE, width=5)
    for i in range(5):
        for left in (x - 26 + i * 6, x + across - 6 + i * 6):
            fold = shade(curtain, 0.85 + 0.1 * (i % 3))
            s.draw.rectangle((left, 0, left + 6, floor - 20), fill=fold)
    for _ in range(rng.randint(1, 3)):
        x, y, side = rng.randint(0, s.width), rng.randint(5, s.height // 3), rng.randint(24, 44)
        s.draw.rectangle((x, y, x + side, y + side), fill=_WHITE, outline=(96, 70, 50), width=3)
        s.draw.ellipse((x + 8, y + 8, x + side - 8, y + side - 8), fill=s.colour())
    x, y = rng.choice((-s.width // 5, s.width // 2)), floor - s.height // 9
    s.draw.rounded_rectangle((x, y, x + s.width * 3 // 4, s.height), 14, fill=s.colour())
    s.place(x + 60, y, 26, "cushion")
    s.place(rng.randint(10, s.width - 10), floor - 24, 30, "plant")


def _draw_street(s: Sketch) -> None:
    """Houses and paving, a tree, a car."""
    draw, rng = s.draw, s.rng
    s.fill(0, rng.choice(_SKIES))
    ground, x = round(s.height * rng.uniform(0.66, 0.78)), -rng.randint(0, 40)
    while x < s.width:
        right, top, wall = (
            x + rng.randint(44, 96),
            rng.randint(0, s.height // 3),
            rng.choice(_WALLS),
        )
        glass = rng.choice(((74, 92, 112), (226, 214, 160)))
        draw.rectangle((x, top, right, ground), fill=wall)
        for u in range(x + 7, right - 10, 18):
            for v in range(top + 9, ground - 52, 25):
                draw.rectangle((u, v, u + 10, v + 15), fill=glass, outline=shade(wall, 1.5))
        draw.rectangle((x + 3, ground - 40, right - 3, ground), fill=shade(glass, 0.7))
        draw.rectangle((x, ground - 50, right, ground - 38), fill=s.colour())
        x = right
    s.fill(ground, (150, 148, 146))
    for i in range(-11, 11):
        line = (s.width // 2 + i * 12, ground, s.width // 2 + i * 60, s.height)
        draw.line(line, fill=(126, 124, 122), width=2)
    _draw_tree(s, rng.randint(0, s.width), ground)
    x, y, body = rng.randint(-30, s.width - 50), ground + 12, s.colour()
    cabin = [(x + 16, y - 28), (x + 34, y - 50), (x + 82, y - 50), (x + 104, y - 28)]
    draw.polygon(cabin, fill=(70, 84, 98), outline=body, width=4)
    draw.rounded_rectangle((x, y - 30, x + 120, y - 6), 8, fill=body)
    for wheel in (x + 26, x + 94):
        draw.circle((wheel, y - 5), 13, fill=(32, 32, 34), outline=(160, 160, 164), width=3)


def _draw_park(s: Sketch) -> None:
    """Trees, grass and a path."""
    s.fill(0, s.rng.choice(_SKIES))
    horizon, grass = round(s.height * s.rng.uniform(0.5, 0.66)), shade(s.rng.choice(_GREENS), 1.2)
    for x in range(0, s.width, 50):
        _draw_tree(s, x, horizon)
    s.fill(horizon, grass)
    for _ in range(120):
        x, y = s.rng.randint(0, s.width), s.rng.randint(horizon, s.height)
        s.draw.line((x, y, x + 2, y - 8), fill=shade(grass, s.rng.uniform(0.7, 1.3)))
    far, near = s.rng.randint(0, s.width), s.width // 2
    path = [(far - 8, horizon), (far + 8, horizon), (near + 90, s.height), (near - 90, s.height)]
    s.draw.polygon(path, fill=(206, 188, 156))


def _draw_tree(s: Sketch, x: int, foot: int) -> None:
    green, crown = s.rng.choice(_GREENS), foot - s.rng.randint(120, 200)
    s.draw.rectangle((x - 5, crown, x + 5, foot + 12), fill=(92, 72, 58))
    for _ in range(14):
        at = (x + s.rng.randint(-44, 44), crown + s.rng.randint(-44, 44))
        s.draw.circle(at, s.rng.randint(14, 28), fill=shade(green, s.rng.uniform(0.7, 1.3)))

"""Outdoors, behind a person: a street, a park."""

from df2_assets.sample.canvas import shade
from df2_assets.sample.scenes.props import Sketch


def street(s: Sketch) -> None:
    """Houses and shops, paving, trees, a car, people."""
    draw, chance, width = s.draw, s.chance, s.width
    sky = chance.choice(((176, 204, 230), (214, 218, 224), (240, 206, 176), (150, 184, 222)))
    draw.rectangle((0, 0, width, s.height), fill=sky)
    ground = round(s.height * chance.uniform(0.66, 0.78))
    x = -chance.randint(0, 40)
    while x < width:
        x = _house(s, x, ground)
    _paving(s, ground)
    for _ in range(chance.randint(1, 2)):
        _tree(s, chance.randint(0, width), ground)
    if chance.random() < 0.7:
        _car(s, chance.randint(-30, width - 50), ground + 12)
    for _ in range(chance.randint(1, 3)):
        s.passer(chance.randint(0, width), ground + 8)


def park(s: Sketch) -> None:
    """Trees, grass, a path, perhaps a bench."""
    draw, chance = s.draw, s.chance
    sky = chance.choice(((186, 214, 236), (224, 226, 226)))
    draw.rectangle((0, 0, s.width, s.height), fill=sky)
    horizon = round(s.height * chance.uniform(0.45, 0.6))
    for _ in range(70):
        x, y = chance.randint(0, s.width), horizon - chance.randint(-20, s.height // 3)
        s.disc(x, y, chance.randint(12, 34), shade(s.green(), chance.uniform(0.6, 1.4)))
    grass = shade(s.green(), 1.2)
    draw.rectangle((0, horizon, s.width, s.height), fill=grass)
    for _ in range(120):
        x, y = chance.randint(0, s.width), chance.randint(horizon, s.height)
        blade = (x, y, x + chance.randint(-3, 3), y - chance.randint(4, 9))
        draw.line(blade, fill=shade(grass, chance.uniform(0.7, 1.3)))
    far, near = chance.randint(0, s.width), s.width // 2
    edge = [(near + 90, s.height), (near - 90, s.height)]
    draw.polygon([(far - 8, horizon), (far + 8, horizon), *edge], fill=(206, 188, 156))
    if chance.random() < 0.6:
        _bench(s, chance.randint(0, s.width - 60), horizon + 30)
    for _ in range(chance.randint(0, 2)):
        s.passer(chance.randint(0, s.width), horizon + 36)


def _house(s: Sketch, x: int, ground: int) -> int:
    """A house with its left edge at x; returns its right edge."""
    draw, chance = s.draw, s.chance
    right = x + chance.randint(44, 96)
    top = chance.randint(0, s.height // 3)
    painted = s.colour((0.05, 0.35), (0.4, 0.85))
    wall = chance.choice((painted, (150, 92, 76), (196, 178, 150)))
    glass = chance.choice(((74, 92, 112), (226, 214, 160), (120, 140, 156)))
    draw.rectangle((x, top, right, ground), fill=wall)
    for u in range(x + 7, right - 10, 18):
        for v in range(top + 9, ground - 52, 25):
            draw.rectangle((u, v, u + 10, v + 15), fill=glass, outline=shade(wall, 1.5))
    draw.rectangle((x + 3, ground - 40, right - 3, ground), fill=shade(glass, 0.7))
    awning = s.colour((0.3, 0.8), (0.4, 0.8))
    draw.rectangle((x, ground - 50, right, ground - 38), fill=awning)
    return right


def _paving(s: Sketch, ground: int) -> None:
    stone = s.chance.choice(((150, 148, 146), (128, 126, 130), (176, 166, 152)))
    joint = shade(stone, 0.84)
    s.draw.rectangle((0, ground, s.width, s.height), fill=stone)
    for i in range(-11, 11):
        far, near = s.width // 2 + i * 12, s.width // 2 + i * 60
        s.draw.line((far, ground, near, s.height), fill=joint, width=2)
    for i in range(6):
        y = ground + round((s.height - ground) * (i / 6) ** 1.7)
        s.draw.line((0, y, s.width, y), fill=joint, width=2)


def _tree(s: Sketch, x: int, ground: int) -> None:
    s.draw.rectangle((x - 5, ground // 3, x + 5, ground + 12), fill=(92, 72, 58))
    for _ in range(14):
        u, v = x + s.chance.randint(-46, 46), ground // 4 + s.chance.randint(-50, 40)
        s.disc(u, v, s.chance.randint(14, 28), shade(s.green(), s.chance.uniform(0.7, 1.3)))


def _car(s: Sketch, x: int, y: int) -> None:
    paint = s.colour((0.1, 0.85), (0.3, 0.85))
    cabin = [(x + 16, y - 28), (x + 34, y - 50), (x + 82, y - 50), (x + 104, y - 28)]
    glass = [(x + 24, y - 30), (x + 38, y - 46), (x + 78, y - 46), (x + 94, y - 30)]
    s.draw.polygon(cabin, fill=shade(paint, 0.8))
    s.draw.polygon(glass, fill=(70, 84, 98))
    s.draw.rounded_rectangle((x, y - 30, x + 120, y - 6), 8, fill=paint)
    for wheel in (x + 26, x + 94):
        s.disc(wheel, y - 5, 13, (32, 32, 34))
        s.disc(wheel, y - 5, 6, (160, 160, 164))


def _bench(s: Sketch, x: int, y: int) -> None:
    for row in (y, y + 9, y + 18):
        s.draw.rectangle((x, row, x + 80, row + 5), fill=(122, 84, 58))
    for leg in (x + 6, x + 70):
        s.draw.rectangle((leg, y, leg + 4, y + 48), fill=(60, 60, 62))

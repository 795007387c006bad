"""Indoors, behind a person: a bedroom, a mirror, a clothes rail, a cafe."""

from df2_assets.sample.canvas import shade
from df2_assets.sample.scenes.props import Sketch

_WHITE = (250, 250, 248)


def bedroom(s: Sketch) -> None:
    """A window with curtains, pictures, a bed."""
    draw, chance, width = s.draw, s.chance, s.width
    wall = s.colour((0.08, 0.3), (0.62, 0.9))
    floor = round(s.height * chance.uniform(0.68, 0.8))
    draw.rectangle((0, 0, width, floor), fill=wall)
    s.planks((0, floor, width, s.height))
    draw.rectangle((0, floor - 5, width, floor), fill=shade(wall, 1.4))
    _window(s, chance.randint(-10, width // 2), floor - 20)
    for _ in range(chance.randint(1, 3)):
        x, y = chance.randint(0, width - 40), chance.randint(5, s.height // 3)
        s.picture(x, y, chance.randint(24, 44))
    _bed(s, chance.choice((-width // 5, width // 2)), floor - s.height // 9)
    s.plant(chance.randint(10, width - 10), floor + 8, 26)


def mirror(s: Sketch) -> None:
    """The bedroom, seen in a tall mirror."""
    bedroom(s)
    frame = shade(s.wood(), s.chance.uniform(0.4, 0.9))
    inset, top = s.width // 9, s.width // 18
    box = (inset - 6, top - 6, s.width - inset + 6, s.height - 2)
    s.draw.rectangle(box, outline=frame, width=7)
    middle = s.width // 2
    glint = [(inset, s.height // 3), (middle, top), (middle + 24, top), (inset, s.height // 2)]
    s.draw.polygon(glint, outline=_WHITE)


def wardrobe(s: Sketch) -> None:
    """Two rails full of clothes, as in a shop."""
    draw, chance, width = s.draw, s.chance, s.width
    draw.rectangle((0, 0, width, s.height), fill=s.colour((0.05, 0.2), (0.5, 0.85)))
    floor = round(s.height * 0.82)
    s.planks((0, floor, width, s.height))
    for rail in (s.height // 10, s.height // 2):
        draw.rectangle((0, rail - 3, width, rail), fill=(92, 92, 96))
        x = chance.randint(0, 14)
        while x < width:
            span, foot = chance.randint(9, 22), rail + chance.randint(s.height // 5, s.height // 3)
            colour = s.colour((0.1, 0.75), (0.25, 0.9))
            shoulders = [(x, rail + 14), (x + span // 2, rail), (x + span, rail + 14)]
            draw.polygon([*shoulders, (x + span + 2, foot), (x - 2, foot)], fill=colour)
            draw.line((x, rail + 14, x - 1, foot), fill=shade(colour, 0.6), width=2)
            x += span + chance.randint(0, 7)
    for _ in range(4):
        x, colour = chance.randint(0, width), s.colour((0.2, 0.7), (0.3, 0.8))
        draw.rounded_rectangle((x, floor - 10, x + 24, floor + 4), 3, fill=colour)


def cafe(s: Sketch) -> None:
    """Brick, tiles, lamps and small tables."""
    draw, chance = s.draw, s.chance
    brick = chance.choice(((156, 88, 70), (188, 178, 166), (112, 72, 62)))
    draw.rectangle((0, 0, s.width, s.height), fill=shade(brick, 0.7))
    for row in range(0, s.height, 13):
        for x in range(-(row // 13 % 2) * 15, s.width, 30):
            box = (x, row, x + 27, row + 10)
            draw.rectangle(box, fill=shade(brick, chance.uniform(0.82, 1.14)))
    floor = round(s.height * 0.78)
    tile = chance.choice(((206, 202, 194), (92, 88, 86)))
    for row in range(8):
        for column in range(-1, s.width // 34 + 1):
            x, y = column * 34, floor + row * 18
            colour = tile if (row + column) % 2 else shade(tile, 0.72)
            draw.rectangle((x, y, x + 34, y + 18), fill=colour)
    lamp = s.height // 6
    for _ in range(3):
        x = chance.randint(0, s.width)
        draw.line((x, 0, x, lamp), fill=(30, 30, 30), width=2)
        draw.chord((x - 20, lamp - 18, x + 20, lamp + 22), 180, 360, fill=(40, 44, 48))
        s.disc(x, lamp + 3, 9, (255, 226, 160))
    for _ in range(2):
        x, y = chance.randint(-10, s.width), floor - chance.randint(4, 20)
        draw.rectangle((x - 3, y, x + 3, y + 60), fill=(48, 44, 42))
        draw.ellipse((x - 44, y - 9, x + 44, y + 9), fill=s.wood())
        draw.rectangle((x - 8, y - 18, x + 4, y - 3), fill=(240, 238, 232))
        s.plant(chance.randint(0, s.width), floor + 12, chance.randint(20, 34))


def _window(s: Sketch, x: int, curtain_end: int) -> None:
    top, bottom, across = s.height // 12, s.height // 2, s.width // 3
    box = (x, top, x + across, bottom)
    s.draw.rectangle(box, fill=(212, 228, 240), outline=_WHITE, width=5)
    s.draw.line((x + across // 2, top, x + across // 2, bottom), fill=_WHITE, width=4)
    curtain = s.colour((0.2, 0.5), (0.5, 0.85))
    for i in range(5):
        fold = shade(curtain, 0.85 + 0.1 * (i % 3))
        for side in (x - 26 + i * 6, x + across - 6 + i * 6):
            s.draw.rectangle((side, 0, side + 6, curtain_end), fill=fold)


def _bed(s: Sketch, x: int, y: int) -> None:
    cover = s.colour((0.15, 0.5), (0.5, 0.9))
    s.draw.rectangle((x, y - 26, x + 12, s.height), fill=shade(s.wood(), 0.7))
    s.draw.rounded_rectangle((x, y, x + s.width * 3 // 4, s.height - 12), 14, fill=cover)
    s.draw.rounded_rectangle((x + 12, y - 16, x + 70, y + 14), 9, fill=(240, 238, 232))
    for i in range(5):
        fold = (x + 20 + i * 26, y + 16, x + 6 + i * 30, s.height)
        s.draw.line(fold, fill=shade(cover, 0.85), width=3)

"""What clothes lie or hang on: a floor, a bed, a door. Seen straight on."""

from df2_assets.sample.canvas import shade
from df2_assets.sample.scenes.props import Sketch


def floor(s: Sketch) -> None:
    """Boards, perhaps a rug."""
    s.planks((0, 0, s.width, s.height))
    if s.chance.random() < 0.6:
        rug = s.colour((0.15, 0.6), (0.4, 0.85))
        x, y = s.chance.randint(-60, 30), s.chance.randint(-60, s.height // 3)
        right, bottom = x + s.width, y + s.height * 2 // 3
        for i in range(0, 36, 9):
            box = (x + i, y + i, right - i, bottom - i)
            s.draw.rounded_rectangle(box, 8, fill=shade(rug, 0.8 + 0.15 * (i % 2)))
    _litter(s)


def bed(s: Sketch) -> None:
    """A striped cover and pillows."""
    draw, chance = s.draw, s.chance
    cover, band = s.colour((0.05, 0.4), (0.55, 0.92)), s.colour((0.1, 0.5), (0.5, 0.9))
    draw.rectangle((0, 0, s.width, s.height), fill=cover)
    step, lean = chance.randint(22, 44), s.height // 3
    for x in range(-s.height, s.width, step):
        draw.line((x, 0, x + lean, s.height), fill=band, width=step // 4)
    if chance.random() < 0.5:
        for x in range(0, s.width + s.height, step):
            draw.line((x, 0, x - lean, s.height), fill=band, width=step // 5)
    for _ in range(2):
        x, edge = chance.randint(-30, s.width - 40), shade(cover, 0.8)
        pillow = (x, -30, x + 110, 44)
        draw.rounded_rectangle(pillow, 18, fill=(240, 238, 232), outline=edge, width=2)
    _litter(s)


def door(s: Sketch) -> None:
    """A panelled door in a wall with pictures."""
    draw, chance, width = s.draw, s.chance, s.width
    draw.rectangle((0, 0, width, s.height), fill=s.colour((0.1, 0.35), (0.5, 0.85)))
    leaf = shade(s.wood(), chance.uniform(0.8, 1.3))
    left, right = chance.randint(10, width // 5), width - chance.randint(10, width // 5)
    draw.rectangle((left - 9, 0, right + 9, s.height), fill=(236, 234, 228))
    draw.rectangle((left, 8, right, s.height), fill=leaf)
    half, middle = s.height // 2, (left + right) // 2
    for top, bottom in ((24, half - 14), (half + 10, s.height - 24)):
        for x1, x2 in ((left + 16, middle - 8), (middle + 8, right - 16)):
            box = (x1, top, x2, bottom)
            draw.rectangle(box, fill=shade(leaf, 0.92), outline=shade(leaf, 0.7), width=3)
    s.disc(right - 16, half, 6, (196, 170, 96))
    for x in (0, right + 14):
        s.picture(x, chance.randint(10, half), chance.randint(18, 34))


def _litter(s: Sketch) -> None:
    """Shoes, a magazine, a belt: what lies about."""
    draw, chance = s.draw, s.chance
    for _ in range(chance.randint(3, 6)):
        x, y = chance.randint(-10, s.width - 20), chance.randint(-10, s.height - 10)
        colour = s.colour((0.2, 0.8), (0.25, 0.9))
        kind = chance.choice(("shoes", "magazine", "belt"))
        if kind == "shoes":
            for left in (x, x + 17):
                draw.ellipse((left, y, left + 14, y + 38), fill=colour)
                draw.ellipse((left + 3, y + 4, left + 11, y + 18), fill=shade(colour, 0.4))
        elif kind == "magazine":
            page = [(x + 6, y + 13), (x + 38, y + 7), (x + 41, y + 22), (x + 8, y + 28)]
            draw.polygon([(x, y + 8), (x + 42, y), (x + 50, y + 50), (x + 7, y + 58)], fill=colour)
            draw.polygon(page, fill=(240, 238, 230))
        else:
            draw.arc((x, y, x + 56, y + 48), 20, 320, fill=colour, width=5)

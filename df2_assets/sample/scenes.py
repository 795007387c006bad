"""Grounds: plain ones for shop images; rooms, streets and floors for user images.

Cluttered scenes are drawn at half the size and enlarged: out of focus, as behind a person.
"""

import colorsys
import random
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import Colour, clouds, multiply, ramp, shade

Size = tuple[int, int]


def plain(chance: random.Random, size: Size) -> Image.Image:
    """A studio ground: near white or a pale colour, a little lighter in the middle."""
    if chance.random() < 0.5:
        level = chance.randint(228, 252)
        colour: Colour = (level, level, level - chance.randint(0, 6))
    else:
        colour = _colour(chance, (0.04, 0.18), (0.86, 0.97))
    ground = Image.new("RGB", size, colour)
    light = Image.radial_gradient("L").resize(size).point(ramp(1.0, 0.86))
    ground = multiply(ground, light)
    if chance.random() < 0.5:  # the edge between wall and floor
        floor = round(size[1] * chance.uniform(0.8, 0.9))
        ground.paste(shade(colour, 0.9), (0, floor, size[0], size[1]))
    return ground


def cluttered(chance: random.Random, size: Size, lying: bool) -> Image.Image:
    """Somebody's room or street; `lying`: a floor, a bed or a door, seen straight on."""
    scene = chance.choice(_LYING if lying else _STANDING)
    small = Image.new("RGB", ((size[0] + 1) // 2, (size[1] + 1) // 2))
    scene(ImageDraw.Draw(small), chance, small.size)
    small = multiply(small, clouds(chance, small.size, (4, 5)).point(ramp(0.82, 1.1)))
    return small.resize(size, Image.Resampling.BICUBIC)


def _colour(
    chance: random.Random, saturation: tuple[float, float], value: tuple[float, float]
) -> Colour:
    r, g, b = colorsys.hsv_to_rgb(
        chance.random(), chance.uniform(*saturation), chance.uniform(*value)
    )
    return round(r * 255), round(g * 255), round(b * 255)


def _wood(chance: random.Random) -> Colour:
    return shade(
        chance.choice(((176, 128, 84), (132, 92, 62), (206, 170, 128))), chance.uniform(0.8, 1.1)
    )


def _planks(
    draw: ImageDraw.ImageDraw, chance: random.Random, box: tuple[int, int, int, int]
) -> None:
    left, top, right, bottom = box
    wood = _wood(chance)
    width = chance.randint(18, 34)
    for x in range(left - chance.randrange(width), right, width):
        colour = shade(wood, chance.uniform(0.84, 1.12))
        draw.rectangle((x, top, x + width, bottom), fill=colour)
        draw.line((x, top, x, bottom), fill=shade(wood, 0.55))
        for _ in range(2):
            y = chance.randint(top, bottom)
            draw.line((x, y, x + width, y), fill=shade(wood, 0.6))
        for _ in range(3):
            grain = x + chance.randrange(width)
            draw.line((grain, top, grain, bottom), fill=shade(colour, 0.92))


def _plant(draw: ImageDraw.ImageDraw, chance: random.Random, x: int, y: int, size: int) -> None:
    green = _green(chance)
    for _ in range(9):
        dx, dy = chance.randint(-size, size), chance.randint(-2 * size, -size // 2)
        leaf = [(x, y), (x + dx - size // 4, y + dy), (x + dx + size // 4, y + dy - size // 5)]
        draw.polygon(leaf, fill=shade(green, chance.uniform(0.7, 1.3)))
    half = size // 2
    draw.polygon(
        [(x - half, y), (x + half, y), (x + half // 2, y + size), (x - half // 2, y + size)],
        fill=(178, 104, 72),
    )


def _green(chance: random.Random) -> Colour:
    return chance.choice(((62, 112, 58), (86, 128, 62), (48, 92, 66), (118, 142, 72)))


def _picture(draw: ImageDraw.ImageDraw, chance: random.Random, x: int, y: int, size: int) -> None:
    draw.rectangle((x, y, x + size, y + size * 5 // 4), fill=shade(_wood(chance), 0.6))
    draw.rectangle((x + 3, y + 3, x + size - 3, y + size * 5 // 4 - 3), fill=(238, 234, 224))
    for _ in range(3):
        a, b = chance.randint(6, size // 2), chance.randint(6, size // 2)
        draw.ellipse(
            (x + a, y + b, x + a + size // 3, y + b + size // 2),
            fill=_colour(chance, (0.3, 0.7), (0.4, 0.8)),
        )


def _bedroom(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    wall = _colour(chance, (0.08, 0.3), (0.62, 0.9))
    floor = round(height * chance.uniform(0.68, 0.8))
    draw.rectangle((0, 0, width, floor), fill=wall)
    _planks(draw, chance, (0, floor, width, height))
    draw.rectangle((0, floor - 5, width, floor), fill=shade(wall, 1.4))
    x = chance.randint(-10, width // 2)
    window = (x, height // 12, x + width // 3, height // 2)
    draw.rectangle(window, fill=(212, 228, 240), outline=(250, 250, 248), width=5)
    draw.line((x + width // 6, window[1], x + width // 6, window[3]), fill=(250, 250, 248), width=4)
    curtain = _colour(chance, (0.2, 0.5), (0.5, 0.85))
    for i in range(5):
        for side in (x - 26, x + width // 3 - 6):
            draw.rectangle(
                (side + i * 6, 0, side + i * 6 + 6, floor - 20),
                fill=shade(curtain, 0.85 + 0.1 * (i % 3)),
            )
    for _ in range(chance.randint(1, 3)):
        _picture(
            draw,
            chance,
            chance.randint(0, width - 40),
            chance.randint(5, height // 3),
            chance.randint(24, 44),
        )
    cover = _colour(chance, (0.15, 0.5), (0.5, 0.9))
    left = chance.choice((-width // 5, width // 2))
    top = floor - height // 9
    draw.rectangle((left, top - 26, left + 12, height), fill=shade(_wood(chance), 0.7))
    draw.rounded_rectangle((left, top, left + width * 3 // 4, height - 12), 14, fill=cover)
    draw.rounded_rectangle((left + 12, top - 16, left + 70, top + 14), 9, fill=(240, 238, 232))
    for i in range(5):
        draw.line(
            (left + 20 + i * 26, top + 16, left + 6 + i * 30, height),
            fill=shade(cover, 0.85),
            width=3,
        )
    _plant(draw, chance, chance.randint(10, width - 10), floor + 8, 26)


def _mirror(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    _bedroom(draw, chance, size)
    frame = shade(_wood(chance), chance.uniform(0.4, 0.9))
    inset = width // 9
    for edge in range(6):
        draw.rectangle(
            (inset - edge, inset // 2 - edge, width - inset + edge, height - 8 + edge),
            outline=frame,
        )
    draw.polygon(
        [
            (inset, height // 3),
            (width // 2, inset // 2),
            (width // 2 + 24, inset // 2),
            (inset, height // 2),
        ],
        fill=None,
        outline=(250, 250, 250),
    )


def _street(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    sky = chance.choice(((176, 204, 230), (214, 218, 224), (240, 206, 176), (150, 184, 222)))
    draw.rectangle((0, 0, width, height), fill=sky)
    ground = round(height * chance.uniform(0.66, 0.78))
    x = -chance.randint(0, 40)
    while x < width:
        span = chance.randint(44, 96)
        top = chance.randint(0, height // 3)
        wall = chance.choice(
            (_colour(chance, (0.05, 0.35), (0.4, 0.85)), (150, 92, 76), (196, 178, 150))
        )
        draw.rectangle((x, top, x + span, ground), fill=wall)
        glass = chance.choice(((74, 92, 112), (226, 214, 160), (120, 140, 156)))
        for wx in range(x + 7, x + span - 10, 18):
            for wy in range(top + 9, ground - 52, 25):
                draw.rectangle((wx, wy, wx + 10, wy + 15), fill=glass, outline=shade(wall, 1.5))
        shop = _colour(chance, (0.3, 0.8), (0.4, 0.8))
        draw.rectangle((x + 3, ground - 40, x + span - 3, ground), fill=shade(glass, 0.7))
        draw.rectangle((x, ground - 50, x + span, ground - 38), fill=shop)
        x += span
    stone = chance.choice(((150, 148, 146), (128, 126, 130), (176, 166, 152)))
    draw.rectangle((0, ground, width, height), fill=stone)
    for i in range(-6, 16):
        draw.line(
            (width // 2 + (i - 5) * 12, ground, width // 2 + (i - 5) * 60, height),
            fill=shade(stone, 0.84),
            width=2,
        )
    for i in range(6):
        y = ground + round((height - ground) * (i / 6) ** 1.7)
        draw.line((0, y, width, y), fill=shade(stone, 0.84), width=2)
    for _ in range(chance.randint(1, 2)):
        tree = chance.randint(0, width)
        draw.rectangle((tree - 5, ground // 3, tree + 5, ground + 12), fill=(92, 72, 58))
        for _ in range(14):
            u, v, r = (
                tree + chance.randint(-46, 46),
                ground // 4 + chance.randint(-50, 40),
                chance.randint(14, 28),
            )
            draw.ellipse(
                (u - r, v - r, u + r, v + r), fill=shade(_green(chance), chance.uniform(0.7, 1.3))
            )
    if chance.random() < 0.7:
        _car(draw, chance, chance.randint(-30, width - 50), ground + 12)
    for _ in range(chance.randint(1, 3)):
        _passer(draw, chance, chance.randint(0, width), ground + 8)


def _car(draw: ImageDraw.ImageDraw, chance: random.Random, x: int, y: int) -> None:
    paint = _colour(chance, (0.1, 0.85), (0.3, 0.85))
    draw.polygon(
        [(x + 16, y - 28), (x + 34, y - 50), (x + 82, y - 50), (x + 104, y - 28)],
        fill=shade(paint, 0.8),
    )
    draw.polygon(
        [(x + 24, y - 30), (x + 38, y - 46), (x + 78, y - 46), (x + 94, y - 30)], fill=(70, 84, 98)
    )
    draw.rounded_rectangle((x, y - 30, x + 120, y - 6), 8, fill=paint)
    for wheel in (x + 26, x + 94):
        draw.ellipse((wheel - 13, y - 18, wheel + 13, y + 8), fill=(32, 32, 34))
        draw.ellipse((wheel - 6, y - 11, wheel + 6, y + 1), fill=(160, 160, 164))


def _passer(draw: ImageDraw.ImageDraw, chance: random.Random, x: int, y: int) -> None:
    tall = chance.randint(58, 90)
    unit = tall / 8
    coat = _colour(chance, (0.1, 0.6), (0.2, 0.7))
    draw.rectangle((x - unit * 0.7, y - 4 * unit, x - unit * 0.1, y), fill=(50, 52, 62))
    draw.rectangle((x + unit * 0.1, y - 4 * unit, x + unit * 0.7, y), fill=(50, 52, 62))
    draw.rounded_rectangle(
        (x - unit, y - 7 * unit, x + unit, y - 3.4 * unit), unit * 0.6, fill=coat
    )
    draw.ellipse(
        (x - unit * 0.5, y - 8 * unit, x + unit * 0.5, y - 6.9 * unit), fill=(190, 146, 118)
    )


def _park(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    draw.rectangle((0, 0, width, height), fill=chance.choice(((186, 214, 236), (224, 226, 226))))
    horizon = round(height * chance.uniform(0.45, 0.6))
    for _ in range(70):
        r = chance.randint(12, 34)
        x, y = chance.randint(0, width), horizon - chance.randint(-20, height // 3)
        draw.ellipse(
            (x - r, y - r, x + r, y + r), fill=shade(_green(chance), chance.uniform(0.6, 1.4))
        )
    grass = shade(_green(chance), 1.2)
    draw.rectangle((0, horizon, width, height), fill=grass)
    for _ in range(120):
        x, y = chance.randint(0, width), chance.randint(horizon, height)
        draw.line(
            (x, y, x + chance.randint(-3, 3), y - chance.randint(4, 9)),
            fill=shade(grass, chance.uniform(0.7, 1.3)),
        )
    path = chance.randint(0, width)
    draw.polygon(
        [
            (path - 8, horizon),
            (path + 8, horizon),
            (width // 2 + 90, height),
            (width // 2 - 90, height),
        ],
        fill=(206, 188, 156),
    )
    if chance.random() < 0.6:
        x, y = chance.randint(0, width - 60), horizon + 30
        for row in range(3):
            draw.rectangle((x, y + row * 9, x + 80, y + row * 9 + 5), fill=(122, 84, 58))
        draw.rectangle((x + 6, y, x + 10, y + 48), fill=(60, 60, 62))
        draw.rectangle((x + 70, y, x + 74, y + 48), fill=(60, 60, 62))
    for _ in range(chance.randint(0, 2)):
        _passer(draw, chance, chance.randint(0, width), horizon + 36)


def _wardrobe(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    wall = _colour(chance, (0.05, 0.2), (0.5, 0.85))
    draw.rectangle((0, 0, width, height), fill=wall)
    floor = round(height * 0.82)
    _planks(draw, chance, (0, floor, width, height))
    for rail in (height // 10, height // 2):
        draw.rectangle((0, rail - 3, width, rail), fill=(92, 92, 96))
        x = chance.randint(0, 14)
        while x < width:
            span = chance.randint(9, 22)
            fall = chance.randint(height // 5, height // 3)
            colour = _colour(chance, (0.1, 0.75), (0.25, 0.9))
            draw.polygon(
                [
                    (x + span // 2, rail),
                    (x + span, rail + 14),
                    (x + span + 2, rail + fall),
                    (x - 2, rail + fall),
                    (x, rail + 14),
                ],
                fill=colour,
            )
            draw.line((x, rail + 14, x - 1, rail + fall), fill=shade(colour, 0.6), width=2)
            x += span + chance.randint(0, 7)
    for _ in range(4):
        x = chance.randint(0, width)
        draw.rounded_rectangle(
            (x, floor - 10, x + 24, floor + 4), 3, fill=_colour(chance, (0.2, 0.7), (0.3, 0.8))
        )


def _cafe(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    brick = chance.choice(((156, 88, 70), (188, 178, 166), (112, 72, 62)))
    draw.rectangle((0, 0, width, height), fill=shade(brick, 0.7))
    for row in range(0, height, 13):
        for x in range(-(row // 13 % 2) * 15, width, 30):
            draw.rectangle(
                (x, row, x + 27, row + 10), fill=shade(brick, chance.uniform(0.82, 1.14))
            )
    floor = round(height * 0.78)
    tile = chance.choice(((206, 202, 194), (92, 88, 86)))
    for row in range(6):
        for column in range(-1, width // 34 + 1):
            y1, y2 = floor + row * 18, floor + row * 18 + 18
            colour = tile if (row + column) % 2 else shade(tile, 0.72)
            draw.rectangle((column * 34, y1, column * 34 + 34, y2), fill=colour)
    for _ in range(3):
        x = chance.randint(0, width)
        draw.line((x, 0, x, height // 6), fill=(30, 30, 30), width=2)
        draw.pieslice(
            (x - 20, height // 6 - 18, x + 20, height // 6 + 22), 180, 360, fill=(40, 44, 48)
        )
        draw.ellipse((x - 9, height // 6 - 6, x + 9, height // 6 + 12), fill=(255, 226, 160))
    for _ in range(2):
        x, y = chance.randint(-10, width), floor - chance.randint(4, 20)
        draw.rectangle((x - 3, y, x + 3, y + 60), fill=(48, 44, 42))
        draw.ellipse((x - 44, y - 9, x + 44, y + 9), fill=_wood(chance))
        draw.rectangle((x - 8, y - 18, x + 4, y - 3), fill=(240, 238, 232))
    for _ in range(2):
        _plant(draw, chance, chance.randint(0, width), floor + 12, chance.randint(20, 34))


def _floor(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    _planks(draw, chance, (0, 0, width, height))
    if chance.random() < 0.6:
        rug = _colour(chance, (0.15, 0.6), (0.4, 0.85))
        x, y = chance.randint(-60, 30), chance.randint(-60, height // 3)
        for i in range(4):
            draw.rounded_rectangle(
                (x + i * 9, y + i * 9, x + width - i * 9, y + height * 2 // 3 - i * 9),
                8,
                fill=shade(rug, 0.8 + 0.15 * (i % 3)),
            )
    _litter(draw, chance, size)


def _bed(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    cover = _colour(chance, (0.05, 0.4), (0.55, 0.92))
    draw.rectangle((0, 0, width, height), fill=cover)
    band = _colour(chance, (0.1, 0.5), (0.5, 0.9))
    step = chance.randint(22, 44)
    for x in range(-height, width, step):
        draw.line((x, 0, x + height // 3, height), fill=band, width=step // 4)
    if chance.random() < 0.5:
        for x in range(0, width + height, step):
            draw.line((x, 0, x - height // 3, height), fill=band, width=step // 5)
    for _ in range(2):
        x = chance.randint(-30, width - 40)
        draw.rounded_rectangle(
            (x, -30, x + 110, 44), 18, fill=(240, 238, 232), outline=shade(cover, 0.8), width=2
        )
    _litter(draw, chance, size)


def _door(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    width, height = size
    wall = _colour(chance, (0.1, 0.35), (0.5, 0.85))
    draw.rectangle((0, 0, width, height), fill=wall)
    leaf = shade(_wood(chance), chance.uniform(0.8, 1.3))
    left = chance.randint(10, width // 5)
    right = width - chance.randint(10, width // 5)
    draw.rectangle((left - 9, 0, right + 9, height), fill=(236, 234, 228))
    draw.rectangle((left, 8, right, height), fill=leaf)
    for top, bottom in ((24, height // 2 - 14), (height // 2 + 10, height - 24)):
        for x1, x2 in ((left + 16, (left + right) // 2 - 8), ((left + right) // 2 + 8, right - 16)):
            draw.rectangle(
                (x1, top, x2, bottom), fill=shade(leaf, 0.92), outline=shade(leaf, 0.7), width=3
            )
    draw.ellipse((right - 22, height // 2 - 6, right - 10, height // 2 + 6), fill=(196, 170, 96))
    for x in (0, right + 14):
        _picture(draw, chance, x, chance.randint(10, height // 2), chance.randint(18, 34))


def _litter(draw: ImageDraw.ImageDraw, chance: random.Random, size: Size) -> None:
    """Shoes, a magazine, a belt: what lies about."""
    width, height = size
    for _ in range(chance.randint(3, 6)):
        x, y = chance.randint(-10, width - 20), chance.randint(-10, height - 10)
        colour = _colour(chance, (0.2, 0.8), (0.25, 0.9))
        kind = chance.randrange(3)
        if kind == 0:
            for dx in (0, 17):
                draw.ellipse((x + dx, y, x + dx + 14, y + 38), fill=colour)
                draw.ellipse((x + dx + 3, y + 4, x + dx + 11, y + 18), fill=shade(colour, 0.4))
        elif kind == 1:
            draw.polygon([(x, y + 8), (x + 42, y), (x + 50, y + 50), (x + 7, y + 58)], fill=colour)
            draw.polygon(
                [(x + 6, y + 13), (x + 38, y + 7), (x + 41, y + 22), (x + 8, y + 28)],
                fill=(240, 238, 230),
            )
        else:
            draw.arc((x, y, x + 56, y + 48), 20, 320, fill=colour, width=5)


_STANDING: Final[tuple[Callable[[ImageDraw.ImageDraw, random.Random, Size], None], ...]] = (
    _bedroom,
    _mirror,
    _street,
    _street,
    _park,
    _wardrobe,
    _cafe,
)
_LYING: Final[tuple[Callable[[ImageDraw.ImageDraw, random.Random, Size], None], ...]] = (
    _floor,
    _bed,
    _door,
    _floor,
)

"""Grounds: plain ones for shop images; rooms, streets and floors for user images.

Cluttered scenes are drawn at half the size and enlarged: out of focus, as behind a person.
"""

import random
from typing import Final

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import Colour, clouds, hsv, multiply, ramp, shade
from df2_assets.sample.scenes.outdoors import park, street
from df2_assets.sample.scenes.props import Sketch
from df2_assets.sample.scenes.rooms import bedroom, cafe, mirror, wardrobe
from df2_assets.sample.scenes.surfaces import bed, door, floor

_STANDING: Final = (bedroom, mirror, street, street, park, wardrobe, cafe)
_LYING: Final = (floor, bed, door, floor)


def plain(chance: random.Random, size: tuple[int, int]) -> Image.Image:
    """A studio ground: near white or a pale colour, a little lighter in the middle."""
    width, height = size
    if chance.random() < 0.5:
        level = chance.randint(228, 252)
        colour: Colour = (level, level, level - chance.randint(0, 6))
    else:
        colour = hsv(chance.random(), chance.uniform(0.04, 0.18), chance.uniform(0.86, 0.97))
    light = Image.radial_gradient("L").resize(size).point(ramp(1.0, 0.86))
    ground = multiply(Image.new("RGB", size, colour), light)
    if chance.random() < 0.5:  # the edge between wall and floor
        edge = round(height * chance.uniform(0.8, 0.9))
        ground.paste(shade(colour, 0.9), (0, edge, width, height))
    return ground


def cluttered(chance: random.Random, size: tuple[int, int], lying: bool) -> Image.Image:
    """Somebody's room or street; `lying`: a floor, a bed or a door, seen straight on."""
    scene = chance.choice(_LYING if lying else _STANDING)
    small = Image.new("RGB", ((size[0] + 1) // 2, (size[1] + 1) // 2))
    scene(Sketch(ImageDraw.Draw(small), chance, *small.size))
    small = multiply(small, clouds(chance, small.size, (4, 5)).point(ramp(0.82, 1.1)))
    return small.resize(size, Image.Resampling.BICUBIC)

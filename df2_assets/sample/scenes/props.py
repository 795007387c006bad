"""Things that scenes share: colours, floors, furniture, people far away."""

import random
from typing import NamedTuple

from PIL import ImageDraw

from df2_assets.sample.canvas import Area, Colour, hsv, shade

Span = tuple[float, float]


class Sketch(NamedTuple):
    """Where a scene is drawn, by whose chance, and how large it is in pixels."""

    draw: ImageDraw.ImageDraw
    chance: random.Random
    width: int
    height: int

    def colour(self, saturation: Span, value: Span) -> Colour:
        """Any hue, with saturation and value in the given spans."""
        chance = self.chance
        return hsv(chance.random(), chance.uniform(*saturation), chance.uniform(*value))

    def wood(self) -> Colour:
        """Pine, oak or walnut."""
        tone = self.chance.choice(((176, 128, 84), (132, 92, 62), (206, 170, 128)))
        return shade(tone, self.chance.uniform(0.8, 1.1))

    def green(self) -> Colour:
        """Leaves or grass."""
        tone = self.chance.choice(((62, 112, 58), (86, 128, 62), (48, 92, 66), (118, 142, 72)))
        return shade(tone, self.chance.uniform(0.8, 1.2))

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def planks(self, box: Area) -> None:
        """Floorboards that run away from the viewer."""
        left, top, right, bottom = box
        draw, chance, wood = self.draw, self.chance, self.wood()
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

    def plant(self, x: int, y: int, size: int) -> None:
        """A pot with leaves."""
        green, half = self.green(), size // 2
        for _ in range(9):
            dx, dy = self.chance.randint(-size, size), self.chance.randint(-2 * size, -half)
            tips = [(x + dx - half // 2, y + dy), (x + dx + half // 2, y + dy - size // 5)]
            self.draw.polygon([(x, y), *tips], fill=shade(green, self.chance.uniform(0.7, 1.3)))
        foot = [(x + half // 2, y + size), (x - half // 2, y + size)]
        self.draw.polygon([(x - half, y), (x + half, y), *foot], fill=(178, 104, 72))

    def picture(self, x: int, y: int, size: int) -> None:
        """A frame on a wall."""
        right, bottom = x + size, y + size * 5 // 4
        self.draw.rectangle((x, y, right, bottom), fill=shade(self.wood(), 0.6))
        self.draw.rectangle((x + 3, y + 3, right - 3, bottom - 3), fill=(238, 234, 224))
        for _ in range(3):
            u, v = (at + self.chance.randint(6, size // 2) for at in (x, y))
            box = (u, v, u + size // 3, v + size // 2)
            self.draw.ellipse(box, fill=self.colour((0.3, 0.7), (0.4, 0.8)))

    def passer(self, x: int, y: int) -> None:
        """Somebody in a coat, far away, with the feet at y."""
        draw, unit = self.draw, self.chance.randint(58, 90) / 8
        coat = self.colour((0.1, 0.6), (0.2, 0.7))
        for a, b in ((-0.7, -0.1), (0.1, 0.7)):
            draw.rectangle((x + a * unit, y - 4 * unit, x + b * unit, y), fill=(50, 52, 62))
        trunk = (x - unit, y - 7 * unit, x + unit, y - 3.4 * unit)
        draw.rounded_rectangle(trunk, unit * 0.6, fill=coat)
        self.disc(x, y - 7.4 * unit, unit * 0.55, (190, 146, 118))

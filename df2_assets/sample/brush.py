"""Painting in body units: what a camera sees of outlines and lines."""

from dataclasses import dataclass

from PIL import Image

from df2_assets.sample.canvas import Colour, paint, rounded, stroke
from df2_assets.sample.geometry import Camera, Polygon


@dataclass(frozen=True)
class Brush:
    """Paints on `image` as seen by `camera`; outlines, depths and widths are in body units."""

    image: Image.Image
    camera: Camera

    def round(self, colour: Colour, depth: float, *outlines: Polygon) -> None:
        """A body: its colour darkens over `depth` towards the edges."""
        at = [self.camera.at(outline) for outline in outlines]
        rounded(self.image, at, colour, depth * self.camera.unit)

    def fill(self, colour: Colour, outline: Polygon, alpha: float = 1.0) -> None:
        """An even spot."""
        paint(self.image, [self.camera.at(outline)], colour, alpha)

    def line(self, colour: Colour, width: float, points: Polygon, alpha: float = 1.0) -> None:
        """An open line, at least a pixel wide."""
        thick = max(1.1, width * self.camera.unit)
        stroke(self.image, self.camera.at(points), thick, colour, alpha)

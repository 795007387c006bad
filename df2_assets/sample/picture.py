"""One image of the sample, drawn, and its annotation."""

import random
from typing import Final

from PIL import Image

from df2_assets.sample.annotating import Annotation, annotate
from df2_assets.sample.brush import Brush
from df2_assets.sample.canvas import grain, rounded, shadow, tint, vignette
from df2_assets.sample.framing import Placed, Worn, flat, size, worn
from df2_assets.sample.garments.dressing import dress
from df2_assets.sample.geometry import Polygon, curve
from df2_assets.sample.hiding import hide
from df2_assets.sample.plan import LEGS, OUTWEAR, ImagePlan
from df2_assets.sample.rng import chance
from df2_assets.sample.scenes.grounds import cluttered, plain

_METAL: Final = (124, 122, 122)
_WOOD: Final = (156, 112, 74)


def draw(plan: ImagePlan, seed: int) -> tuple[Image.Image, Annotation]:
    """The picture as RGB, and what DeepFashion2 would say about it."""
    rng = chance(seed, plan.split, plan.image_id, "picture")
    frame, studio, lying = size(rng), plan.source == "shop", plan.viewpoint == 1
    image = plain(rng, frame) if studio else cluttered(rng, frame, lying)
    if lying:
        garments = flat(plan, seed, rng, frame)
        _lay(image, garments, rng, studio)
    else:
        scene = worn(plan, seed, rng, frame)
        garments = scene.garments
        _stand(image, scene, rng, studio)
    obstacles = hide(garments, rng, frame, studio)
    for obstacle in obstacles:
        shadow(image, [outline for outline, _ in obstacle[:2]], (4, 6), 0.3 if studio else 0.45)
        for outline, colour in obstacle:
            rounded(image, [outline], colour, 9)
    return _light(image, rng, studio), annotate(plan, garments, obstacles, frame)


def _lay(image: Image.Image, garments: list[Placed], rng: random.Random, studio: bool) -> None:
    hangers = rng.random() < 0.45
    for garment in garments:
        brush, unit = Brush(image, garment.camera), garment.camera.unit
        if hangers:
            _hang(brush, min(y for piece in garment.shape.pieces for _, y in piece.outline))
        shadow(image, garment.polygons, (unit * 0.06, unit * 0.1), 0.4 if studio else 0.6)
        dress(brush, garment.shape, garment.fabric, rng, 0.35 if studio else 0.85)


def _hang(brush: Brush, top: float) -> None:
    """A hanger in a garment whose highest point is at `top`; with clips where that is a waist."""
    clips = top > 2.0
    y = top - 0.12 if clips else top + 0.05
    hook: Polygon = [(0.16, y - 0.36), (0.08, y - 0.52), (-0.08, y - 0.46)]
    brush.line(_METAL, 0.05, curve([(0, y - 0.02), (0, y - 0.24), *hook], 5))
    half, drop = (0.5, 0.0) if clips else (0.62, 0.14)
    brush.line(_WOOD, 0.09, [(-half, y + drop), (0, y - 0.04), (half, y + drop)])
    if clips:
        for x in (-0.4, 0.4):
            brush.line(_METAL, 0.09, [(x, y), (x, y + 0.22)])


def _stand(image: Image.Image, scene: Worn, rng: random.Random, studio: bool) -> None:
    brush, someone, pose = Brush(image, scene.camera), scene.figure, scene.pose
    fall = (scene.camera.unit * 0.12, scene.camera.unit * 0.1)
    for garment in scene.garments:
        shadow(image, garment.polygons, fall, 0.22 if studio else 0.4)
    someone.paint_behind(brush)
    someone.paint_body(brush, pose)
    sleeves = next(g for g in scene.garments if g.item.category_id not in LEGS)
    for garment in scene.garments:
        if garment is sleeves:
            someone.paint_arms(brush, pose)
        if garment.item.category_id in OUTWEAR:
            shadow(image, garment.polygons, fall, 0.3)
        dress(brush, garment.shape, garment.fabric, rng, 0.5 if studio else 0.95)
    someone.paint_locks(brush, pose)


def _light(image: Image.Image, rng: random.Random, studio: bool) -> Image.Image:
    """Even light and little noise in a studio; elsewhere dim, tinted and grainy."""
    if studio:
        return grain(image, rng, rng.choice((2, 3)))
    level, warmth = rng.uniform(0.85, 1.12), rng.uniform(-0.08, 0.1)
    image = tint(image, (level * (1 + warmth), level, level * (1 - warmth)))
    image = vignette(image, rng.uniform(0.1, 0.35))
    return grain(image, rng, rng.choice((5, 6, 8)))

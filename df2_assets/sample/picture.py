"""One image of the sample, drawn, and its annotation."""

import random

from PIL import Image

from df2_assets.sample import figure, scenes
from df2_assets.sample.annotating import Annotation, annotate
from df2_assets.sample.canvas import grain, shadow, stroke, tint, vignette
from df2_assets.sample.dressing import dress, rounded
from df2_assets.sample.framing import Placed, Worn, flat, size, worn
from df2_assets.sample.geometry import curve
from df2_assets.sample.hiding import Obstacle, hide
from df2_assets.sample.plan import OUTWEAR, ImagePlan
from df2_assets.sample.rng import chance


def draw(plan: ImagePlan, seed: int) -> tuple[Image.Image, Annotation]:
    """The picture as RGB, and what DeepFashion2 would say about it."""
    rng = chance(seed, plan.split, plan.image_id, "picture")
    frame, studio = size(rng), plan.source == "shop"
    lying = plan.viewpoint == 1
    image = scenes.plain(rng, frame) if studio else scenes.cluttered(rng, frame, lying)
    if lying:
        garments = flat(plan, seed, rng, frame)
        _lay(image, garments, rng, studio)
    else:
        scene = worn(plan, seed, rng, frame)
        garments = scene.garments
        _stand(image, scene, rng, studio)
    obstacles = hide(garments, rng, frame, studio)
    for obstacle in obstacles:
        _put(image, obstacle, studio)
    return _light(image, rng, studio), annotate(plan, garments, obstacles, frame)


def _lay(image: Image.Image, garments: list[Placed], rng: random.Random, studio: bool) -> None:
    hanger = rng.random() < 0.45
    for garment in garments:
        unit = garment.camera.unit
        if hanger:
            _hang(image, garment)
        shadow(image, garment.polygons, (unit * 0.06, unit * 0.1), 0.4 if studio else 0.6)
        dress(image, garment.shape, garment.fabric, garment.camera, rng, 0.35 if studio else 0.85)


def _hang(image: Image.Image, garment: Placed) -> None:
    camera = garment.camera
    top = min(y for piece in garment.shape.pieces for _, y in piece.outline)
    upper = top < 2.0
    metal = (124, 122, 122)
    y = top + (0.05 if upper else -0.12)
    hook = curve(
        [(0, y - 0.02), (0, y - 0.24), (0.16, y - 0.36), (0.08, y - 0.52), (-0.08, y - 0.46)], 5
    )
    stroke(image, camera.at(hook), max(2.0, camera.unit * 0.05), metal)
    wide, drop = (0.62, 0.14) if upper else (0.5, 0.0)
    bar = [(-wide, y + drop), (0, y - 0.04), (wide, y + drop)]
    stroke(image, camera.at(bar), max(3.0, camera.unit * 0.09), (156, 112, 74))
    if not upper:
        for x in (-0.4, 0.4):
            stroke(image, camera.at([(x, y), (x, y + 0.22)]), camera.unit * 0.09, metal)


def _stand(image: Image.Image, scene: Worn, rng: random.Random, studio: bool) -> None:
    camera, someone, pose = scene.camera, scene.figure, scene.pose
    fall = (camera.unit * 0.12, camera.unit * 0.1)
    for garment in scene.garments:
        shadow(image, garment.polygons, fall, 0.22 if studio else 0.4)
    figure.paint_behind(image, someone, camera)
    figure.paint_body(image, someone, pose, camera)
    folds = 0.5 if studio else 0.95
    bare = True
    for garment in scene.garments:
        if garment.item.category_id not in (7, 8, 9) and bare:
            figure.paint_arms(image, someone, pose, camera)
            bare = False
        if garment.item.category_id in OUTWEAR:
            shadow(image, garment.polygons, fall, 0.3)
        dress(image, garment.shape, garment.fabric, camera, rng, folds)
    figure.paint_locks(image, someone, pose, camera)


def _put(image: Image.Image, obstacle: Obstacle, studio: bool) -> None:
    outlines = [outline for outline, _ in obstacle.parts]
    shadow(image, outlines[:2], (4, 6), 0.3 if studio else 0.45)
    for outline, colour in obstacle.parts:
        rounded(image, [outline], colour, 9)


def _light(image: Image.Image, rng: random.Random, studio: bool) -> Image.Image:
    """Even light and little noise in a studio; elsewhere dim, tinted and grainy."""
    if studio:
        return grain(image, rng, rng.choice((2, 3)))
    level, warmth = rng.uniform(0.85, 1.12), rng.uniform(-0.08, 0.1)
    image = tint(image, (level * (1 + warmth), level, level * (1 - warmth)))
    image = vignette(image, rng.uniform(0.1, 0.35))
    return grain(image, rng, rng.choice((5, 6, 8)))

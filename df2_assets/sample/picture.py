"""One image of the sample, drawn, and its annotation."""

import random
from functools import lru_cache
from statistics import NormalDist

from PIL import Image, ImageChops

from df2_assets.sample.annotate import Annotation, annotate
from df2_assets.sample.canvas import (
    Area,
    Part,
    clouds,
    curve,
    mask_of,
    multiply,
    paint,
    paint_shadow,
    ramp,
    ribbon,
    shade,
    soften,
)  # fmt: skip
from df2_assets.sample.fabrics import cut_cloth
from df2_assets.sample.figure import Figure, choose_figure
from df2_assets.sample.layout import FRAMES, Garment, dress, lay
from df2_assets.sample.occlusion import hide
from df2_assets.sample.plan import LEGS, OUTWEAR, ImagePlan, chance
from df2_assets.sample.scenes import draw_scene, draw_studio


def draw(plan: ImagePlan, seed: int) -> tuple[Image.Image, Annotation]:
    """Return the picture as RGB, and what DeepFashion2 would say about it."""
    rng = chance(seed, plan.split, plan.image_id, "picture")
    frame, studio, lying = rng.choice(FRAMES), plan.source == "shop", plan.viewpoint == 1
    image = draw_studio(rng, frame) if studio else draw_scene(rng, frame, lying)
    folds = 0.45 if studio else 0.9
    if lying:
        garments = lay(plan, seed, rng, frame)
        hangs = rng.random() < 0.45
        for garment in garments:
            if hangs:
                _hang(image, garment)
            paint_shadow(image, garment.outlines, garment.camera.unit * 0.08, folds * 0.7)
            paint_garment(image, garment, rng, folds)
    else:
        pose, garments = dress(plan, seed, rng, frame)
        _paint_worn(image, garments, choose_figure(rng, pose), rng, folds)
    obstacles = hide(garments, rng, frame, studio)
    for camera, parts in obstacles:
        paint_shadow(image, [camera.at(part.outline) for part in parts[:2]], 5, folds / 2)
        paint(image, camera, parts)
    return _expose(image, rng, studio), annotate(plan, garments, obstacles, frame)


def paint_garment(image: Image.Image, garment: Garment, rng: random.Random, folds: float) -> None:
    """Paint a garment; `folds` from 0 (ironed) to 1 (crumpled)."""
    camera, shape, base = garment.camera, garment.shape, garment.fabric.base
    is_dark = sum(base) < 170
    paint(image, camera, [Part(outline, shade(base, 0.42), 0.2) for outline in shape.lining])
    for outline, turn in shape.pieces:
        if seen := mask_of([camera.at(outline)], image.size):
            area, mask = seen
            across, down = (2 + round(side / camera.unit * 1.2) for side in mask.size)
            light = clouds(rng, mask.size, (across, down)).point(ramp(1 - 0.42 * folds, 1.06))
            edge = soften(mask, camera.unit * 0.16).point(ramp(0.4, 1.0))
            sheet = _cut_sheet(garment, turn - camera.tilt, area)
            image.paste(multiply(sheet, ImageChops.multiply(light, edge)), area, mask)
    for outline, factor in shape.details:
        tone = shade(base, 1 / factor if is_dark and factor < 1 else factor) if factor else None
        paint(image, camera, [Part(outline, tone or garment.fabric.accent)])


def _cut_sheet(garment: Garment, turn: float, area: Area) -> Image.Image:
    """Return cloth for an area, its grain turned by some degrees."""
    width, height = area[2] - area[0], area[3] - area[1]
    camera, fabric = garment.camera, garment.fabric
    if abs(turn) < 3:
        units = (width / camera.unit / camera.squeeze, height / camera.unit)
        return cut_cloth(fabric, units, (width, height))
    side = round((width**2 + height**2) ** 0.5) + 2
    square = cut_cloth(fabric, (side / camera.unit, side / camera.unit), (side, side))
    left, top = (side - width) // 2, (side - height) // 2
    turned = square.rotate(turn, Image.Resampling.BILINEAR)
    return turned.crop((left, top, left + width, top + height))


def _hang(image: Image.Image, garment: Garment) -> None:
    """Put a hanger into a garment, or above it where that starts at a waist."""
    top = min(y for outline in garment.shape.outlines for _, y in outline)
    y = top - 0.05 if top > 2 else top + 0.05
    hook = curve([(0, y), (0, y - 0.24), (0.16, y - 0.36), (0.08, y - 0.52), (-0.08, y - 0.46)])
    rod = [(-0.62, y + 0.14), (0, y - 0.04), (0.62, y + 0.14)]
    parts = [Part(ribbon(hook, 0.025), (124, 122, 122)), Part(ribbon(rod, 0.045), (156, 112, 74))]
    paint(image, garment.camera, parts)


def _paint_worn(
    image: Image.Image, garments: list[Garment], figure: Figure, rng: random.Random, folds: float
) -> None:
    """Paint somebody in the garments; arms go under the innermost that is not for the legs."""
    camera = garments[0].camera
    fall = camera.unit * 0.1
    for garment in garments:
        paint_shadow(image, garment.outlines, fall, 0.4 * folds)
    paint(image, camera, figure.body)
    arms = next(g for g in garments if g.item.category_id not in LEGS)
    for garment in garments:
        if garment is arms:
            paint(image, camera, figure.arms)
        if garment.item.category_id in OUTWEAR:
            paint_shadow(image, garment.outlines, fall, 0.3)
        paint_garment(image, garment, rng, folds)
    paint(image, camera, figure.locks)


def _expose(image: Image.Image, rng: random.Random, studio: bool) -> Image.Image:
    """Return the image in even light in a studio, elsewhere dim, tinted and grainy."""
    if not studio:
        level, warmth = rng.uniform(0.88, 1.1), rng.uniform(-0.05, 0.06)
        factors = (level * (1 + warmth), level, level * (1 - warmth))
        image = image.point([min(255, round(v * factor)) for factor in factors for v in range(256)])
        light = Image.radial_gradient("L").reduce(4).resize(image.size)
        image = multiply(image, light.point(ramp(1, 1 - rng.uniform(0.1, 0.35))))
    noise = Image.frombytes("L", image.size, rng.randbytes(image.width * image.height))
    noise = noise.point(_grain(2.5 if studio else 6.0))
    return ImageChops.add(image, Image.merge("RGB", (noise, noise, noise)), 1, -128)


@lru_cache
def _grain(strength: float) -> list[int]:
    """Return a table from even noise to a sensor's, `strength` its deviation in grey levels."""
    normal = NormalDist(128, strength)
    return [round(normal.inv_cdf((v + 0.5) / 256)) for v in range(256)]

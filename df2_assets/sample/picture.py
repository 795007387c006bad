"""Drawing one image of the sample, with its annotation."""

import io
import random
from typing import Final

from PIL import Image, ImageChops

from df2_assets.sample import canvas
from df2_assets.sample.annotate import Annotation, annotate
from df2_assets.sample.fabrics import cut_cloth
from df2_assets.sample.figure import choose_figure
from df2_assets.sample.layout import FRAMES, Garment, dress, place_flat
from df2_assets.sample.occlusion import hide
from df2_assets.sample.plan import ImagePlan, Kind, chance
from df2_assets.sample.scenes import draw_scene, draw_studio

_ORIENTATION: Final = 0x0112


def draw(plan: ImagePlan, seed: int) -> tuple[Image.Image, Annotation]:
    """Return the picture as RGB, and its annotation."""
    rng = chance(seed, plan.split, plan.image_id, "picture")
    frame, studio, lying = rng.choice(FRAMES), plan.source == "shop", plan.viewpoint == 1
    image = draw_studio(rng, frame) if studio else draw_scene(rng, frame, lying)
    if lying:
        garments = place_flat(plan, seed, rng, frame)
    else:
        pose, garments = dress(plan, seed, rng, frame)
        canvas.paint(image, garments[0].camera, choose_figure(rng, pose), 0.12)
    for garment in garments:
        canvas.paint_shadow(image, garment.outlines, garment.camera.unit * 0.08)
        paint_garment(image, garment, rng, 0.45 if studio else 0.9)
    obstacles = hide(garments, rng, frame)
    for camera, parts in obstacles:
        canvas.paint_shadow(image, [camera.at(part.outline) for part in parts[:2]], 5)
        canvas.paint(image, camera, parts, 0.12)
    in_front = [camera.at(part.outline) for camera, parts in obstacles for part in parts]
    return _expose(image, rng, studio), annotate(plan, garments, in_front, frame)


def encode_picture(image: Image.Image, kind: Kind) -> bytes:
    """Return a JPEG. A `turned` one has an EXIF orientation, although it is stored upright."""
    exif, buffer = Image.Exif(), io.BytesIO()
    if kind == "turned":
        exif[_ORIENTATION] = 6
    mode = {"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB")
    progressive = kind == "progressive"
    image.convert(mode).save(buffer, "JPEG", quality=88, progressive=progressive, exif=exif)
    return buffer.getvalue()


def paint_garment(image: Image.Image, garment: Garment, rng: random.Random, folds: float) -> None:
    """Paint a garment. `folds` goes from 0 (ironed) to 1 (crumpled)."""
    camera, shape, base = garment.camera, garment.shape, garment.fabric.base
    shadows = canvas.ramp(1 - 0.42 * folds, 1.06)
    lining = [canvas.Part(outline, canvas.shade(base, 0.42)) for outline in shape.lining]
    canvas.paint(image, camera, lining, 0.2)
    for outline in garment.outlines:
        if masked := canvas.mask_of([outline], image.size):
            area, mask = masked
            across, down = (2 + round(side / camera.unit * 1.2) for side in mask.size)
            light = canvas.clouds(rng, mask.size, (across, down)).point(shadows)
            edge = canvas.soften(mask, camera.unit * 0.16).point(canvas.ramp(0.4, 1.0))
            sheet = cut_cloth(garment.fabric, camera.unit, mask.size)
            image.paste(canvas.multiply(sheet, ImageChops.multiply(light, edge)), area, mask)
    is_dark = sum(base) < 170
    for outline, factor in shape.details:
        tone = canvas.shade(base, max(factor, 1 / factor) if is_dark else factor)
        canvas.paint(image, camera, [canvas.Part(outline, tone)])


def _expose(image: Image.Image, rng: random.Random, studio: bool) -> Image.Image:
    """Return the image evenly lit in a studio, otherwise dim, tinted and grainy."""
    if not studio:
        level, warmth = rng.uniform(0.8, 1.0), rng.uniform(-0.05, 0.06)
        factors = (level * (1 + warmth), level, level * (1 - warmth))
        image = image.point([min(255, round(v * factor)) for factor in factors for v in range(256)])
    noise = Image.frombytes("L", image.size, rng.randbytes(image.width * image.height))
    noise = noise.point(canvas.ramp(0.485, 0.515) if studio else canvas.ramp(0.46, 0.54))
    return ImageChops.add(image, Image.merge("RGB", (noise, noise, noise)), 1, -128)

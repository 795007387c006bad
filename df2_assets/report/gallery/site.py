"""Writing the folder of a gallery. A viewer sees either the old gallery or the new one.

The names of all files except `index.html` contain a digest of their content. These files are
written first, then the page that refers to them. At the end, files that it no longer refers to are
removed.
"""

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from df2_assets.dataset.taxonomy import LABELS, SPLITS
from df2_assets.engines.base import Engine, Lost, describe_shard
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.report.gallery.content import Content, make_script
from df2_assets.report.gallery.layers import Layer
from df2_assets.report.gallery.sheets import SheetShard, draw_shard
from df2_assets.store.layout import Roots
from df2_assets.store.location import store_at

_SHARD: Final = 40
_PACKAGE: Final = "df2_assets.report.gallery"


@dataclass(frozen=True)
class Site:
    """The page of a gallery, the number of sheets drawn for it, and a digest of its content."""

    page: Path
    drawn: int
    digest: str


def write_site(
    roots: Roots,
    split: str,
    content: Content,
    layers: Sequence[Layer],
    checks: list[str],
    refused: list[list[Any]],
    similar: Mapping[str, list[list[int]]],
    shown: dict[str, Any],
    engine: Engine,
    progress: Progress,
) -> Site:
    """Write a gallery. Raises OutputError.

    `similar` has the similar SKUs of each SKU, by encoder. `shown` has the values of the template.
    """
    target = roots.gallery(split)
    site = target.parent
    existing = {name for name, _ in roots.sku.walk(site)}
    drawn = _draw(roots, split, site, existing, content, engine, progress)
    details = [
        _write_named(site, existing, "data/skus", make_script("details", number, part))
        for number, part in enumerate(content.files_of_details())
    ]
    images = _write_named(site, existing, "data/images", make_script("images", content.images()))
    files_of_layers = [
        _write_layer(site, existing, content, number, layer) for number, layer in enumerate(layers)
    ]
    files_of_similar = {
        encoder: _write_named(site, existing, "data/similar", make_script("similar", encoder, skus))
        for encoder, skus in similar.items()
    }
    about = content.index(checks, details, images, layers, files_of_layers)
    index = make_script("index", about | {"similar": files_of_similar})
    scripts = {
        "index": _write_named(site, existing, "data/index", index),
        "refused": _write_named(site, existing, "data/refused", make_script("refused", refused)),
        "code": _write_named(site, existing, "static/gallery", _static("gallery.js"), ".js"),
        "style": _write_named(site, existing, "static/gallery", _static("gallery.css"), ".css"),
    }
    text = _render(
        files=scripts,
        split=split,
        crops=_relative(roots.sku_root, site),
        source=f"{_relative(roots.df2_root, site)}/{split}",
        labels=LABELS,
        **shown,
    ).encode()
    roots.sku.publish(target, [text], lambda: None)
    splits = [split for split in SPLITS if roots.gallery(split).exists()]
    roots.sku.publish(roots.gallery_list, [make_script("splits", splits)], lambda: None)
    on_request = [name for names in files_of_layers for name in names]
    on_request += files_of_similar.values()
    current = {target.name, images, *details, *on_request, *scripts.values()}
    roots.sku.remove(site, existing - current - {sheet.path for sheet in content.sheets})
    return Site(target, drawn, hashlib.sha256(text).hexdigest())


def _draw(
    roots: Roots,
    split: str,
    site: Path,
    existing: Collection[str],
    content: Content,
    engine: Engine,
    progress: Progress,
) -> int:
    missing = [sheet for sheet in content.sheets if sheet.path not in existing]
    whole = SheetShard(str(roots.sku_root), str(site), missing)
    with (
        progress(f"drawing thumbnails of {split}", len(missing), "SKUs") as advance,
        closing(map_shards(engine, draw_shard, whole, _SHARD)) as results,
    ):
        for shard, result in results:
            if isinstance(result, Lost):
                raise RuntimeError(
                    f"{describe_shard(shard)} ended the process that drew it: {result.cause}"
                )
            advance(len(shard.sheets))
    return len(missing)


def _render(**values: Any) -> str:
    """Return the page. Every value in it is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(_PACKAGE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment.get_template("index.html").render(**values)


def _static(name: str) -> bytes:
    return (files(_PACKAGE) / "static" / name).read_bytes()


def _write_named(
    site: Path, existing: Collection[str], stem: str, data: bytes, suffix: str = ".js"
) -> str:
    """Write data to a file whose name contains its digest, unless it exists. Return the name."""
    name = f"{stem}-{hashlib.sha256(data).hexdigest()[:12]}{suffix}"
    if name not in existing:
        with store_at(site).atomic(site / name) as temporary:
            temporary.write_bytes(data)
    return name


def _write_layer(
    site: Path, existing: Collection[str], content: Content, number: int, layer: Layer
) -> list[str]:
    """Write the files of the layer with a number, and return their names."""
    scripts = (
        make_script("layer", number, place, part)
        for place, part in enumerate(content.files_of_layer(layer))
    )
    return [_write_named(site, existing, f"data/layer-{layer.name}", data) for data in scripts]


def _relative(root: Path, site: Path) -> str:
    """Return the address of a folder relative to the site, or in full if the stores differ."""
    if store_at(site) is store_at(root):
        return quote(Path(os.path.relpath(str(root), str(site))).as_posix())
    return root.as_uri()

"""The folder of a gallery: a viewer sees the old one or the new one, whole.

Every file but `index.html` has a name that holds a digest of its content. They are written first,
then the page that names them; then what it no longer names is removed.
"""

import hashlib
import os
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.engines.base import Engine, Lost, describe_shard
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.report.gallery.content import Content, script
from df2_assets.report.gallery.sheets import SheetShard, draw_shard
from df2_assets.store.layout import Roots
from df2_assets.store.location import store_at

_SHARD: Final = 40
_PACKAGE: Final = "df2_assets.report.gallery"


@dataclass(frozen=True)
class Site:
    """The page, how many thumbnails were drawn for it, and a digest of all that it shows."""

    page: Path
    drawn: int
    digest: str


def write_site(
    roots: Roots,
    split: str,
    content: Content,
    checks: list[str],
    refused: list[list[Any]],
    shown: dict[str, Any],
    engine: Engine,
    progress: Progress,
) -> Site:
    """Write the gallery; `shown` is what the template shows. Raises OutputError."""
    target = roots.gallery(split)
    site = target.parent
    there = {name for name, _ in roots.sku.walk(site)}
    drawn = _draw(roots, split, site, there, content, engine, progress)
    named = [
        _named(site, there, "data/skus", script("details", number, part))
        for number, part in enumerate(content.files_of_details())
    ]
    images = _named(site, there, "data/images", script("images", content.images()))
    index = script("index", content.index(checks, named, images))
    scripts = {
        "index": _named(site, there, "data/index", index),
        "refused": _named(site, there, "data/refused", script("refused", refused)),
        "code": _named(site, there, "static/gallery", _static("gallery.js"), ".js"),
        "style": _named(site, there, "static/gallery", _static("gallery.css"), ".css"),
    }
    text = _rendered(
        files=scripts,
        split=split,
        crops=_relative(roots.sku_root, site),
        source=f"{_relative(roots.df2_root, site)}/{split}",
        **shown,
    ).encode()
    roots.sku.publish(target, [text], lambda: None)
    splits = [split for split in SPLITS if roots.gallery(split).exists()]
    roots.sku.publish(roots.gallery_list, [script("splits", splits)], lambda: None)
    wanted = {target.name, images, *named, *scripts.values()}
    roots.sku.remove(site, there - wanted - {sheet.path for sheet in content.sheets})
    return Site(target, drawn, hashlib.sha256(text).hexdigest())


def _draw(
    roots: Roots,
    split: str,
    site: Path,
    there: Collection[str],
    content: Content,
    engine: Engine,
    progress: Progress,
) -> int:
    missing = [sheet for sheet in content.sheets if sheet.path not in there]
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


def _rendered(**values: Any) -> str:
    """The page; every value in it is escaped."""
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


def _named(site: Path, there: Collection[str], stem: str, data: bytes, suffix: str = ".js") -> str:
    """Write `data` under a name that holds its digest, unless it is there; the name."""
    name = f"{stem}-{hashlib.sha256(data).hexdigest()[:12]}{suffix}"
    if name not in there:
        with store_at(site).atomic(site / name) as temporary:
            temporary.write_bytes(data)
    return name


def _relative(root: Path, site: Path) -> str:
    """The address of a folder, seen from the site's; whole where the two lie in other places."""
    if store_at(site) is store_at(root):
        return quote(Path(os.path.relpath(str(root), str(site))).as_posix())
    return root.as_uri()

"""The folder of a gallery: written so that who opens it sees the old one or the new one, whole.

Every file but `index.html` has a name that says what is in it. They are written first, then the
page that names them, at once; then what it no longer names is removed.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.report.gallery.content import Content, script
from df2_assets.report.gallery.sheets import Shard, draw_shard
from df2_assets.store.files import atomic
from df2_assets.store.layout import Roots

_SHARD: Final = 40
_PACKAGE: Final = "df2_assets.report.gallery"


@dataclass(frozen=True)
class Site:
    """The page, how many thumbnails were drawn for it, and a digest of all that it shows."""

    page: Path
    drawn: int
    digest: str


def page(roots: Roots, split: str) -> Path:
    """The page of a split's gallery, in a folder of its own."""
    return roots.own / "report" / split / "index.html"


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
    target = page(roots, split)
    site = target.parent
    drawn = _draw(roots, split, site, content, engine, progress)
    named = [
        _named(site, "data/skus", script("details", number, part))
        for number, part in enumerate(content.files_of_details())
    ]
    images = _named(site, "data/images", script("images", content.images()))
    index = script("index", content.index(checks, named, images))
    scripts = {
        "index": _named(site, "data/index", index),
        "refused": _named(site, "data/refused", script("refused", refused)),
        "code": _named(site, "static/gallery", _static("gallery.js"), ".js"),
        "style": _named(site, "static/gallery", _static("gallery.css"), ".css"),
    }
    text = _rendered(
        files=scripts,
        split=split,
        crops=_relative(roots.sku_root, site),
        originals=f"{_relative(roots.df2_root, site)}/{split}/image",
        **shown,
    ).encode()
    if not target.exists() or target.read_bytes() != text:
        with atomic(target) as temporary:
            temporary.write_bytes(text)
    wanted = {"index.html", images, *named, *scripts.values()}
    _remove_others(site, wanted | {sheet.path for sheet in content.sheets})
    return Site(target, drawn, hashlib.sha256(text).hexdigest())


def _draw(
    roots: Roots, split: str, site: Path, content: Content, engine: Engine, progress: Progress
) -> int:
    missing = [sheet for sheet in content.sheets if not (site / sheet.path).exists()]
    parts = (
        Shard(str(roots.sku_root), str(site), missing[start : start + _SHARD])
        for start in range(0, len(missing), _SHARD)
    )
    with (
        progress(f"drawing thumbnails of {split}", len(missing), "SKUs") as advance,
        closing(engine.map(draw_shard, parts)) as results,
    ):
        for shard, result in results:
            if isinstance(result, Lost):
                raise RuntimeError(f"a worker that drew thumbnails died: {result.cause}")
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


def _named(site: Path, stem: str, data: bytes, suffix: str = ".js") -> str:
    """Write `data` under a name that holds its digest, unless it is there; the name."""
    name = f"{stem}-{hashlib.sha256(data).hexdigest()[:12]}{suffix}"
    if not (site / name).exists():
        with atomic(site / name) as temporary:
            temporary.write_bytes(data)
    return name


def _relative(root: Path, site: Path) -> str:
    """The address of a folder, seen from the site's."""
    return quote(Path(os.path.relpath(root, site)).as_posix())


def _remove_others(site: Path, wanted: set[str]) -> None:
    """Remove what an earlier page named, and folders that this leaves empty."""
    for path in list(_files(site)):
        if path.relative_to(site).as_posix() not in wanted:
            path.unlink()
    for found in sorted((path for path in site.rglob("*") if path.is_dir()), reverse=True):
        if not any(found.iterdir()):
            found.rmdir()


def _files(site: Path) -> Iterator[Path]:
    return (path for path in site.rglob("*") if not path.is_dir())

"""A read-only web server for galleries, pictures, data cards and original images.

It serves nothing else under the two roots and lists no folder. `addresses.py` defines the
addresses. A request for another data set gets an error that names this one.
"""

import mimetypes
import os
import re
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from df2_assets.dataset.taxonomy import DOMAINS, SPLITS
from df2_assets.errors import StorageError
from df2_assets.report.addresses import address, data_set_id
from df2_assets.settings import Settings
from df2_assets.store.layout import OWN_FOLDER
from df2_assets.store.location import store_at
from df2_assets.store.store import Status

_SPLIT: Final = "|".join(SPLITS)
_NAME: Final = r"[\w-][\w.-]*"
_CROP: Final = rf"(?:{'|'.join(DOMAINS.values())})/{_NAME}/{_NAME}"
_IN_SKU_ROOT: Final = re.compile(
    rf"{OWN_FOLDER}/report/(?:{_NAME}/)*{_NAME}"
    rf"|{OWN_FOLDER}/exports/{_NAME}(?:@{_NAME})?/(?:{_SPLIT})/README\.md"
    rf"|(?:{_SPLIT})/{_CROP}\.jpg"
    rf"|{OWN_FOLDER}/variants/{_NAME}/(?:{_SPLIT})/{_CROP}\.(?:jpg|png|webp)",
    re.ASCII,
)
_IN_DF2_ROOT: Final = re.compile(rf"{_NAME}\.(?:jpg|json)", re.ASCII)

_HEADERS: Final = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""With `no-cache`, browsers ask each time whether a file has changed."""


def make_app(settings: Settings) -> ASGIApp:
    """Return the server of the data set that `settings` name."""
    roots, name = settings.roots, data_set_id(settings.roots)
    originals = [
        Mount(f"/{name}/df2/{split}/{kind}", _Files(roots.df2_root / split / kind, _IN_DF2_ROOT))
        for split in SPLITS
        for kind in ("image", "annos")
    ]

    def front_page(request: Request) -> Response:
        here = f"{settings.reports_url}/"  # links are relative, since a proxy may add a path
        pages = {split: roots.gallery(split) for split in SPLITS}
        links = "".join(
            f'<li><a href="{address(settings, page).removeprefix(here)}">{split}</a></li>'
            for split, page in pages.items()
            if page.exists()
        )
        return HTMLResponse(
            f"<!doctype html><title>df2-assets</title><h1>{escape(str(roots.sku_root))}</h1>"
            f"<ul>{links}</ul>{'' if links else '<p>No gallery yet: run df2-assets report.</p>'}"
        )

    async def not_found(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(f"/{name}/"):
            text = f"The reports of {roots.sku_root} have no such file."
        else:
            text = (
                f"This server shows {roots.sku_root} ({name}). Run "
                "`df2-assets serve` with the SKU_ROOT of the other data set."
            )
        return PlainTextResponse(f"{text}\n", 404)

    hosts = {"127.0.0.1", "localhost", urlsplit(settings.reports_url).hostname or "localhost"}
    app = Starlette(
        routes=[
            Route("/", front_page),
            *originals,
            Mount(f"/{name}/sku", _Files(roots.sku_root, _IN_SKU_ROOT)),
        ],
        # Refuse web pages of other hosts whose name resolves to this machine.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts])],
        exception_handlers={404: not_found},
    )
    app.router.redirect_slashes = False
    return app


class _Files:
    """Serves the files of a folder whose path, with links followed, matches `allowed`."""

    def __init__(self, folder: Path, allowed: re.Pattern[str]) -> None:
        self._folder = folder
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        name = request.url.path.removeprefix(scope.get("root_path", "")).removeprefix("/")
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405)
        try:
            data, status = await run_in_threadpool(self._read, name)
        except (OSError, ValueError):  # missing, not a file, not readable, or circular links
            raise HTTPException(404) from None
        except StorageError as error:
            raise HTTPException(503, str(error)) from None
        headers = {**_HEADERS, "ETag": '"{:x}-{:x}"'.format(*status)}
        is_known = headers["ETag"] in request.headers.get("If-None-Match", "")
        content, code = (b"", 304) if is_known else (bytes(data), 200)
        await Response(content, code, headers, _media_type(name))(scope, receive, send)

    def _read(self, name: str) -> tuple[memoryview, Status]:
        if not self._allowed.fullmatch(name):
            raise FileNotFoundError
        path = (self._folder / name).resolve()
        if not self._allowed.fullmatch(os.path.relpath(str(path), str(self._folder.resolve()))):
            raise FileNotFoundError
        return store_at(path).map_bytes(path)


def _media_type(name: str) -> str:
    """Return the media type of a file. Markdown is plain text, so that browsers show it."""
    guess = None if name.endswith(".md") else mimetypes.guess_type(name)[0]
    return guess or "text/plain"

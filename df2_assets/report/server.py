"""A read-only web server for what people look at: galleries, pictures, data cards and originals.

Nothing else under the two roots is served, and no folder is listed. `addresses.py` says where a
file is; an address of another data set is answered with the name of this one.
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
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from df2_assets.dataset.taxonomy import DOMAINS, SPLITS
from df2_assets.errors import StorageError
from df2_assets.report.addresses import address, data_set_id
from df2_assets.settings import Settings
from df2_assets.store.layout import OWN_FOLDER
from df2_assets.store.location import is_url

_SPLIT: Final = "|".join(SPLITS)
_NAME: Final = r"[\w-][\w.-]*"
_IN_SKU_ROOT: Final = re.compile(
    rf"{OWN_FOLDER}/report/(?:{_NAME}/)*{_NAME}"
    rf"|{OWN_FOLDER}/exports/{_NAME}/(?:{_SPLIT})/README\.md"
    rf"|(?:{_SPLIT})/(?:{'|'.join(DOMAINS.values())})/{_NAME}/{_NAME}\.jpg",
    re.ASCII,
)
_IN_DF2_ROOT: Final = re.compile(rf"{_NAME}\.(?:jpg|json)", re.ASCII)

_HEADERS: Final = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""`no-cache`: browsers ask each time whether a file has changed."""


def make_app(settings: Settings) -> ASGIApp:
    """Return the server of the data set that `settings` name."""
    roots, name = settings.roots, data_set_id(settings.roots)
    originals = [
        Mount(f"/{name}/df2/{split}/{kind}", _files(roots.df2_root / split / kind, _IN_DF2_ROOT))
        for split in SPLITS
        for kind in ("image", "annos")
    ]

    def front_page(request: Request) -> Response:
        here = f"{settings.reports_url}/"  # links are relative: a proxy may add a path
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
            text = f"There is no such file in the reports of {roots.sku_root}."
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
            Mount(f"/{name}/sku", _files(roots.sku_root, _IN_SKU_ROOT)),
        ],
        # A web page elsewhere whose name leads to this machine is not let in.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts])],
        exception_handlers={404: not_found},
    )
    app.router.redirect_slashes = False
    return app


def _files(folder: Path, allowed: re.Pattern[str]) -> ASGIApp:
    return (
        _Objects(folder, allowed)
        if is_url(str(folder))
        else _Folder(directory=folder, allowed=allowed)
    )


class _Folder(StaticFiles):
    """The files of a folder whose real name in it matches `allowed`, links followed."""

    def __init__(self, *, directory: Path, allowed: re.Pattern[str]) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._root = directory
        self._allowed = allowed

    async def check_config(self) -> None:
        """Accept a folder that is not there yet."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        try:
            real, status = super().lookup_path(path)
        except (OSError, ValueError):  # not for this user to read, links in a circle, a null byte
            return "", None
        if not real or not self._allowed.fullmatch(os.path.relpath(real, self._root.resolve())):
            return "", None
        return real, status

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = FileResponse(
            full_path, status_code, _HEADERS, _media_type(full_path), stat_result=stat_result
        )
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response


class _Objects:
    """The same of a bucket, where there are no links."""

    def __init__(self, folder: Path, allowed: re.Pattern[str]) -> None:
        self._folder = folder
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        name = request.url.path.removeprefix(scope.get("root_path", "")).removeprefix("/")
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405)
        if not self._allowed.fullmatch(name):
            raise HTTPException(404)
        try:
            data = await run_in_threadpool((self._folder / name).read_bytes)
        except FileNotFoundError:
            raise HTTPException(404) from None
        except StorageError as error:
            raise HTTPException(503, str(error)) from None
        await Response(data, 200, _HEADERS, _media_type(name))(scope, receive, send)


def _media_type(path: str | os.PathLike[str]) -> str:
    """Return the type of a file; a browser would save Markdown and not show it."""
    name = os.fspath(path)
    guess = None if name.endswith(".md") else mimetypes.guess_type(name)[0]
    return guess or "text/plain"

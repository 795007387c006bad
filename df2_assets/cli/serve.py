"""`df2-assets serve`: galleries, pictures and data cards over HTTP, on this machine alone."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from df2_assets.cli.options import (
    WholeNumber,
    environment,
    json_option,
    say,
    say_json,
    setting_options,
    settings_for,
)
from df2_assets.engines.processes import end_with_parent
from df2_assets.signals import received

if TYPE_CHECKING:
    import uvicorn

_PORT: Final = 3001
_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 30.0
"""Seconds in which the command beside the server must end."""


@click.command()
@click.option("--port", type=WholeNumber(1, 65535), help="By default that of DF2_REPORTS_URL.")
@click.option(
    "--host",
    default=_HOST,
    show_default=True,
    help="Another address than this machine's own, such as 0.0.0.0 in a container.",
)
@setting_options("df2_root", "sku_root")
@json_option
@click.argument("command", nargs=-1)
def serve(port: int | None, host: str, as_json: bool, command: tuple[str, ...]) -> None:
    """Serve galleries, pictures and data cards, so that links in Dagster's UI open them.

    \b
    Example: df2-assets serve

    It reads SKU_ROOT and the images and annotations of DF2_ROOT, changes nothing, and answers on
    127.0.0.1 alone, since there is no login. A COMMAND after `--` runs beside it; when either
    ends, so does the other.
    """
    settings = settings_for(())

    import uvicorn

    from df2_assets.report.server import make_app

    address = urlsplit(settings.reports_url)
    here = address.hostname in (_HOST, "localhost")
    number = port or (address.port if here and address.port else _PORT)
    remedy = "set DF2_REPORTS_URL to an address with another port."
    with listening(host, number, remedy) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                make_app(settings),
                log_level="warning",
                access_log=False,
                lifespan="off",
                loop="asyncio",  # uvloop would keep signals to itself
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        url = f"http://{host}:{number}"
        if as_json:
            say_json({"sku_root": str(settings.roots.sku_root), "url": url})
        else:
            say(f"Reports of {settings.roots.sku_root}: {url}")
        status = _run(server, listener, command)
    if status:
        raise SystemExit(status)


@contextmanager
def listening(host: str, port: int, remedy: str) -> Iterator[socket.socket]:
    """Listen on a port. Raises ClickException, with a remedy, where it cannot be used."""
    try:
        listener = socket.create_server((host, port))
    except OSError as error:  # a gaierror has no number of the system's
        reason = error.strerror or error
        raise click.ClickException(
            f"Port {port} of {host} cannot be used ({reason}): end what listens there, or {remedy}"
        ) from None
    with listener:
        yield listener


def _run(server: "uvicorn.Server", listener: socket.socket, command: tuple[str, ...]) -> int:
    """Serve until a signal or the end of `command`; return the status of the one or the other."""
    beside = _start(command) if command else None
    # uvicorn stops at a signal, then raises it again: the command has still to be ended.
    try:
        if beside is not None:
            threading.Thread(target=_follow, args=(beside, server), daemon=True).start()
        server.run(sockets=[listener])
        return (beside.poll() or 0) if beside is not None else 0
    except KeyboardInterrupt:
        return 128 + received()
    finally:
        if beside is not None:
            _end(beside)


def _start(command: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    """Start a command in a process group of its own: it gets Ctrl-C from here, and once."""
    try:
        return subprocess.Popen(
            command,
            env=environment(),
            process_group=0,
            preexec_fn=partial(end_with_parent, os.getpid(), signal.SIGINT),
        )
    except OSError as error:
        raise click.ClickException(f"{command[0]} cannot be started: {error.strerror}.") from None


def _follow(beside: "subprocess.Popen[bytes]", server: "uvicorn.Server") -> None:
    beside.wait()
    server.should_exit = True


def _end(beside: "subprocess.Popen[bytes]") -> None:
    """End a command and what it has left behind, as Ctrl-C in a terminal does."""
    number = signal.SIGINT if beside.poll() is None else signal.SIGTERM
    with suppress(ProcessLookupError):
        os.killpg(beside.pid, number)
    try:
        beside.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(beside.pid, signal.SIGKILL)

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

from df2_assets.cli.options import WholeNumber, say, settings_for
from df2_assets.engines.processes import die_with

if TYPE_CHECKING:
    import uvicorn

_PORT: Final = 3001
_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 30.0
"""Seconds in which the command beside the server must end."""


@click.command()
@click.option("--port", type=WholeNumber(1, 65535), help="By default that of DF2_REPORTS_URL.")
@click.argument("command", nargs=-1)
def serve(port: int | None, command: tuple[str, ...]) -> None:
    """Serve galleries, pictures and data cards, so that links in Dagster's UI open them.

    \b
    Example: df2-assets serve

    It reads SKU_ROOT and the images and annotations of DF2_ROOT, changes nothing, and answers on
    127.0.0.1 alone. A COMMAND after `--` runs beside it, as in make ui; when either ends, so does
    the other.
    """
    settings = settings_for(())

    import uvicorn

    from df2_assets.report.server import make_app

    address = urlsplit(settings.reports_url)
    here = address.hostname in (_HOST, "localhost")
    with _listening(port or (address.port if here and address.port else _PORT)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                make_app(settings),
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        number = listener.getsockname()[1]
        say(f"Reports of {settings.roots.sku_root}: http://{_HOST}:{number}")
        status = _run(server, listener, command)
    if status:
        raise SystemExit(status)


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((_HOST, port))
    except OSError as error:
        raise click.ClickException(
            f"Port {port} of {_HOST} cannot be used ({os.strerror(error.errno or 0)}): end what "
            "listens there, or set DF2_REPORTS_URL to an address with another port."
        ) from None
    with listener:
        yield listener


def _run(server: "uvicorn.Server", listener: socket.socket, command: tuple[str, ...]) -> int:
    """Serve until a signal or the end of `command`; return the status of the command."""
    # uvicorn stops at these signals, then raises them again: the command has still to be ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    with suppress(KeyboardInterrupt):
        if not command:
            server.run(sockets=[listener])
            return 0
        beside = _start(command)
        try:
            threading.Thread(target=_follow, args=(beside, server), daemon=True).start()
            server.run(sockets=[listener])
            return beside.poll() or 0
        finally:
            _end(beside)
    return 0


def _start(command: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    """Start a command in a process group of its own: it gets Ctrl-C from here, and once."""
    try:
        return subprocess.Popen(
            command,
            process_group=0,
            preexec_fn=partial(die_with, os.getpid(), signal.SIGINT),
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

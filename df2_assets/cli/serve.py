"""`df2-assets serve`: galleries, pictures and data cards over HTTP, for this machine only."""

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
from df2_assets.signals import received_signal

if TYPE_CHECKING:
    import uvicorn

_PORT: Final = 3001
_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 30.0
"""Seconds that the command beside the server has to end."""


@click.command()
@click.option(
    "--port",
    type=WholeNumber(1, 65535),
    metavar="PORT",
    help="Port to serve on; by default that of DF2_REPORTS_URL.",
)
@click.option(
    "--host",
    default=_HOST,
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on, such as 0.0.0.0 in a container.",
)
@setting_options("df2_root", "sku_root")
@json_option
@click.argument("command", nargs=-1)
def serve(port: int | None, host: str, as_json: bool, command: tuple[str, ...]) -> None:
    """Serve galleries, pictures and data cards over HTTP.

    \b
    Example: df2-assets serve

    The links in Dagster's UI lead to this server. It reads SKU_ROOT and the images and annotations
    of DF2_ROOT, and changes nothing. It has no login, so it is reachable only from this machine
    unless --host says otherwise. A COMMAND after `--` runs beside it; when one ends, so does the
    other.
    """
    settings = settings_for(())

    import uvicorn

    from df2_assets.report.server import make_app

    address = urlsplit(settings.reports_url)
    is_local = address.hostname in (_HOST, "localhost")
    number = port or (address.port if is_local and address.port else _PORT)
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
    """Listen on a port. Raises ClickException with a remedy if the port cannot be used."""
    try:
        listener = socket.create_server((host, port))
    except OSError as error:  # a gaierror has no strerror of the system
        reason = error.strerror or error
        raise click.ClickException(
            f"Port {port} of {host} cannot be used ({reason}): stop what uses it, or {remedy}"
        ) from None
    with listener:
        yield listener


def _run(server: "uvicorn.Server", listener: socket.socket, command: tuple[str, ...]) -> int:
    """Serve until a signal or the end of `command`; return the exit status of that."""
    beside = _start(command) if command else None
    # uvicorn stops at a signal and raises it again; the command must still be stopped then.
    try:
        if beside is not None:
            threading.Thread(target=_follow, args=(beside, server), daemon=True).start()
        server.run(sockets=[listener])
        return (beside.poll() or 0) if beside is not None else 0
    except KeyboardInterrupt:
        return 128 + received_signal()
    finally:
        if beside is not None:
            _end(beside)


def _start(command: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    """Start a command in its own process group, so that it gets Ctrl-C only once, from here."""
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
    """Stop a command and its remaining children, as Ctrl-C in a terminal does."""
    number = signal.SIGINT if beside.poll() is None else signal.SIGTERM
    with suppress(ProcessLookupError):
        os.killpg(beside.pid, number)
    try:
        beside.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(beside.pid, signal.SIGKILL)

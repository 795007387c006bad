"""The folder that a benchmark works in: enough room before, gone afterwards."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


def ask_for_room(folder: Path, needed: int, *, ask: bool) -> None:
    """Say how many bytes are `needed` and free, and ask whether to go on if `ask`.

    Raises ClickException where there are not enough, or the folder is there already.
    """
    if folder.exists():
        raise click.ClickException(f"{folder} is there already: remove it, or name another one.")
    room, there = needed / 1e9, _free(folder) / 1e9
    click.echo(f"This needs about {room:.1f} GB in {folder}, which has {there:.1f} GB free.")
    if room > there:
        raise click.ClickException("That is not enough: make room, or name another folder.")
    if ask:
        click.confirm("Go on?", abort=True)


@contextmanager
def work_folder(folder: Path, *, keep: bool = False) -> Iterator[Path]:
    """The folder, made, and removed with all in it at the end of the block unless `keep`."""
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        if not keep:
            click.echo("Cleaning up.")
            shutil.rmtree(folder)


def _free(folder: Path) -> int:
    """Bytes free on the disk that holds, or would hold, `folder`."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free

"""Options that commands share, the settings that they give, and output."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.settings import MAX_WORKERS, Settings, parse_splits, read_settings

if TYPE_CHECKING:
    from df2_assets.engines.progress import Progress


class WholeNumber(click.IntRange):
    """A whole number in ASCII digits; `int` alone takes `1_0` and digits of all scripts too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, str) and not re.fullmatch(r"[-+]?[0-9]+", value):
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        number: int = super().convert(value, param, ctx)
        return number


def completing(names: Iterable[str]) -> Callable[[object, object, str], list[str]]:
    """Return what a shell asks for the names that begin with what was typed."""
    return lambda _context, _parameter, typed: [name for name in names if name.startswith(typed)]


splits_option = click.option(
    "--split",
    "names",
    multiple=True,
    shell_complete=completing(SPLITS),
    help="Only this split; may be given repeatedly.",
)
workers_option = click.option(
    "--workers", type=WholeNumber(1, MAX_WORKERS), help="Processes; by default one per core."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")


def settings_for(
    names: tuple[str, ...], workers: int | None = None, *, starts_engine: bool = False
) -> Settings:
    """Return the environment's settings with a command's options over them, all of them usable.

    Raises RootsError, or SettingsError, also where an engine is to start and cannot be had.
    """
    from df2_assets.store.layout import require_safe_roots

    settings = read_settings()
    settings = replace(
        settings,
        splits=parse_splits(names) or settings.splits,
        workers=workers or settings.workers,
    )
    require_safe_roots(settings.roots)
    if starts_engine:
        from df2_assets.engines.make import require_usable

        require_usable(settings.engine, settings.workers, settings.ray_address)
    return settings


def built_splits(settings: Settings, *, named: bool) -> tuple[str, ...]:
    """Return the splits to look at: those that were named, else those that were built.

    Raises MissingTableError where none was.
    """
    from df2_assets.errors import MissingTableError
    from df2_assets.store.state import is_built

    if named:
        return settings.splits
    built = tuple(split for split in settings.splits if is_built(settings.roots, split))
    if not built:
        raise MissingTableError(
            f"Nothing is built under SKU_ROOT ({settings.roots.sku_root}): set SKU_ROOT, or run "
            "df2-assets build"
        )
    return built


def quiet() -> bool:
    """Whether `--quiet` was given: only problems are shown."""
    return bool(_options().get("quiet"))


def verbose() -> bool:
    """Whether `--verbose` was given: the log of the runs is shown as well."""
    return bool(_options().get("verbose"))


def progress() -> "Progress":
    """Return a bar on a terminal, unless `--quiet`."""
    from df2_assets.engines.progress import bar, silent

    return bar if sys.stderr.isatty() and not quiet() else silent


def say(text: str) -> None:
    """Print a line, unless `--quiet`."""
    if not quiet():
        click.echo(text)


def say_json(value: Any) -> None:
    """Print a value as one indented JSON document."""
    click.echo(json.dumps(value, indent=2))


def say_table(rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows under the names of their cells; all columns but the first are flush right."""
    rows = list(rows)
    if not rows:
        return
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        right = (f"{text:>{width}}" for text, width in zip(others, widths[1:], strict=True))
        say("  ".join([f"{first:<{widths[0]}}", *right]))


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
    return str(value)


def _options() -> dict[str, Any]:
    return click.get_current_context().find_root().params

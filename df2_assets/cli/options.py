"""Options that commands share, the settings that they give, and output."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.errors import has_controls
from df2_assets.settings import (
    FIELDS,
    MAX_WORKERS,
    Settings,
    parse_splits,
    read_settings,
    require_usable,
)

if TYPE_CHECKING:
    from df2_assets.engines.progress import Progress

_Function = TypeVar("_Function", bound=Callable[..., Any])

_GIVEN: Final = "df2_assets.given"
"""The key under which a click context keeps the settings that options gave, by their names."""

_COMMAND: Final = r"(?P<variables>(?:\b[A-Z0-9_]+=(?:'[^']*'|\S)+ )*)\bdf2-assets "
"""A command to be pasted, with the variables that are set for it."""


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


def setting_options(*settings: str) -> Callable[[_Function], _Function]:
    """Return a decorator that adds an option for each of the settings, such as `df2_root`.

    An option wins over the variable of its setting. Both go through the same validation.
    """

    def add_options(command: _Function) -> _Function:
        for setting in reversed(settings):
            command = click.option(
                _option_of(setting),
                setting,
                metavar="PATH",
                expose_value=False,
                callback=_keep,
                help=f"{FIELDS[setting].description} By default that of {_variable_of(setting)}.",
            )(command)
        return command

    return add_options


def _keep(context: click.Context, parameter: click.Parameter, text: str | None) -> None:
    """Keep what an option gave, for `read_given_settings`."""
    if text is None:
        return
    if not text.strip() and not has_controls(text):  # an empty variable in a script, no default
        raise click.BadParameter("it is empty.", context, parameter)
    context.meta.setdefault(_GIVEN, {})[parameter.name] = text


def _option_of(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"


def _variable_of(setting: str) -> str:
    return str(FIELDS[setting].validation_alias)


def _given() -> dict[str, str]:
    """Return the settings that options gave, by their names."""
    context = click.get_current_context(silent=True)
    given: dict[str, str] = context.meta.get(_GIVEN, {}) if context else {}
    return given


def environment() -> dict[str, str]:
    """Return the environment with the settings that options gave in place of its own."""
    return os.environ | {_variable_of(setting): text for setting, text in _given().items()}


def read_given_settings() -> Settings:
    """Return the settings that the environment and the command's options give.

    Raises SettingsError, or RootsError; both name an option where the value came from one.
    """
    return read_settings(environment(), {setting: _option_of(setting) for setting in _given()})


def with_options(text: str) -> str:
    """Return a message for a person who gave settings by options instead of variables.

    It names the options, and commands in it have them, so that a pasted command works on the same
    data set.
    """
    root = click.get_current_context().find_root().command
    commands: Mapping[str, click.Command] = getattr(root, "commands", {})
    for setting, value in reversed(_given().items()):
        option, variable = _option_of(setting), _variable_of(setting)
        text = re.sub(rf"\b(S|s)et {variable}(=|\b)", rf"\1pecify {option}\2", text)
        text = text.replace(f"{option}=", f"{option} ")
        text = re.sub(rf"(?<![\w/]){variable}\b(?!=)", option, text)
        for name, command in commands.items():
            if any(setting == parameter.name for parameter in command.params):
                pasted = f"{option} {quote(value)}"
                text = re.sub(rf"{_COMMAND}{name}\b", partial(_append, pasted), text)
    return text


def _append(pasted: str, match: re.Match[str]) -> str:
    """Return a command with an option, unless variables before it say the same."""
    return match[0] if match["variables"] else f"{match[0]} {pasted}"


def settings_for(
    names: tuple[str, ...], workers: int | None = None, *, starts_engine: bool = False
) -> Settings:
    """Return the settings of the environment and of a command's options, all of them usable.

    Raises RootsError, or SettingsError, also where an engine is to start and cannot be had.
    """
    settings = read_given_settings()
    settings = replace(
        settings,
        splits=parse_splits(names) or settings.splits,
        workers=workers or settings.workers,
    )
    require_usable(settings, starts_engine=starts_engine)
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
        click.echo(with_options(text))


def say_problem(text: str) -> None:
    """Print a line also with `--quiet`."""
    click.echo(with_options(text))


def say_json(value: Any) -> None:
    """Print a value as one indented JSON document."""
    click.echo(json.dumps(value, indent=2))


def say_table(rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows under the names of their cells; all columns but the first are flush right."""
    rows = list(rows)
    if not rows:
        return
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    for line in aligned(lines, ">"):
        say(line)


def aligned(lines: Iterable[list[str]], side: str) -> Iterator[str]:
    """Yield lines in columns: the first one is flush left, the others are as `side` (`<`, `>`)."""
    lines = [*lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        padded = (f"{text:{side}{width}}" for text, width in zip(others, widths[1:], strict=True))
        yield "  ".join([f"{first:<{widths[0]}}", *padded]).rstrip()


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
    return str(value)


def _options() -> dict[str, Any]:
    return click.get_current_context().find_root().params

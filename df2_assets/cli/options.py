"""Options that commands share, the settings behind them, and output."""

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

_VALUES: Final = "df2_assets.values"
"""The key under which a click context keeps the values of `setting_options`, by setting."""

_FLAGS: Final = {"only_pairs": {"on": "--only-pairs", "off": "--keep-unpaired"}}
"""The options of settings that are switches, by their values."""

_METAVARS: Final = {"sku_token": "NUMBER", "encoder": "NAME"}

_COMMAND: Final = r"(?P<variables>(?:\b[A-Z0-9_]+=(?:'[^']*'|\S)+ )*)\bdf2-assets "
"""A command to paste, with the variables before it."""


class WholeNumber(click.IntRange):
    """A whole number in ASCII digits; `int` also accepts `1_0` and the digits of other scripts."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, str) and not re.fullmatch(r"[-+]?[0-9]+", value):
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        number: int = super().convert(value, param, ctx)
        return number


def complete_from(names: Iterable[str]) -> Callable[[object, object, str], list[str]]:
    """Return a shell completion that offers the names beginning with the typed text."""
    return lambda _context, _parameter, typed: [name for name in names if name.startswith(typed)]


splits_option = click.option(
    "--split",
    "names",
    multiple=True,
    metavar="SPLIT",
    shell_complete=complete_from(SPLITS),
    help=f"Only this split ({', '.join(SPLITS)}); can be repeated.",
)
workers_option = click.option(
    "--workers",
    type=WholeNumber(1, MAX_WORKERS),
    metavar="NUMBER",
    help="Worker processes; by default one per core.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, for programs."
)


def setting_options(*settings: str) -> Callable[[_Function], _Function]:
    """Return a decorator that adds an option for each setting, such as `df2_root`.

    An option overrides the variable of its setting. Both are validated in the same way.
    """

    def add_options(command: _Function) -> _Function:
        for setting in reversed(settings):
            flags = _FLAGS.get(setting)
            command = click.option(
                "/".join(flags.values()) if flags else _option_of(setting),
                setting,
                default=None,
                metavar=None if flags else _METAVARS.get(setting, "PATH"),
                expose_value=False,
                callback=_keep,
                help=f"{FIELDS[setting].description} Overrides {_variable_of(setting)}.",
            )(command)
        return command

    return add_options


def _keep(context: click.Context, parameter: click.Parameter, value: str | bool | None) -> None:
    """Keep the value of an option for `read_command_settings`."""
    if value is None:
        return
    text = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
    if not text.strip() and not has_controls(text):  # such as an unset variable in a script
        raise click.BadParameter("it is empty.", context, parameter)
    context.meta.setdefault(_VALUES, {})[parameter.name] = text


def _option_of(setting: str, value: str | None = None) -> str:
    """Return the option of a setting; for a flag, the one that stands for the value."""
    flags = _FLAGS.get(setting, {})
    return flags.get(value or "on", f"--{setting.replace('_', '-')}")


def _variable_of(setting: str) -> str:
    return str(FIELDS[setting].validation_alias)


def option_values() -> dict[str, str]:
    """Return the values of the options of settings, by setting."""
    context = click.get_current_context(silent=True)
    values: dict[str, str] = context.meta.get(_VALUES, {}) if context else {}
    return values


def environment() -> dict[str, str]:
    """Return the environment, in which options override the variables of their settings."""
    return os.environ | {_variable_of(name): text for name, text in option_values().items()}


def read_command_settings() -> Settings:
    """Return the settings of the environment and of the command's options.

    Raises SettingsError or RootsError, which names the option if the value came from one.
    """
    return read_settings(environment(), {name: _option_of(name) for name in option_values()})


def with_options(text: str) -> str:
    """Return a message for a user who set options instead of variables.

    It names the options, and its commands include them, so that they work on the same data set.
    """
    root = click.get_current_context().find_root().command
    commands: Mapping[str, click.Command] = getattr(root, "commands", {})
    for setting, value in reversed(option_values().items()):
        option, variable = _option_of(setting, value), _variable_of(setting)
        for other, flag in _FLAGS.get(setting, {}).items():
            text = text.replace(f"{variable}={other}", flag)
        text = re.sub(rf"\b(S|s)et {variable}(=|\b)", rf"\1pecify {option}\2", text)
        text = text.replace(f"{option}=", f"{option} ")
        text = re.sub(rf"(?<![\w/]){variable}\b(?!=)", option, text)
        for name, command in commands.items():
            if any(setting == parameter.name for parameter in command.params):
                pasted = option if setting in _FLAGS else f"{option} {quote(value)}"
                text = re.sub(rf"{_COMMAND}{name}\b", partial(_append, pasted), text)
    return text


def _append(pasted: str, match: re.Match[str]) -> str:
    """Return a command with an option, unless variables before it already set it."""
    return match[0] if match["variables"] else f"{match[0]} {pasted}"


def settings_for(
    names: tuple[str, ...], workers: int | None = None, *, starts_engine: bool = False
) -> Settings:
    """Return the settings of the environment and of a command's options, ready for use.

    Raises RootsError or SettingsError, also if `starts_engine` and the engine cannot be used.
    """
    settings = read_command_settings()
    settings = replace(
        settings,
        splits=parse_splits(names) or settings.splits,
        workers=workers or settings.workers,
    )
    require_usable(settings, starts_engine=starts_engine)
    return settings


def built_splits(settings: Settings, *, named: bool) -> tuple[str, ...]:
    """Return the splits of the settings if `named`, else those of them that are built.

    Raises MissingTableError if none is built.
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


def settings_for_built(
    names: tuple[str, ...], workers: int | None = None, *, starts_engine: bool = False
) -> Settings:
    """Return what `settings_for` does, without the splits that are neither named nor built.

    Also raises MissingTableError if none is built.
    """
    settings = settings_for(names, workers, starts_engine=starts_engine)
    return replace(settings, splits=built_splits(settings, named=bool(names)))


def quiet() -> bool:
    """Return whether `--quiet` is set: only problems are printed."""
    return bool(_options().get("quiet"))


def verbose() -> bool:
    """Return whether `--verbose` is set: the log of the runs is printed as well."""
    return bool(_options().get("verbose"))


def progress() -> "Progress":
    """Return a progress bar on a terminal, and silent progress elsewhere or with `--quiet`."""
    from df2_assets.engines.progress import bar, silent

    return bar if sys.stderr.isatty() and not quiet() else silent


def say(text: str) -> None:
    """Print a line, unless `--quiet`."""
    if not quiet():
        click.echo(with_options(text))


def say_problem(text: str) -> None:
    """Print a line, even with `--quiet`."""
    click.echo(with_options(text))


def say_json(value: Any) -> None:
    """Print a value as one indented JSON document."""
    click.echo(json.dumps(value, indent=2))


def say_table(rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows as a table with a header. All columns but the first are right-aligned."""
    rows = list(rows)
    if not rows:
        return
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    for line in aligned(lines, ">"):
        say(line)


def aligned(lines: Iterable[list[str]], side: str) -> Iterator[str]:
    """Yield lines in columns: the first is left-aligned, the others as `side` (`<`, `>`) says."""
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

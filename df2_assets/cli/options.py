"""Options and settings that commands share."""

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from df2_assets.cli.runs import Outcome
    from df2_assets.settings import Settings

splits_option = click.option(
    "--split", "names", multiple=True, help="Only this split; may be given repeatedly."
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 1024), help="Processes; by default one a core."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")


def settings_for(names: tuple[str, ...], workers: int | None = None) -> "Settings":
    """The environment's settings with a command's options over them, roots held to be safe.

    Raises SettingsError or RootsError.
    """
    from df2_assets.settings import parse_splits, read_settings
    from df2_assets.store.layout import require_safe_roots

    settings = read_settings()
    if names:
        settings = dataclasses.replace(settings, splits=parse_splits(list(names)))
    if workers:
        settings = dataclasses.replace(settings, workers=workers)
    require_safe_roots(settings.roots)
    return settings


def refuse_unusable_engine(settings: "Settings") -> None:
    """Raise SettingsError at once where the engine that runs would use cannot be had."""
    from df2_assets.engines.make import require_usable

    require_usable(settings.engine, settings.ray_address)


def built_splits(settings: "Settings", *, named: bool) -> tuple[str, ...]:
    """The splits to look at: those that were named, else those that were built.

    Raises MissingTableError where none was.
    """
    from df2_assets.errors import MissingTableError
    from df2_assets.store.consistency import is_built

    if named:
        return settings.splits
    built = tuple(split for split in settings.splits if is_built(settings.roots, split))
    if not built:
        raise MissingTableError(
            f"Nothing is built under SKU_ROOT ({settings.roots.sku_root}): run df2-assets build, "
            "or set SKU_ROOT."
        )
    return built


def quiet() -> bool:
    """Whether `--quiet` was given: nothing is said but problems."""
    return bool(_options().get("quiet"))


def verbose() -> bool:
    """Whether `--verbose` was given: the log of the runs is shown as well."""
    return bool(_options().get("verbose"))


def say(text: str) -> None:
    """Print a line, unless `--quiet`."""
    if not quiet():
        click.echo(text)


def say_json(value: Any) -> None:
    """Print a value as one indented JSON document."""
    click.echo(json.dumps(value, indent=2))


def say_problems(outcome: "Outcome") -> None:
    """What went wrong in a run, a line each on standard error."""
    for problem in outcome.failed + outcome.problems:
        click.secho(f"error: {outcome.split}: {problem}", err=True, fg="red")


def _options() -> dict[str, Any]:
    return click.get_current_context().find_root().params

"""The rules of the layout: imports point one way, and workers only load what they need."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from df2_assets_tests.support import processes
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.site import Site

PACKAGE = processes.PROJECT / "df2_assets"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

LEVELS: tuple[set[str], ...] = (
    {"__main__"},
    {"api"},
    {"cli"},
    {"component"},
    {"definitions"},
    {"defs"},
    {"report", "explanation", "verification", "exports", "checks", "sample", "torch"},
    {"retrieval"},
    {"pipeline"},
    {"settings"},
    {"engines", "embeddings"},
    {"store"},
    {"dataset"},
    {"errors", "signals"},
)
"""Rooms and the modules beside them, highest first: none imports from a higher level."""

WITHOUT_DAGSTER = {"api"}.union(*LEVELS[6:])
WORKERS_IMPORT = [
    "df2_assets.pipeline.reading",
    "df2_assets.pipeline.cutting",
    "df2_assets.pipeline.scanning",
    "df2_assets.embeddings.encoding",
    "df2_assets.pipeline.shapes",
    "df2_assets.report.gallery.sheets",
    *(module for module in MODULES if module.startswith("df2_assets.engines")),
]


def room(module: str) -> str:
    """Return the part of a module's name after the package, or nothing for the package itself."""
    return module.removeprefix(PACKAGE.name).removeprefix(".").split(".")[0]


def level(name: str) -> int:
    return next(number for number, names in enumerate(LEVELS) if name in names)


def imports(module: str) -> Iterator[str]:
    """Yield the full names of everything that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            assert node.module is not None
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from (submodules & MODULES.keys()) or {node.module}


def rooms_imported(module: str) -> set[str]:
    """Return the other rooms that a module imports from."""
    own = {room(name) for name in imports(module) if name.split(".")[0] == PACKAGE.name}
    return own - {"", room(module)}


def test_every_room_has_a_level() -> None:
    assert {room(module) for module in MODULES} - {""} <= set.union(*LEVELS)


def test_the_package_itself_loads_nothing(tmp_path: Path) -> None:
    """Workers import it. It loads its public names when they are first used."""
    program = (
        "import sys; before = {*sys.modules}; import df2_assets; new = {*sys.modules} - before"
    )
    env = processes.environment(tmp_path)
    done = processes.run(
        (sys.executable, "-c", f"{program}; print(*new, df2_assets.build.__module__)"),
        env,
        tmp_path,
    )
    assert done.stdout.split() == ["df2_assets", "df2_assets.api"], done.stderr


@pytest.mark.parametrize("module", [module for module in MODULES if room(module)])
def test_imports_never_point_up(module: str) -> None:
    own = level(room(module))
    assert [name for name in rooms_imported(module) if level(name) < own] == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        graph.setdefault(room(module), set()).update(rooms_imported(module))
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_no_modules_import_each_other_in_a_circle() -> None:
    """The package itself only loads its public names when they are used."""
    modules = MODULES.keys() - {PACKAGE.name}
    graph = {module: {*imports(module)} & modules - {module} for module in modules}
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_only_defs_definitions_the_component_and_cli_import_dagster() -> None:
    below = [module for module in MODULES if room(module) in WITHOUT_DAGSTER]
    assert len(below) > 20
    assert [m for m in below if any(name.startswith("dagster") for name in imports(m))] == []


@pytest.mark.parametrize("module", WORKERS_IMPORT)
def test_what_workers_import_loads_neither_tables_nor_dagster(module: str, tmp_path: Path) -> None:
    loaded = processes.loaded_modules(f"import {module}", processes.environment(tmp_path), tmp_path)
    assert "df2_assets" in loaded
    assert loaded & {"dagster", "pandas", "pyarrow", "numpy", "matplotlib", "torch"} == set()
    assert loaded & {"boto3", "obstore", "upath"} == set()


def test_a_build_from_folder_to_folder_loads_nothing_of_object_stores(tmp_path: Path) -> None:
    random_dataset(tmp_path / "df2", 1, images=4)
    env = processes.environment(tmp_path, DF2_ROOT=tmp_path / "df2", SKU_ROOT=tmp_path / "sku")
    program = (
        "from df2_assets.cli.runs import run_all\n"
        "from df2_assets.settings import parse_splits, read_settings\n"
        "from dataclasses import replace\n"
        "import click\n"
        "with click.Context(click.Command('build')):\n"
        "    run, = run_all(replace(read_settings(), splits=parse_splits(['train'])))\n"
        "assert run.success and run.numbers['crops'], run\n"
    )
    loaded = processes.loaded_modules(program, env, tmp_path)
    assert {"dagster", "loky"} <= loaded
    # Dagster itself loads upath, and with it fsspec, when it opens an instance.
    assert loaded & {"boto3", "obstore"} == set()


HEAVY = {"dagster", "loky", "matplotlib", "numpy", "obstore", "pandas", "PIL", "pyarrow", "torch"}
"""Packages of which a command loads what it needs: each takes a while, or much memory."""

TABLES = {"numpy", "pandas", "pyarrow"}
COMMANDS = {
    "--help": set(),
    "prompts": TABLES,
    "refusals": TABLES,
    "explain train 000011": TABLES,
    "status": {*TABLES, "PIL"},
    "plan --split train": {*TABLES, "PIL", "loky"},
    "verify --split train": {*TABLES, "PIL", "loky"},
    "build --split test": {*TABLES, "PIL", "loky", "dagster"},
}
"""Commands, and those of the heavy packages that each of them may load."""


@pytest.mark.parametrize(("command", "may_load"), COMMANDS.items(), ids=COMMANDS)
def test_a_command_loads_no_more_than_it_needs(
    command: str, may_load: set[str], original: Site, tmp_path: Path
) -> None:
    roots = {"DF2_ROOT": original.data.root, "SKU_ROOT": original.sku}
    if command.startswith("build"):
        roots["SKU_ROOT"] = tmp_path / "sku"
    program = (
        "import contextlib, io, sys\n"
        "from df2_assets.__main__ import main\n"
        f"sys.argv = ['df2-assets', *{command.split()}]\n"
        "with contextlib.redirect_stdout(io.StringIO()) as output:\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        main()\n"
        "assert output.getvalue()"
    )
    env = processes.environment(tmp_path / "home", **roots)
    loaded = processes.loaded_modules(program, env, tmp_path)
    assert loaded & HEAVY <= may_load


def test_every_module_has_a_docstring() -> None:
    texts = {module: path.read_text(encoding="utf-8") for module, path in MODULES.items()}
    assert [m for m, text in texts.items() if not ast.get_docstring(ast.parse(text))] == []

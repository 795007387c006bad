"""A folder to work in, and the command `df2-assets` run there."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from df2_assets.cli import main
from df2_assets.store.layout import Roots
from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import DF2_ASSETS, Text


class Desk(NamedTuple):
    """A folder with the data set `df2`, the output `sku`, and the DAGSTER_HOME `home`."""

    folder: Path

    @property
    def df2(self) -> Path:
        return self.folder / "df2"

    @property
    def sku(self) -> Path:
        return self.folder / "sku"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def roots(self) -> Roots:
        return Roots(self.df2, self.sku, str(self.sku))

    def environment(self, **settings: object) -> dict[str, str]:
        variables = {"DF2_ROOT": self.df2, "SKU_ROOT": self.sku, "DF2_WORKERS": 2} | settings
        return processes.environment(self.home, **variables)

    def run(self, *arguments: str, **settings: object) -> Result:
        """Run a command in this process."""
        result = CliRunner().invoke(main, arguments, env=self.environment(**settings))
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, exit_code: int = 0, **settings: object) -> Any:
        """Return the JSON document that a command prints."""
        result = self.run(*arguments, "--json", **settings)
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)

    def start(self, *arguments: str, **settings: object) -> Text:
        """Run a command in its own process, as a shell does."""
        command = (*DF2_ASSETS, *arguments)
        return processes.run(command, self.environment(**settings), self.folder)

    def files(self) -> dict[str, bytes]:
        """Return the contents of everything in the folder, by path; empty for folders and links."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else b""
            for path in self.folder.rglob("*")
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk for one test, with the data set of `site` if the test uses that too."""
    return Desk(tmp_path)

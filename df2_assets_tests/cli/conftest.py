"""A folder to work in, and the command `df2-assets` as a person there has it."""

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
    """`df2` is the data set, `sku` the output, `home` Dagster's, each in `folder`."""

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
        given = {"DF2_ROOT": self.df2, "SKU_ROOT": self.sku, "DF2_WORKERS": 2} | settings
        return processes.environment(self.home, **given)

    def run(self, *arguments: str, **settings: object) -> Result:
        """Run a command in this process."""
        result = CliRunner().invoke(main, arguments, env=self.environment(**settings))
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, exit_code: int = 0, **settings: object) -> Any:
        """Return what a command prints for programs."""
        result = self.run(*arguments, "--json", **settings)
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)

    def start(self, *arguments: str, **settings: object) -> Text:
        """Run a command in a process of its own, as a shell does."""
        command = (*DF2_ASSETS, *arguments)
        return processes.run(command, self.environment(**settings), self.folder)

    def files(self) -> dict[str, bytes]:
        """Return all that lies in the folder by path; folders and links have no content."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else b""
            for path in self.folder.rglob("*")
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk of the test's own, at the data set of `site` where the test takes that too."""
    return Desk(tmp_path)

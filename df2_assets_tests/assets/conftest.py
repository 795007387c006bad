"""What the tests of the assets' pages share."""

from df2_assets_tests.automation.conftest import platform

__all__ = ["platform"]

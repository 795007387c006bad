"""The small split that the tests of checks build."""

from df2_assets_tests.checks.conftest import built, disk, small

__all__ = ["built", "disk", "small"]

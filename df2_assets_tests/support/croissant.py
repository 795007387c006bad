"""mlcroissant, without what it does to logging."""

import sys
from typing import Any

import pytest


def mlcroissant() -> Any:
    """The library; skips where it is not installed.

    absl, which it logs with, keeps the standard error of the moment, and closes it when Dagster
    sets up logging anew: that is the one that pytest captures.
    """
    module = pytest.importorskip("mlcroissant")
    from absl import logging

    logging.get_absl_handler().python_handler.setStream(sys.__stderr__)
    return module

"""mlcroissant, without its effects on logging."""

import sys
from typing import Any

import pytest


def mlcroissant() -> Any:
    """Return the library. Skip the test if it is not installed.

    It logs with absl, which keeps the current standard error and closes it when Dagster configures
    logging again. In a test, that is the one that pytest captures.
    """
    module = pytest.importorskip("mlcroissant")
    from absl import logging

    logging.get_absl_handler().python_handler.setStream(sys.__stderr__)
    return module

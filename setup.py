"""Folders for the files of a wheel build. Everything else is in pyproject.toml."""

import tempfile

from setuptools import setup

# Without these options setuptools leaves build/ and df2_assets.egg-info in the project.
with tempfile.TemporaryDirectory(prefix="df2-assets-build-") as folder:
    setup(options={"build": {"build_base": folder}, "egg_info": {"egg_base": folder}})

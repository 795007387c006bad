"""torchvision beside a build of torch that it was not compiled for.

open_clip imports it for picture transforms, which are Python. Its compiled operators come for the
GPU build of torch alone; beside the CPU build it does not import, since it describes them first.
"""

import importlib
import sys
import types


def make_importable() -> None:
    """Let torchvision be imported, without its compiled operators where they cannot be had."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        meta = "torchvision._meta_registrations"
        sys.modules[meta] = types.ModuleType(meta)
        importlib.import_module("torchvision")

"""torchvision with a build of torch that it was not compiled for.

open_clip imports it for picture transforms, which are Python. Its compiled operators only work with
the GPU build of torch. With the CPU build, torchvision cannot be imported, since it registers them.
"""

import importlib
import sys
import types


def make_importable() -> None:
    """Make torchvision importable, without its compiled operators if they do not work."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        meta = "torchvision._meta_registrations"
        sys.modules[meta] = types.ModuleType(meta)
        importlib.import_module("torchvision")

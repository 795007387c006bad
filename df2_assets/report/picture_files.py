"""Pictures of assets and checks as files, which pages of the UI show by their address."""

import hashlib
import re
from pathlib import Path
from typing import Final

from df2_assets.report.tiles import Picture
from df2_assets.store.layout import Roots

KEPT: Final = 20
"""Pictures of one kind and split that are kept: an older event shows its own, up to then."""

_NAME: Final = re.compile(r"(\d+)-\w+\.\w+")


def write_picture(roots: Roots, kind: str, split: str, picture: Picture) -> Path:
    """Write a picture, unless the same one is there, and return where it is.

    Files are numbered in the order in which they were first drawn; the oldest beyond `KEPT` are
    removed.
    """
    folder = roots.pictures(kind, split)
    earlier = sorted(name for name in roots.sku.names(folder) if _NAME.fullmatch(name))
    end = f"-{hashlib.sha256(picture.data).hexdigest()[:12]}{picture.suffix}"
    same = next((name for name in earlier if name.endswith(end)), None)
    if same is not None:
        return folder / same
    number = int(earlier[-1].partition("-")[0]) + 1 if earlier else 1
    path = folder / f"{number:08d}{end}"
    roots.sku.publish(path, [picture.data], lambda: None)
    roots.sku.remove(folder, earlier[: max(0, len(earlier) + 1 - KEPT)])
    return path

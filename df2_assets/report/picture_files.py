"""Files of pictures of assets and checks, which the UI shows by their web address."""

import hashlib
import re
from pathlib import Path
from typing import Final

from df2_assets.report.tiles import Picture
from df2_assets.store.layout import Roots

KEPT: Final = 20
"""How many pictures of one kind and split are kept, so that earlier events still show theirs."""

_NAME: Final = re.compile(r"(\d+)-\w+\.\w+")


def write_picture(roots: Roots, kind: str, split: str, picture: Picture) -> Path:
    """Write a picture, unless the same one exists, and return its path.

    Files are numbered in the order in which they were first drawn. The oldest are removed, so that
    `KEPT` remain.
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

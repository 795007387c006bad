"""The web addresses at which `report/server.py` serves the files of a data set."""

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from df2_assets.settings import Settings
from df2_assets.store.layout import Roots


def data_set_id(roots: Roots) -> str:
    """Return the name of a data set in addresses: the folder name and a digest of the full path."""
    place = roots.sku_root.resolve()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", place.name)
    return f"{name}-{hashlib.sha256(str(place).encode()).hexdigest()[:8]}"


def address(settings: Settings, path: Path) -> str:
    """Return the http address of a file under SKU_ROOT."""
    roots = settings.roots
    name = quote(path.relative_to(roots.sku_root).as_posix())
    return f"{settings.reports_url}/{data_set_id(roots)}/sku/{name}"

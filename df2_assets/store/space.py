"""Free space on the disk."""

from pathlib import Path

from df2_assets.errors import DiskFullError
from df2_assets.store.location import store_at


def require_space(root: Path, needed: int, what: str) -> None:
    """Raise DiskFullError if the disk of `root` has fewer than `needed` free bytes for `what`."""
    available = store_at(root).free(root)
    if available is not None and needed > available:
        raise DiskFullError(
            f"{what} needs about {needed / 1e6:,.1f} MB, and {root} has {available / 1e6:,.1f} MB "
            "free: free some space, or set SKU_ROOT to another disk."
        )

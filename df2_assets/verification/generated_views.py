"""What the generators of the original recipe write beside the catalog. It is only listed.

They write images to `{split}/catalog_dit/` and the like, and metadata and lines of their own to
`{split}_sku_metadata.dit.json` and `{split}_image_text.dit.jsonl` in SKU_ROOT.
"""

import re
from collections.abc import Iterable

import msgspec

from df2_assets.store.layout import Roots


class GeneratedView(msgspec.Struct, frozen=True):
    """A folder or document of generated views; `path` is relative to SKU_ROOT.

    `folders` are those with files in them. Both numbers are None for a link, which is not followed.
    """

    path: str
    folders: int | None
    files: int | None


def list_views(roots: Roots, split: str, folders: Iterable[str]) -> list[GeneratedView]:
    """Return the generated views of a split. `folders` are the `views` of its `CropTree`."""
    stems = (roots.sku_metadata(split).stem, roots.image_text(split).stem)
    document = re.compile(rf"(?:{stems[0]}\..+\.json|{stems[1]}\..+\.jsonl)", re.DOTALL)
    names = sorted(filter(document.fullmatch, roots.sku.names(roots.sku_root)))
    return [
        *(_count(roots, path) for path in folders),
        *(GeneratedView(name, 0, 1) for name in names),
    ]


def _count(roots: Roots, path: str) -> GeneratedView:
    folder = roots.sku_root / path
    if roots.sku.is_link(folder):
        return GeneratedView(path, None, None)
    entries = roots.sku.walk(folder, lambda name: not roots.sku.is_link(folder / name))
    files = [name for name, status in entries if status is not None]
    return GeneratedView(path, len({name.rpartition("/")[0] for name in files}), len(files))

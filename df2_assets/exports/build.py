"""One export of one split, brought up to date."""

import errno
from typing import Final

from df2_assets.engines.progress import Progress, silent
from df2_assets.errors import OutputError
from df2_assets.exports.card import card
from df2_assets.exports.folder import Exported, Folder
from df2_assets.exports.formats import FORMATS
from df2_assets.exports.shards import Limits
from df2_assets.exports.source import open_source
from df2_assets.exports.tally import tally
from df2_assets.store.layout import Roots

_IN_THE_WAY: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
"""What a person has to mend, unlike a disk or a network that fails for a moment."""


def export(
    roots: Roots,
    split: str,
    name: str,
    progress: Progress = silent,
    limits: Limits | None = None,
) -> Exported:
    """Write what is not there, or not as it should be, and remove what is there no more.

    Raises IncompleteSplitError or ProvenanceError, naming what to run, where the split is not as it
    was built; OutputError where a crop is not, where a link stands for a folder, or where the disk
    cannot be written.
    """
    source = open_source(roots, split)
    form = FORMATS[name]
    try:
        folder = Folder(source, name, form.own, limits, progress)
        counts = tally(source.rows())
        form.write(folder)
        folder.publish("README.md", [card(form, source, counts).encode()])
        return folder.finish(counts.crops)
    except OSError as problem:
        if problem.errno not in _IN_THE_WAY:
            raise
        raise OutputError(
            f"Cannot write {name} of {split} under {roots.sku_root}: {problem.strerror}. Finished "
            "shards are kept; mend this and export again."
        ) from None

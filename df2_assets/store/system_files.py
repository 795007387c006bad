"""Names of files that operating systems, file servers and sync tools leave in folders.

Builds and checks ignore them, `verify` lists those among the crops, and nothing deletes them. This
is the only list of such names.
"""

import re
from fnmatch import translate
from typing import Final

_NAMES: Final = (
    # macOS (developer.apple.com, and the .gitignore template for macOS of GitHub)
    *(".DS_Store", "._*", ".AppleDouble", ".AppleDB", ".AppleDesktop", ".LSOverride", ".localized"),
    *("Icon\r", ".VolumeIcon.icns", ".Spotlight-V100", ".Trashes", ".fseventsd", ".apdisk"),
    *(".TemporaryItems", "Temporary Items", "Network Trash Folder", ".DocumentRevisions-V100"),
    *(".com.apple.*", ".PKInstallSandboxManager*", "__MACOSX"),
    # Windows
    *("Thumbs.db", "Thumbs.db:*", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
    *("$RECYCLE.BIN", "RECYCLER", "System Volume Information", "found.000"),
    # Linux desktops and file systems
    *(".directory", ".Trash", ".Trash-*", ".thumbnails", "lost+found"),
    *(".nfs*", ".fuse_hidden*", ".smbdelete*", ".cifs*", ".__afs*", ".wh.*"),
    *(".snapshot", ".snapshots", "~snapshot", ".snap", ".zfs", ".glusterfs", ".lustre"),
    # Storage boxes: Synology, QNAP
    *("@eaDir", "@SynoResource", "@SynoEAStream", "*@SynoResource", "*@SynoEAStream"),
    *("@tmp", "@sharebin", "#recycle", "#snapshot", ".SynologyWorkingDirectory"),
    *("@Recycle", "@Recently-Snapshot", ".@__thumb", ".@upload_cache", ".streams"),
    # Tools that synchronize folders
    *(".stfolder", ".stversions", ".stignore", ".syncthing.*", "~syncthing~*"),
    *(".dropbox", ".dropbox.attr", ".dropbox.cache", ".tmp.drivedownload", ".tmp.driveupload"),
    *(".owncloudsync.log*", ".sync_*.db*", "._sync_*.db*", ".nextcloudsync.log*"),
)
"""Patterns as in a shell. None matches the name of a crop, an image or an annotation."""

_PATTERN: Final = re.compile("|".join(map(translate, _NAMES)), re.IGNORECASE)


def is_system_file(name: str) -> bool:
    """Return whether a file or folder of this name is a system file, in any letter case."""
    return _PATTERN.fullmatch(name) is not None


def is_in_system_folder(path: str) -> bool:
    """Return whether any part of a relative POSIX path is the name of a system file."""
    return any(map(is_system_file, path.split("/")))

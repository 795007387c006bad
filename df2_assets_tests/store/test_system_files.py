"""Which names belong to operating systems, and which do not."""

import pytest

from df2_assets.store.system_files import is_in_system_folder, is_system_file


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", ".ds_store", "._000001.jpg", ".AppleDouble", "Icon\r", "__MACOSX"),
        *("Thumbs.db", "THUMBS.DB", "thumbs.db", "desktop.ini", "Desktop.ini", "$RECYCLE.BIN"),
        *(".directory", ".Trash-1000", "lost+found", ".nfs000000000123", ".fuse_hidden0000a1"),
        *("@eaDir", "@eadir", "#recycle", ".@__thumb", "000001.jpg@SynoEAStream"),
        *(".stfolder", ".dropbox", ".syncthing.000001_item1.jpg.tmp", ".smbdeleteAAA1"),
    ],
)
def test_a_name_that_a_system_leaves_is_recognized(name: str) -> None:
    assert is_system_file(name)


@pytest.mark.parametrize(
    "name",
    [
        *("000001.jpg", "000001_item1.jpg", ".000001_item1.jpg.tmp", "000001_01_01", "000001.json"),
        *(
            "notes.txt",
            "000001.json~",
            "my.DS_Store",
            "thumbs.db.jpg",
            "000001 (1).jpg",
            ".hidden",
            "",
        ),
    ],
)
def test_any_other_name_is_not_a_system_file(name: str) -> None:
    assert not is_system_file(name)


def test_everything_in_a_system_folder_belongs_to_the_system() -> None:
    assert is_in_system_folder("000001_01_01/@eaDir/000001_item1.jpg")
    assert not is_in_system_folder("000001_01_01/notes/000001_item1.jpg")

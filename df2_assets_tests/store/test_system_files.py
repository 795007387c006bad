"""Which names are of systems, and which are not."""

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
def test_a_system_leaves_it(name: str) -> None:
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
def test_anything_else_is_somebodys(name: str) -> None:
    assert not is_system_file(name)


def test_what_lies_in_a_folder_of_a_system_is_the_systems() -> None:
    assert is_in_system_folder("000001_01_01/@eaDir/000001_item1.jpg")
    assert not is_in_system_folder("000001_01_01/notes/000001_item1.jpg")

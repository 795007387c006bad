"""Folders on this machine: plain system calls, and temporary files that are renamed."""

import errno
import filecmp
import mmap
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

import msgspec

from df2_assets.errors import (
    OutputError,
    RootsError,
    explain_os_error,
    find_dead_link,
    name_os_errors,
)
from df2_assets.store.lease import Holder, busy_error
from df2_assets.store.store import (
    NOT_A_FILE,
    Address,
    Enter,
    Status,
    file_status,
    status_of,
    temporary_name,
    temporary_path,
)


class LocalStore:
    """Files on this machine. A file is written under a temporary name, then renamed."""

    has_folders = True

    def stat(self, path: Address, *, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(path, follow_symlinks=follow_symlinks)

    def is_folder(self, path: Address) -> bool:
        return os.path.isdir(path)

    def is_link(self, path: Address) -> bool:
        return os.path.islink(path)

    def may_read(self, folder: Address) -> bool:
        return not os.path.isdir(folder) or os.access(folder, os.R_OK | os.X_OK)

    def resolve(self, path: Address) -> str:
        """See `Store.resolve`. `Path.resolve` would fail for links that form a circle."""
        return os.path.realpath(path)

    def is_same(self, path: Address, other: Address) -> bool:
        with suppress(OSError, TypeError):  # missing, or an object
            return str(path) == str(other) or os.path.samefile(path, other)
        return False

    def uri(self, path: Address) -> str:
        return PurePosixPath(path).as_uri()

    def free(self, folder: Address) -> int:
        folder = Path(folder)
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def names(self, folder: Address) -> Iterator[str]:
        if os.path.isdir(folder):
            with os.scandir(folder) as entries:
                yield from (entry.name for entry in entries)

    def folders(self, folder: Address) -> Iterator[str]:
        with suppress(OSError), os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if entry.is_dir())

    def files(self, folder: Address) -> Iterator[tuple[str, Status]]:
        for name in self.names(folder):
            yield name, file_status(self, f"{folder}/{name}")

    def walk(
        self, folder: Address, enter: Enter = lambda _: True
    ) -> Iterator[tuple[str, Status | None]]:
        self.require_no_links(Path(folder))
        left = [""] if os.path.isdir(folder) else []
        while left:
            inside = left.pop()
            with os.scandir(f"{folder}/{inside}") as scanned:
                entries = list(scanned)
            if inside and not entries:
                yield inside[:-1], None
            for entry in entries:
                name = inside + entry.name
                if entry.is_file(follow_symlinks=False):
                    yield name, status_of(entry.stat(follow_symlinks=False))
                elif not entry.is_dir():
                    yield name, (NOT_A_FILE, entry.stat(follow_symlinks=False).st_mtime_ns)
                elif enter(name):
                    if entry.is_symlink():
                        self.require_no_links(Path(entry.path))
                    left.append(f"{name}/")
                else:
                    yield name, None

    def lookup(self, root: Address, folder: Address) -> Callable[[str], bool]:
        start = f"{root}/"
        return lambda name: os.path.isfile(start + name)

    def open(self, path: Address, mode: str = "r", **options: Any) -> IO[Any]:
        return open(path, mode, **options)

    def read_end(self, path: Address, size: int) -> bytes:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read()

    def map_bytes(self, path: Address) -> tuple[memoryview, Status]:
        with open(path, "rb") as file:
            result = os.fstat(file.fileno())
            # An empty file cannot be mapped.
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if result.st_size else b""
        return memoryview(data), status_of(result)

    def open_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        for path in paths:
            try:
                file = open(path, "rb")  # noqa: SIM115 - closed below
            except OSError as error:
                yield error
                continue
            with file:
                yield file

    peek_each = open_each

    def read_each(self, paths: Iterable[tuple[str, int]]) -> Iterator[bytes | OSError]:
        for path, most in paths:
            try:
                with open(path, "rb", buffering=0) as file:
                    data = file.read(most)
            except OSError as error:
                yield error
                continue
            yield data

    def status(self, file: BinaryIO) -> Status:
        return status_of(os.fstat(file.fileno()))

    @contextmanager
    def atomic(self, path: Address) -> Iterator[Path]:
        with _temporary_beside(Path(path)) as temporary:
            yield temporary
            _sync(temporary)
            temporary.replace(path)

    def publish(
        self, path: Address, chunks: Iterable[bytes], before_change: Callable[[], None]
    ) -> bool:
        with _temporary_beside(Path(path)) as temporary:
            with temporary.open("xb") as file:
                file.writelines(chunks)
            if os.path.isfile(path) and filecmp.cmp(temporary, path, shallow=False):
                return False
            _sync(temporary)
            before_change()
            temporary.replace(path)
            return True

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, Status]]:
        for path, data in files:
            yield path, data, _write(root, path, data)

    def link(self, root: Address, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
        for name, other in names:
            source, path = f"{root}/{name}", Path(f"{root}/{other}")
            with _temporary_beside(path) as temporary:
                try:
                    temporary.hardlink_to(source)
                except OSError:  # another disk, or a file system without hard links
                    shutil.copy2(source, temporary)
                temporary.replace(path)
            yield other, status_of(os.lstat(path))[1]

    def rename(self, folder: Address, moves: Mapping[str, str]) -> None:
        for moves_of_step in (
            [(old, temporary_path(new)) for old, new in moves.items()],
            [(temporary_path(new), new) for new in moves.values()],
        ):
            for old, new in moves_of_step:
                os.replace(f"{folder}/{old}", f"{folder}/{new}")

    def unlink(self, path: Address, missing_ok: bool = False) -> None:
        with suppress(*[FileNotFoundError] if missing_ok else []):
            os.unlink(path)

    def remove(self, root: Address, names: Iterable[str]) -> None:
        folders = set()
        for name in names:
            self.unlink(f"{root}/{name}", missing_ok=True)
            folders.add(os.path.dirname(name))
        self.remove_empty(root, folders)

    def remove_empty(self, root: Address, folders: Iterable[str]) -> None:
        for folder in folders:
            while folder:
                try:
                    os.rmdir(f"{root}/{folder}")
                except OSError:
                    break
                folder = os.path.dirname(folder)

    @contextmanager
    def append(self, path: Address) -> Iterator[BinaryIO]:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            yield file

    def read_journal(self, path: Address) -> bytes:
        return Path(path).read_bytes()

    def discard(self, path: Address) -> None:
        self.unlink(path, missing_ok=True)

    @contextmanager
    def hold(self, lock: Address, split: str, holder: Holder) -> Iterator[None]:
        """See `Store.hold`. The system frees the lock when its holder dies."""
        import filelock  # loads asyncio, which no worker needs

        note = Path(lock).with_suffix(".json")
        note.parent.mkdir(parents=True, exist_ok=True)
        file_lock = filelock.FileLock(lock, timeout=0)
        try:
            with name_os_errors(lock):
                file_lock.acquire()
        except filelock.Timeout:
            raise busy_error(split, _read_holder(note)) from None
        try:
            note.write_bytes(msgspec.json.encode(holder))
            yield
        finally:
            note.unlink(missing_ok=True)
            file_lock.release()

    def require_usable(self, root: Path) -> None:
        """See `Store.require_usable`. Refuses a path below a file, the home, and the root."""
        try:
            os.stat(root)
        except OSError as error:
            if error.errno != errno.ENOENT or find_dead_link(str(root)):
                raise explain_os_error(error) from None
        place = self.resolve(root)
        if os.path.exists(place) and not os.path.isdir(place):
            raise RootsError(f"SKU_ROOT ({place}) is not a folder: set it to a separate folder.")
        in_use = [os.sep]
        with suppress(RuntimeError):  # without HOME and an entry for the user, there is no home
            in_use.append(self.resolve(Path.home()))
        if place in in_use:
            raise RootsError(f"SKU_ROOT is {place}: set it to a separate folder.")

    def require_no_links(self, folder: Path, *, deep: bool = False) -> None:
        for path in (folder, *(folder.rglob("*") if deep else ())):
            if path.is_symlink():
                raise OutputError(
                    f"{path} is a link, but files are only written to real folders: remove it."
                )


def _write(root: str, path: str, data: bytes) -> Status:
    """Write a file under a temporary name, then rename it, and return its status.

    Raises OutputError.
    """
    folder, name = os.path.split(f"{root}/{path}")
    temporary = f"{folder}/{temporary_name(name)}"
    try:
        if not os.path.isdir(folder):
            os.makedirs(folder, exist_ok=True)
        if os.path.lexists(temporary):  # left by a killed build, or a link
            os.unlink(temporary)
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            status = status_of(os.fstat(file.fileno()))
        os.replace(temporary, f"{folder}/{name}")
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        reason = os.strerror(error.errno or 0)
        raise OutputError(
            f"Cannot write {path} under {root}: {reason}. "
            "Finished crops are kept: fix this, and build again."
        ) from None
    return status


def _read_holder(note: Path) -> Holder | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, and remove it at the end.

    A file that already has that name is removed first: it may be a link.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(temporary_name(path.name))
    temporary.unlink(missing_ok=True)
    try:
        with name_os_errors(path):
            yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

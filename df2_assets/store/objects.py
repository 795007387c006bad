"""Buckets of S3, Google Cloud Storage and Azure, through obstore: whole puts, no folders, no links.

Credentials, endpoint and region are the client's own configuration: nothing here keeps or shows
them. An error names the address and the store's code, never what the store or client wrote. Before
each put and each removal the lock of the split has to be held still (LostLockError).
"""

import errno
import hashlib
import io
import os
import re
import shutil
import stat
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import tee
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import IO, Any, BinaryIO, Final, TypeVar, cast

from df2_assets.errors import StorageError
from df2_assets.store.lease import Conflict, Holder, Version, leased, require_held_locks
from df2_assets.store.store import Address, Enter, Status, aside

AT_ONCE: Final = 16
"""Requests of one process that may be under way together."""

PAGE: Final = 1000
"""Entries of a page of a listing, and objects that one request deletes."""

_BLOCK: Final = 64 * 1024
"""Bytes that are read of an object of which the beginning is wanted."""

_ATTEMPTS: Final = 5
"""How often a request is tried, unless AWS_MAX_ATTEMPTS says otherwise."""

_JOURNAL_SECONDS: Final = 1.0
"""Seconds of a journal that are gathered into one object: what a kill may cost."""

_PART: Final = re.compile(r"[0-9]+\.jsonl")

S = TypeVar("S")
T = TypeVar("T")


class _BrokenOffError(StorageError):
    """An answer broke off."""


class ObjectStore:
    """See `Store`: a bucket at `url`, such as `s3://bucket`. It pickles as that address alone."""

    has_folders = False

    def __init__(self, url: str) -> None:
        self.url = url

    # Requests

    def get(self, path: Address) -> tuple[bytes, Version]:
        """Return the bytes of an object and their version: one request."""

        def whole() -> tuple[bytes, Version]:
            answer = _obstore().get(self._client, self._key(path))
            return answer.bytes().to_bytes(), _version(answer.meta)

        return self._retry(path, whole)

    def head(self, path: Address) -> Status:
        """Return the status of an object: one request."""
        return _status(self._ask("head", path))

    def put(self, path: Address, data: bytes, mode: str | Version | None = None) -> Version:
        """Write an object: always, only if it is new (`create`), or instead of a version."""
        result = self._ask("put", path, data, mode=mode, max_concurrency=2)
        return _version(result)

    def age(self, path: Address) -> float:
        """Return how many seconds ago an object was put, by the store's clock: four requests."""
        clock = f"{path}.now"
        self.put(clock, b"")
        age = self._ask("head", clock)["last_modified"] - self._ask("head", path)["last_modified"]
        self.delete(clock)
        return float(age.total_seconds())

    def delete(self, *paths: Address) -> None:
        """Delete objects, a missing one as well: in S3 and Azure a request for many."""
        keys = [self._key(path) for path in paths]
        try:
            self._retry(paths[0], _obstore().delete, self._client, keys)
        except FileNotFoundError:  # then it is not known which of them are left

            def one(path: Address) -> None:
                with suppress(FileNotFoundError):
                    self._ask("delete", path)

            deque(each(one, paths), maxlen=0)

    def listed(self, folder: Address) -> Iterator[tuple[str, Status]]:
        """Yield all objects below a folder by their names relative to it: a request a page."""
        key = self._key(folder)
        start = f"{key}/" if key else ""

        def entries() -> Iterator[dict[str, Any]]:
            seen = None
            for left in reversed(range(_ATTEMPTS)):
                pages = _obstore().list(self._client, start or None, offset=seen, chunk_size=PAGE)
                try:
                    while page := self._explain(folder, next, pages, None):
                        yield from page
                        seen = page[-1]["path"]
                except _BrokenOffError:  # from there on once more
                    if not left:
                        raise
                else:
                    return

        before: dict[str, Any] | None = None
        for entry in entries():
            # What some tools put in place of a folder has its name, no bytes, and comes before it.
            if before and (before["size"] or not entry["path"].startswith(f"{before['path']}/")):
                yield before["path"].removeprefix(start), _status(before)
            before = entry if entry["path"].startswith(start) else None
        if before:
            yield before["path"].removeprefix(start), _status(before)

    @property
    def _client(self) -> Any:
        return _client(self.url, os.getpid())

    def _key(self, path: Address) -> str:
        return str(path).removeprefix(self.url).removeprefix("/")

    def _ask(self, call: str, path: Address, *arguments: Any, **options: Any) -> Any:
        function = getattr(_obstore(), call)
        return self._retry(path, function, self._client, self._key(path), *arguments, **options)

    def _retry(self, path: Address, call: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Return what `call` returns, made again where its answer breaks off."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                return self._explain(path, call, *arguments, **options)
            except _BrokenOffError:
                if not left:
                    raise
        raise AssertionError("one attempt at least")

    def _explain(self, path: Address, call: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Return what `call` returns; raise its errors in words."""
        try:
            return call(*arguments, **options)
        except StorageError:  # of the client
            raise
        except Exception as error:
            raise _explained(str(path), error) from None

    # Looking

    def stat(self, path: Address, *, follow_symlinks: bool = True) -> os.stat_result:
        """See `Store.stat`: the time of change is the stamp of the entity tag. One request."""
        if not self._key(path):
            raise _missing(str(path))
        size, stamp = self.head(path)
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, size, 0, 0, 0), {"st_mtime_ns": stamp})

    def is_folder(self, path: Address) -> bool:
        key = self._key(path)
        pages = _obstore().list(self._client, f"{key}/" if key else None, chunk_size=1)
        return bool(self._explain(path, next, pages, None))

    def is_link(self, path: Address) -> bool:
        return False

    def may_read(self, folder: Address) -> bool:
        return True

    def resolve(self, path: Address) -> str:
        return str(path)

    def is_same(self, path: Address, other: Address) -> bool:
        return str(path) == str(other)

    def uri(self, path: Address) -> str:
        return str(path)

    def free(self, folder: Address) -> None:
        return None

    # Listing

    def names(self, folder: Address) -> Iterator[str]:
        level = self._ask("list_with_delimiter", folder)
        paths = [*level["common_prefixes"], *(entry["path"] for entry in level["objects"])]
        yield from (path.rstrip("/").rpartition("/")[2] for path in paths)

    def folders(self, folder: Address) -> Iterator[str]:
        level = self._ask("list_with_delimiter", folder)
        yield from (path.rstrip("/").rpartition("/")[2] for path in level["common_prefixes"])

    def files(self, folder: Address) -> Iterator[tuple[str, Status]]:
        """See `Store.files`: page after page, of which the first may be enough."""
        yield from (entry for entry in self.listed(folder) if "/" not in entry[0])

    def walk(
        self, folder: Address, enter: Enter = lambda _: True
    ) -> Iterator[tuple[str, Status | None]]:
        skipped = set()
        for name, status in self.listed(folder):
            parents = (name[:at] for at, letter in enumerate(name) if letter == "/")
            outside = next((parent for parent in parents if not enter(parent)), None)
            if outside is None:
                yield name, status
            elif outside not in skipped:
                skipped.add(outside)
                yield outside, None

    def lookup(self, root: Address, folder: Address) -> Callable[[str], bool]:
        """See `Store.lookup`: one listing of the folder."""
        below = str(folder).removeprefix(f"{root}/")
        return {f"{below}/{name}" for name, _ in self.listed(folder)}.__contains__

    # Reading

    def open(self, path: Address, mode: str = "r", **options: Any) -> IO[Any]:
        """See `Store.open`: the object in memory. One request."""
        if mode not in ("r", "rb"):
            raise TypeError(f"{path} is no file of this machine: its store writes it")
        whole = io.BytesIO(self.get(path)[0])
        if mode == "rb":
            return whole
        return io.TextIOWrapper(whole, options.get("encoding"), options.get("errors"))

    def read_end(self, path: Address, size: int) -> bytes:
        """See `Store.read_end`; Azure knows no range from the end: there it is read whole."""

        def end() -> bytes:
            options = {"range": {"suffix": size}}
            answer = _obstore().get(self._client, self._key(path), options=options)
            return bytes(answer.bytes())

        try:
            return self._retry(path, end)
        except NotImplementedError:
            return self.get(path)[0]

    def mapped(self, path: Address) -> tuple[memoryview, Status]:
        data, version = self.get(path)
        return memoryview(data), (len(data), stamp(version))

    def open_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        yield from each(self._whole, paths)

    def peek_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        yield from each(self._beginning, paths)

    def read_each(self, paths: Iterable[tuple[str, int]]) -> Iterator[bytes | OSError]:
        ahead, wanted = tee(paths)
        files = each(self._whole, (path for path, _ in ahead))
        for (_, most), file in zip(wanted, files, strict=True):
            yield file if isinstance(file, OSError) else file.read(most)

    def status(self, file: BinaryIO) -> Status:
        return cast(_Whole, file).status

    def _whole(self, path: str) -> "_Whole | OSError":
        try:
            data, version = self.get(path)
        except FileNotFoundError as error:
            return error
        return _Whole(data, stamp(version))

    def _beginning(self, path: str) -> BinaryIO | OSError:
        file = io.BufferedReader(_Beginning(self, path), _BLOCK)
        try:
            file.peek(1)
        except FileNotFoundError as error:
            return error
        return file

    def part(self, path: Address, start: int, length: int) -> bytes:
        """Return some bytes of an object, fewer at its end: one request."""
        try:
            return bytes(self._ask("get_range", path, start=start, length=length))
        except EOFError:
            return b""

    # Writing

    @contextmanager
    def atomic(self, path: Address) -> Iterator[Path]:
        with TemporaryDirectory(prefix="df2-assets-") as folder:
            local = Path(folder) / Path(path).name
            yield local
            self._write(path, local.read_bytes())

    def publish(
        self, path: Address, chunks: Iterable[bytes], before_change: Callable[[], None]
    ) -> bool:
        data = b"".join(chunks)
        with suppress(FileNotFoundError):
            if self.get(path)[0] == data:
                return False
        before_change()
        self._write(path, data)
        return True

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, Status]]:
        def write(file: tuple[str, bytes]) -> tuple[str, bytes, Status]:
            path, data = file
            return path, data, (len(data), stamp(self._write(f"{root}/{path}", data)))

        yield from each(write, files)

    def _write(self, path: Address, data: bytes) -> Version:
        require_held_locks()
        return self.put(path, data)

    def link(self, root: Address, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
        def copy(pair: tuple[str, str]) -> tuple[str, int]:
            require_held_locks()
            name, other = pair
            self._ask("copy", f"{root}/{name}", self._key(f"{root}/{other}"))
            return other, self.head(f"{root}/{other}")[1]

        yield from each(copy, names)

    def rename(self, folder: Address, moves: Mapping[str, str]) -> None:
        for pairs in (
            [(old, aside(new)) for old, new in moves.items()],
            [(aside(new), new) for new in moves.values()],
        ):
            deque(self.link(folder, pairs), maxlen=0)
        new = set(moves.values())
        self.remove(folder, {*map(aside, new), *moves} - new)

    def unlink(self, path: Address, missing_ok: bool = False) -> None:
        require_held_locks()
        self.delete(path)

    def remove(self, root: Address, names: Iterable[str]) -> None:
        require_held_locks()
        if paths := [f"{root}/{name}" for name in names]:
            self.delete(*paths)

    def remove_empty(self, root: Address, folders: Iterable[str]) -> None:
        """See `Store.remove_empty`: there are no folders."""

    @contextmanager
    def append(self, path: Address) -> Iterator["_Journal"]:
        journal = _Journal(self, path)
        try:
            yield journal
        finally:
            journal.close()

    def appended(self, path: Address) -> bytes:
        return b"".join(self.get(f"{path}/{name}")[0] for name in self.parts(path))

    def discard(self, path: Address) -> None:
        self.remove(path, self.parts(path))

    def parts(self, path: Address) -> list[str]:
        """Return the names of the parts of a journal, oldest first."""
        return [name for name, _ in self.listed(path) if _PART.fullmatch(name)]

    # Guarding

    def hold(self, lock: Address, split: str, holder: Holder) -> AbstractContextManager[None]:
        return leased(self, str(lock), split, holder)

    def require_usable(self, root: Path) -> None:
        """See `Store.require_usable`: any prefix can be."""

    def require_no_links(self, folder: Path, *, deep: bool = False) -> None:
        """See `Store.require_no_links`: there are none."""


class _Whole(io.BytesIO):
    """An object in memory, with the stamp of the entity tag that it came with."""

    def __init__(self, data: bytes, stamp: int) -> None:
        super().__init__(data)
        self.status = len(data), stamp


class _Beginning(io.RawIOBase):
    """An object that is read from its beginning, a block a request."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        self._store, self._path = store, path
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("its length is not asked for")
        self._at = offset + (self._at if whence == io.SEEK_CUR else 0)
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = self._store.part(self._path, self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Journal:
    """Lines, gathered into objects below `path` that are numbered on from those already there."""

    def __init__(self, store: ObjectStore, path: Address) -> None:
        self._store, self._path = store, path
        numbers = (int(name.partition(".")[0]) for name in store.parts(path))
        self._next = max(numbers, default=0) + 1
        self._lines: list[bytes] = []
        self._put = time.monotonic()

    def write(self, line: bytes, /) -> None:
        self._lines.append(line)

    def flush(self) -> None:
        """Put what was gathered, now and then. Raises StorageError or LostLockError."""
        if time.monotonic() - self._put >= _JOURNAL_SECONDS:
            self.close()

    def close(self) -> None:
        """Put what was gathered. Raises as `flush` does."""
        if self._lines:
            require_held_locks()
            self._store.put(f"{self._path}/{self._next:08d}.jsonl", b"".join(self._lines))
            self._next += 1
            self._lines.clear()
        self._put = time.monotonic()


def stamp(version: Mapping[str, Any]) -> int:
    """Return an entity tag as a number of 63 bits: what a time of change is for a file."""
    tag = (version["e_tag"] or "").strip('"')  # which Azure adds in some answers only
    return int.from_bytes(hashlib.sha256(tag.encode()).digest()[:8]) >> 1


def each(function: Callable[[S], T], arguments: Iterable[S]) -> Iterator[T]:
    """Yield `function` of each argument, in order: many requests under way, a few ahead."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ahead: deque[Future[T]] = deque()
        try:
            for argument in arguments:
                ahead.append(pool.submit(function, argument))
                if len(ahead) >= 2 * AT_ONCE:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _status(entry: Mapping[str, Any]) -> Status:
    return entry["size"], stamp(entry)


def _version(result: Mapping[str, Any]) -> Version:
    return {name: result[name] for name in ("e_tag", "version") if result.get(name) is not None}


# The client


@cache
def _client(url: str, process: int) -> Any:
    """Return the client of a bucket: each process, also a forked one, has its own."""
    attempts = os.environ.get("AWS_MAX_ATTEMPTS", "")
    retries = {"max_retries": (int(attempts) if attempts.isdigit() else _ATTEMPTS) - 1}
    # A part may take long to send; a silent server is given up sooner. The address says whether
    # a connection is encrypted.
    options = {"timeout": "10 minutes", "read_timeout": "30 seconds", "allow_http": True}
    _obstore()
    from obstore.store import from_url

    try:
        more = _configured() if url.startswith("s3://") else {}
        return from_url(url, client_options=options, retry_config=retries, **more)
    except StorageError:
        raise
    except Exception as error:
        raise _explained(url, error) from None


def _configured() -> dict[str, Any]:
    """Return what obstore does not read itself: the AWS profile, and AWS_NO_SIGN_REQUEST."""
    if os.environ.get("AWS_NO_SIGN_REQUEST", "").lower() in ("1", "true", "yes"):
        return {"skip_signature": True}
    if "AWS_ACCESS_KEY_ID" in os.environ or "AWS_SKIP_SIGNATURE" in os.environ:
        return {}
    import boto3
    from obstore.auth.boto3 import Boto3CredentialProvider

    session = boto3.Session()
    config: dict[str, Any] = {"credential_provider": Boto3CredentialProvider(session)}
    endpoint = session._session.get_scoped_config().get("endpoint_url")
    if endpoint and "AWS_ENDPOINT_URL" not in os.environ:
        config["endpoint"] = endpoint
    return config


_loaded_in: int | None = None
"""The process in which obstore was loaded."""

_of_parents: list[Any] = []
"""Modules of the process that this one was forked from, kept: to free them is not safe."""


def _obstore() -> Any:
    """Return obstore; raise StorageError where it is not installed."""
    global _loaded_in
    if _loaded_in not in (None, os.getpid()):
        _load_again()
    _loaded_in = os.getpid()
    try:
        import obstore
    except ImportError:
        raise StorageError(
            "Object stores need the extra. In a checkout: pip install -e '.[objects]' and "
            "elsewhere: pip install 'df2-assets[objects]'"
        ) from None
    return obstore


def _load_again() -> None:
    """Load obstore once more, in a forked process.

    Its threads have stayed in the parent, and every call would wait for them for ever. The library
    has one set of threads per file that it is loaded from: a copy has its own.
    """
    names = [name for name in sys.modules if name.partition(".")[0] == "obstore"]
    before = {name: sys.modules.pop(name) for name in names}
    _of_parents.append(before)
    name = "obstore._obstore"
    with NamedTemporaryFile(suffix=".so") as copy:
        with open(str(before[name].__file__), "rb") as library:
            shutil.copyfileobj(library, copy)
        copy.flush()
        loader = ExtensionFileLoader(name, copy.name)
        module = module_from_spec(spec_from_loader(name, loader))  # type: ignore[arg-type]
        sys.modules[name] = module
        loader.exec_module(module)


# Errors

_NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound")
_EXPIRED: Final = ("ExpiredToken", "TokenRefreshRequired", "RequestExpired")
_CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS to the file of a service account",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_ENDPOINT: Final = {
    "s3": "AWS_ENDPOINT_URL",
    "gs": "GOOGLE_BASE_URL",
    "az": "AZURE_STORAGE_ENDPOINT",
}


def _missing(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _explained(path: str, error: Exception) -> Exception:
    """Return what an error of the client means, without what the store or the client wrote."""
    kind, text = type(error).__name__, str(error)
    code = re.search(r"<Code>(\w+)</Code>|\(code: (\w+)\)|\"code\": *\"(\w+)\"", text)
    number = re.search(r"status code: (\d+) ([\w ]+)", text)
    known = next(filter(None, code.groups())) if code else number[2] if number else kind
    if kind == "NotSupportedError":
        return NotImplementedError(path)
    # The client says so itself where a server answers without what was asked for, as Azurite does.
    if (number and number[1] == "416") or "Wanted range starting at" in text:
        return EOFError(path)
    has_bucket = known not in _NO_BUCKET and "container does not exist" not in text
    if has_bucket and kind in ("AlreadyExistsError", "PreconditionError"):
        return Conflict(path)
    if has_bucket and kind == "FileNotFoundError":
        return _missing(path)
    broke_off = "response body" in text
    sort = _BrokenOffError if broke_off else StorageError
    return sort(f"{path}: {_remedy(path.partition(':')[0], kind, text, known, has_bucket)}")


def _remedy(scheme: str, kind: str, text: str, known: str, has_bucket: bool) -> str:
    """Return what is wrong, and what to do."""
    if not has_bucket:
        return "there is no such bucket: make it, or name another one."
    if known in _EXPIRED or "expired" in text.lower():
        return f"the credentials have expired ({known}): renew them, and try again."
    if _is_about_credentials(kind, text):
        return f"no credentials that can be used ({known}): set {_CREDENTIALS[scheme]}."
    if kind == "PermissionDeniedError" or re.search(r"status code: 40[13]|AccessDenied", text):
        return f"access is denied ({known}): these credentials lack a right that is needed."
    if re.search(r"kind: (Connect|Timeout)|error sending request|timed out", text):
        reason = "Timeout" if re.search(r"kind: Timeout|timed out", text) else "Connect"
        return f"the store does not answer ({reason}): check {_ENDPOINT[scheme]} and the network."
    return f"the store answers with an error ({known}). What was finished is kept: try again later."


def _is_about_credentials(kind: str, text: str) -> bool:
    marks = ("169.254.", "metadata.google", "get_credentials", "token request", "must be specified")
    return (
        kind == "UnauthenticatedError"
        or "Credential" in kind
        or "Token" in kind
        or any(mark in text for mark in marks)
    )

"""Buckets of S3, Google Cloud Storage and Azure, through obstore.

There are no folders and no links, and an object is always written as a whole. Credentials, endpoint
and region come from the configuration of the client: this module neither stores nor shows them. An
error names the address and the code of the store, never the text of the store or the client. Before
each put and each removal, this process must still hold the lock of the split (LostLockError).
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
from df2_assets.store.lease import Conflict, Holder, Version, hold_lease, require_held_locks
from df2_assets.store.store import Address, Enter, Status, temporary_path

MOST_REQUESTS: Final = 16
"""The most requests that one process has in flight at the same time."""

PAGE: Final = 1000
"""Entries per page of a listing, and objects that one request deletes."""

_BLOCK: Final = 64 * 1024
"""Bytes per read, when only the beginning of an object is needed."""

_ATTEMPTS: Final = 5
"""Attempts per request, unless AWS_MAX_ATTEMPTS sets another number."""

_JOURNAL_SECONDS: Final = 1.0
"""Seconds of a journal that go into one object, and that a kill may lose."""

_PART: Final = re.compile(r"[0-9]+\.jsonl")

S = TypeVar("S")
T = TypeVar("T")


class _BrokenOffError(StorageError):
    """An answer broke off."""


class ObjectStore:
    """A bucket at `url`, such as `s3://bucket`. Only the address is pickled."""

    has_folders = False

    def __init__(self, url: str) -> None:
        self.url = url

    # Requests

    def get(self, path: Address) -> tuple[bytes, Version]:
        """Return the bytes and the version of an object, with one request."""

        def whole() -> tuple[bytes, Version]:
            answer = _obstore().get(self._client, self._key(path))
            return answer.bytes().to_bytes(), _version(answer.meta)

        return self._retry(path, whole)

    def head(self, path: Address) -> Status:
        """Return the status of an object, with one request."""
        return _status(self._ask("head", path))

    def put(self, path: Address, data: bytes, mode: str | Version | None = None) -> Version:
        """Write an object: always, only if it is new (`create`), or to replace a version."""
        result = self._ask("put", path, data, mode=mode, max_concurrency=2)
        return _version(result)

    def age(self, path: Address) -> float:
        """Return the age of an object in seconds, by the store's clock, with four requests."""
        clock = f"{path}.now"
        self.put(clock, b"")
        age = self._ask("head", clock)["last_modified"] - self._ask("head", path)["last_modified"]
        self.delete(clock)
        return float(age.total_seconds())

    def delete(self, *paths: Address) -> None:
        """Delete objects, which may be missing. S3 and Azure delete many with one request."""
        keys = [self._key(path) for path in paths]
        try:
            self._retry(paths[0], _obstore().delete, self._client, keys)
        except FileNotFoundError:  # then it is unknown which of them remain

            def delete_if_present(path: Address) -> None:
                with suppress(FileNotFoundError):
                    self._ask("delete", path)

            deque(run_each(delete_if_present, paths), maxlen=0)

    def list_objects(self, folder: Address) -> Iterator[tuple[str, Status]]:
        """Yield all objects below a folder, by their relative names, with one request per page."""
        key = self._key(folder)
        start = f"{key}/" if key else ""

        def entries() -> Iterator[dict[str, Any]]:
            last = None
            for remaining in reversed(range(_ATTEMPTS)):
                pages = _obstore().list(self._client, start or None, offset=last, chunk_size=PAGE)
                try:
                    while page := self._explain(folder, next, pages, None):
                        yield from page
                        last = page[-1]["path"]
                except _BrokenOffError:  # continue after the last entry
                    if not remaining:
                        raise
                else:
                    return

        before: dict[str, Any] | None = None
        for entry in entries():
            # Some tools create an empty object with the name of a folder, before its content.
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
        """Return the result of `call`. If the answer breaks off, call again."""
        for remaining in reversed(range(_ATTEMPTS)):
            try:
                return self._explain(path, call, *arguments, **options)
            except _BrokenOffError:
                if not remaining:
                    raise
        raise AssertionError("there is at least one attempt")

    def _explain(self, path: Address, call: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Return the result of `call`. Raise its errors as `_explain_error` words them."""
        try:
            return call(*arguments, **options)
        except StorageError:  # of the client
            raise
        except Exception as error:
            raise _explain_error(str(path), error) from None

    # Status

    def stat(self, path: Address, *, follow_symlinks: bool = True) -> os.stat_result:
        """See `Store.stat`. The time of change is the stamp of the entity tag. One request."""
        if not self._key(path):
            raise _not_found_error(str(path))
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
        """See `Store.files`. Pages are requested one after another, as far as they are needed."""
        yield from (entry for entry in self.list_objects(folder) if "/" not in entry[0])

    def walk(
        self, folder: Address, enter: Enter = lambda _: True
    ) -> Iterator[tuple[str, Status | None]]:
        skipped = set()
        for name, status in self.list_objects(folder):
            parents = (name[:at] for at, letter in enumerate(name) if letter == "/")
            outside = next((parent for parent in parents if not enter(parent)), None)
            if outside is None:
                yield name, status
            elif outside not in skipped:
                skipped.add(outside)
                yield outside, None

    def lookup(self, root: Address, folder: Address) -> Callable[[str], bool]:
        """See `Store.lookup`. The folder is listed once."""
        below = str(folder).removeprefix(f"{root}/")
        return {f"{below}/{name}" for name, _ in self.list_objects(folder)}.__contains__

    # Reading

    def open(self, path: Address, mode: str = "r", **options: Any) -> IO[Any]:
        """See `Store.open`. The object is held in memory. Needs one request."""
        if mode not in ("r", "rb"):
            raise TypeError(f"{path} is not a file on this machine: write it through its store")
        whole = io.BytesIO(self.get(path)[0])
        if mode == "rb":
            return whole
        return io.TextIOWrapper(whole, options.get("encoding"), options.get("errors"))

    def read_end(self, path: Address, size: int) -> bytes:
        """See `Store.read_end`. Azure has no range from the end: there, all bytes are read."""

        def end() -> bytes:
            options = {"range": {"suffix": size}}
            answer = _obstore().get(self._client, self._key(path), options=options)
            return bytes(answer.bytes())

        try:
            return self._retry(path, end)
        except NotImplementedError:
            return self.get(path)[0]

    def map_bytes(self, path: Address) -> tuple[memoryview, Status]:
        data, version = self.get(path)
        return memoryview(data), (len(data), stamp(version))

    def open_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        yield from run_each(self._whole, paths)

    def peek_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        yield from run_each(self._beginning, paths)

    def read_each(self, paths: Iterable[tuple[str, int]]) -> Iterator[bytes | OSError]:
        ahead, pairs = tee(paths)
        files = run_each(self._whole, (path for path, _ in ahead))
        for (_, most), file in zip(pairs, files, strict=True):
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
        """Return some bytes of an object, fewer at its end, with one request."""
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

        yield from run_each(write, files)

    def _write(self, path: Address, data: bytes) -> Version:
        require_held_locks()
        return self.put(path, data)

    def link(self, root: Address, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
        def copy(pair: tuple[str, str]) -> tuple[str, int]:
            require_held_locks()
            name, other = pair
            self._ask("copy", f"{root}/{name}", self._key(f"{root}/{other}"))
            return other, self.head(f"{root}/{other}")[1]

        yield from run_each(copy, names)

    def rename(self, folder: Address, moves: Mapping[str, str]) -> None:
        for moves_of_step in (
            [(old, temporary_path(new)) for old, new in moves.items()],
            [(temporary_path(new), new) for new in moves.values()],
        ):
            deque(self.link(folder, moves_of_step), maxlen=0)
        new = set(moves.values())
        self.remove(folder, {*map(temporary_path, new), *moves} - new)

    def unlink(self, path: Address, missing_ok: bool = False) -> None:
        require_held_locks()
        self.delete(path)

    def remove(self, root: Address, names: Iterable[str]) -> None:
        require_held_locks()
        if paths := [f"{root}/{name}" for name in names]:
            self.delete(*paths)

    def remove_empty(self, root: Address, folders: Iterable[str]) -> None:
        """See `Store.remove_empty`. There are no folders."""

    @contextmanager
    def append(self, path: Address) -> Iterator["_Journal"]:
        journal = _Journal(self, path)
        try:
            yield journal
        finally:
            journal.close()

    def read_journal(self, path: Address) -> bytes:
        return b"".join(self.get(f"{path}/{name}")[0] for name in self.parts(path))

    def discard(self, path: Address) -> None:
        self.remove(path, self.parts(path))

    def parts(self, path: Address) -> list[str]:
        """Return the names of the parts of a journal, oldest first."""
        return [name for name, _ in self.list_objects(path) if _PART.fullmatch(name)]

    # Locks and guards

    def hold(self, lock: Address, split: str, holder: Holder) -> AbstractContextManager[None]:
        return hold_lease(self, str(lock), split, holder)

    def require_usable(self, root: Path) -> None:
        """See `Store.require_usable`. Every prefix can be used."""

    def require_no_links(self, folder: Path, *, deep: bool = False) -> None:
        """See `Store.require_no_links`. There are no links."""


class _Whole(io.BytesIO):
    """An object in memory, with the stamp of its entity tag."""

    def __init__(self, data: bytes, stamp: int) -> None:
        super().__init__(data)
        self.status = len(data), stamp


class _Beginning(io.RawIOBase):
    """An object that is read from its beginning, one block per request."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        self._store, self._path = store, path
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the length of the object is unknown")
        self._at = offset + (self._at if whence == io.SEEK_CUR else 0)
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = self._store.part(self._path, self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Journal:
    """Lines, collected into objects below `path`, which continue the numbers of existing ones."""

    def __init__(self, store: ObjectStore, path: Address) -> None:
        self._store, self._path = store, path
        numbers = (int(name.partition(".")[0]) for name in store.parts(path))
        self._next = max(numbers, default=0) + 1
        self._lines: list[bytes] = []
        self._put = time.monotonic()

    def write(self, line: bytes, /) -> None:
        self._lines.append(line)

    def flush(self) -> None:
        """Put the collected lines, if the last put was long enough ago.

        Raises StorageError or LostLockError.
        """
        if time.monotonic() - self._put >= _JOURNAL_SECONDS:
            self.close()

    def close(self) -> None:
        """Put the collected lines. Raises as `flush` does."""
        if self._lines:
            require_held_locks()
            self._store.put(f"{self._path}/{self._next:08d}.jsonl", b"".join(self._lines))
            self._next += 1
            self._lines.clear()
        self._put = time.monotonic()


def stamp(version: Mapping[str, Any]) -> int:
    """Return an entity tag as a number of 63 bits, which replaces the time of change of a file."""
    tag = (version["e_tag"] or "").strip('"')  # Azure adds quotes in some answers only
    return int.from_bytes(hashlib.sha256(tag.encode()).digest()[:8]) >> 1


def run_each(function: Callable[[S], T], arguments: Iterable[S]) -> Iterator[T]:
    """Yield `function` of each argument, in order. Several calls run at the same time, ahead."""
    with ThreadPoolExecutor(MOST_REQUESTS) as pool:
        ahead: deque[Future[T]] = deque()
        try:
            for argument in arguments:
                ahead.append(pool.submit(function, argument))
                if len(ahead) >= 2 * MOST_REQUESTS:
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
    """Return the client of a bucket. Each process has its own, also a forked one."""
    attempts = os.environ.get("AWS_MAX_ATTEMPTS", "")
    retries = {"max_retries": (int(attempts) if attempts.isdigit() else _ATTEMPTS) - 1}
    # Sending a part may take long, but a silent server fails sooner. The address decides whether
    # a connection is encrypted.
    options = {"timeout": "10 minutes", "read_timeout": "30 seconds", "allow_http": True}
    _obstore()
    from obstore.store import from_url

    try:
        more = _read_configuration() if url.startswith("s3://") else {}
        return from_url(url, client_options=options, retry_config=retries, **more)
    except StorageError:
        raise
    except Exception as error:
        raise _explain_error(url, error) from None


def _read_configuration() -> dict[str, Any]:
    """Return settings that obstore does not read: the AWS profile, and AWS_NO_SIGN_REQUEST."""
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


_loading_process: int | None = None
"""The id of the process that loaded obstore."""

_parent_modules: list[Any] = []
"""The modules of the parent process after a fork. It is not safe to free them."""


def _obstore() -> Any:
    """Return the module obstore. Raises StorageError if it is not installed."""
    global _loading_process
    if _loading_process not in (None, os.getpid()):
        _load_again()
    _loading_process = os.getpid()
    try:
        import obstore
    except ImportError:
        raise StorageError(
            "Object stores need an extra. In a checkout, run: pip install -e '.[objects]' and "
            "elsewhere: pip install 'df2-assets[objects]'"
        ) from None
    return obstore


def _load_again() -> None:
    """Load obstore again in a forked process.

    Its threads remain in the parent, and every call would wait for them forever. The library has
    one set of threads per file that it is loaded from, so a copy of the file has its own.
    """
    names = [name for name in sys.modules if name.partition(".")[0] == "obstore"]
    before = {name: sys.modules.pop(name) for name in names}
    _parent_modules.append(before)
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


def _not_found_error(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _explain_error(path: str, error: Exception) -> Exception:
    """Return an error of the client in our words, without the text of the store or the client."""
    kind, text = type(error).__name__, str(error)
    code = re.search(r"<Code>(\w+)</Code>|\(code: (\w+)\)|\"code\": *\"(\w+)\"", text)
    number = re.search(r"status code: (\d+) ([\w ]+)", text)
    known = next(filter(None, code.groups())) if code else number[2] if number else kind
    if kind == "NotSupportedError":
        return NotImplementedError(path)
    # The client itself raises this if a server ignores the range, as Azurite does.
    if (number and number[1] == "416") or "Wanted range starting at" in text:
        return EOFError(path)
    has_bucket = known not in _NO_BUCKET and "container does not exist" not in text
    if has_bucket and kind in ("AlreadyExistsError", "PreconditionError"):
        return Conflict(path)
    if has_bucket and kind == "FileNotFoundError":
        return _not_found_error(path)
    broke_off = "response body" in text
    sort = _BrokenOffError if broke_off else StorageError
    return sort(
        f"{path}: {_describe_problem(path.partition(':')[0], kind, text, known, has_bucket)}"
    )


def _describe_problem(scheme: str, kind: str, text: str, known: str, has_bucket: bool) -> str:
    """Return what is wrong with a request, and what to do about it."""
    if not has_bucket:
        return "the bucket does not exist: create it, or name another one."
    if known in _EXPIRED or "expired" in text.lower():
        return f"the credentials have expired ({known}): renew them, and try again."
    if _is_about_credentials(kind, text):
        return f"there are no usable credentials ({known}): set {_CREDENTIALS[scheme]}."
    if kind == "PermissionDeniedError" or re.search(r"status code: 40[13]|AccessDenied", text):
        return f"access is denied ({known}): the credentials lack a permission."
    if re.search(r"kind: (Connect|Timeout)|error sending request|timed out", text):
        reason = "Timeout" if re.search(r"kind: Timeout|timed out", text) else "Connect"
        return f"the store does not answer ({reason}): check {_ENDPOINT[scheme]} and the network."
    return f"the store answers with an error ({known}). Finished files are kept: try again later."


def _is_about_credentials(kind: str, text: str) -> bool:
    marks = ("169.254.", "metadata.google", "get_credentials", "token request", "must be specified")
    return (
        kind == "UnauthenticatedError"
        or "Credential" in kind
        or "Token" in kind
        or any(mark in text for mark in marks)
    )

"""The folder of an export while it is written. Files that would not change are left untouched."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from df2_assets.engines.progress import Progress, silent
from df2_assets.exports import record as records
from df2_assets.exports.record import File, Record
from df2_assets.exports.shards import ExportShard, Limits, plan_shards, split_rows
from df2_assets.exports.source import Row, Source, list_files
from df2_assets.store.checksums import digest, write_list
from df2_assets.store.layout import Roots
from df2_assets.store.space import require_space
from df2_assets.store.store import Status, status_of
from df2_assets.store.system_files import is_in_system_folder

T = TypeVar("T")

CROP_FILES: Final = "imagefolder"
"""The folder of an export that holds crops as files, in `catalog/…` and `query/…`."""

_BYTES_PER_SAMPLE: Final = 3_000
"""Bytes per crop of a shard in addition to the JPEG: headers, prompt and fields."""


def crop_file_name(path: str) -> str:
    """Return the path of a crop in an export: the folder of its domain, its SKU, its name.

    `path` is relative to SKU_ROOT, and is that of a crop or of a file of a crop variant.
    """
    return f"{CROP_FILES}/{'/'.join(path.split('/')[-3:])}"


@dataclass(frozen=True)
class ExportResult:
    """What an export did.

    `written` and `removed` count files. `digest` is the digest of the list of all digests.
    `foreign` lists the files in the folder that do not belong to the export. `note` says what the
    export lacks.
    """

    rows: int
    files: int
    bytes: int
    written: int
    removed: int
    digest: str
    foreign: list[str] = field(default_factory=list)
    note: str | None = None


def statuses(roots: Roots, folder: Path) -> dict[str, Status]:
    """Return the status of all files below a folder, by relative path.

    Raises OutputError for a link to another folder.
    """
    entries = roots.sku.walk(folder)
    return {name: status for name, status in entries if status is not None}


class ExportFolder:
    """The files of one export of a split, while they are written.

    `name` is that of `records.export_name`. `own_paths` matches the paths that the export can have.
    Other files are never touched. Raises OutputError if a folder is a link.
    """

    def __init__(
        self,
        source: Source,
        name: str,
        own_paths: re.Pattern[str],
        limits: Limits | None = None,
        progress: Progress = silent,
    ) -> None:
        self.source = source
        self.name = name
        self._own_paths = own_paths
        self._limits = limits
        self._progress = progress
        self._roots, self._split = source.roots, source.split
        self.path = self._roots.export(name, self._split)
        for place in (self._roots.own, *self.path.parents[1::-1], self.path):
            self._roots.sku.require_no_links(place)
        self._record = records.load(self._roots, name, self._split)
        self._on_disk = statuses(self._roots, self.path)
        self._top = self.path.relative_to(self._roots.sku_root).as_posix()
        self._digests: dict[str, str] = {}
        self._rows: Counter[str] = Counter()
        self._is_changing = False
        self._bytes = 0
        self._written = 0

    def count_rows(self, rows: Iterable[T], table: str = "rows") -> Iterator[T]:
        """Yield rows, and record how many there are of a `table`."""
        self._rows[table] += 0
        for row in rows:
            self._rows[table] += 1
            yield row

    def publish(self, name: str, chunks: Iterable[bytes]) -> str:
        """Write a file, unless the one on disk has the same content. Return its SHA-256."""
        content = hashlib.sha256()

        def hash_chunks() -> Iterator[bytes]:
            for chunk in chunks:
                content.update(chunk)
                yield chunk

        if (self.path / name).is_symlink():  # even if its target has the same bytes
            self._mark_changing()
            (self.path / name).unlink()
        changed = self._roots.sku.publish(self.path / name, hash_chunks(), self._mark_changing)
        self._note(name, content.hexdigest(), "", changed)
        return content.hexdigest()

    def shards(
        self,
        form: str,
        version: str,
        write: Callable[[Path, Iterator[Row]], None],
        table: str = "rows",
    ) -> dict[str, ExportShard]:
        """Write the rows in shards, with paths such as `train-{:06d}.tar`. Return them by path.

        `write` writes all rows of a shard to a path. It is only called for shards whose rows, crops
        or `version` changed. An unchanged shard with a new number is renamed. Raises DiskFullError
        before anything is written.
        """
        shards = plan_shards(self.source.rows(), version, self._limits)
        by_name = {form.format(number): shard for number, shard in enumerate(shards)}
        self._rename_kept(by_name)
        to_write = [name for name, shard in by_name.items() if not self._is_kept(name, shard.key)]
        total = sum(by_name[name].samples for name in to_write)
        needed = sum(by_name[name].bytes for name in to_write) + _BYTES_PER_SAMPLE * total
        require_space(self._roots.sku_root, needed, f"{self.name} of {self._split}")
        with self._progress(f"writing {self.name}", total, "crops") as advance:
            parts = (
                split_rows(self.source.rows(), [by_name[name] for name in to_write])
                if to_write
                else ()
            )
            for name, (shard, rows) in zip(to_write, parts, strict=True):
                self._mark_changing()
                with self._roots.sku.atomic(self.path / name) as temporary:
                    write(temporary, self.count_rows(rows, table))
                    sha256 = digest(temporary)
                self._note(name, sha256, shard.key, changed=True)
                self._save()
                advance(shard.samples)
        for name in by_name.keys() - set(to_write):
            self._rows[table] += by_name[name].samples
            self._note(name, self._record.files[name].sha256, by_name[name].key, changed=False)
        return by_name

    def size(self, name: str) -> int:
        """Return the size of a file that was published, or of a shard, in bytes."""
        return self._record.files[name].size

    def add_crop_files(self) -> None:
        """Add each crop as a file of the export, at its `crop_file_name`.

        It is a hard link to the crop, or a copy if the store has no links. Raises OutputError if a
        crop has changed since it was built.
        """
        crops = list_files(self._roots, self._split, self.source.variant)
        missing: dict[str, Status | None] = {}
        for row in self.source.rows():
            name, crop = crop_file_name(row.path), crops.get(row.path)
            self._digests[name] = row.sha256
            self._bytes += row.size
            status, file = self._on_disk.get(name), self._record.files.get(name)
            if not records.is_as_written(status, file, row.sha256, crop):
                missing[name] = crop
        if not missing:
            return
        self._mark_changing()
        sizes: dict[str, int] = {}

        def links() -> Iterator[tuple[str, str]]:
            rows = (row for row in self.source.rows() if crop_file_name(row.path) in missing)
            for row, data in self.source.with_bytes(rows):
                sizes[crop_file_name(row.path)] = len(data)
                yield row.path, f"{self._top}/{crop_file_name(row.path)}"

        with self._progress(f"writing {self.name}", len(missing), "crops") as advance:
            for path, time_ns in self._roots.sku.link(self._roots.sku_root, links()):
                name = path.removeprefix(f"{self._top}/")
                status = sizes.pop(name), time_ns
                self._record.files.pop(name, None)
                if status != missing[name]:
                    self._record.files[name] = File(*status, self._digests[name])
                advance(1)
        self._written += len(missing)

    def finish(self) -> ExportResult:
        """Remove obsolete files of the export, and record the others."""
        removed, foreign = self._remove_stale_files()
        digests = {f"{self._top}/{name}": sha for name, sha in sorted(self._digests.items())}
        path = self._roots.export_digests(self.name, self._split)
        write_list(path, digests, self._mark_changing)
        files = {name: file for name, file in self._record.files.items() if name in self._digests}
        self._record = Record(self.source.digest, dict(self._rows), files, self.source.encoder)
        self._save()
        crops = self.source.crops.num_rows
        return ExportResult(
            crops, len(digests), self._bytes, self._written, removed, digest(path), foreign
        )

    def _mark_changing(self) -> None:
        """Before the first change, record that the export is half-written."""
        if not self._is_changing:
            self._is_changing, self._record.source_digest = True, None
            self._save()

    def _save(self) -> None:
        records.save(self._roots, self.name, self._split, self._record)

    def _note(self, name: str, sha256: str, key: str, changed: bool) -> None:
        status = self._status(name) if changed else self._on_disk[name]
        self._record.files[name] = File(*status, sha256, key)
        self._digests[name] = sha256
        self._bytes += status[0]
        self._written += changed

    def _status(self, name: str) -> Status:
        return status_of((self.path / name).stat())

    def _is_kept(self, name: str, key: str) -> bool:
        """Return whether a shard of the same rows exists, with the recorded status or digest."""
        file = self._record.files.get(name)
        if file is None or file.key != key:
            return False
        if self._on_disk.get(name) == file.status:
            return True
        path = self.path / name
        return path.is_file() and not path.is_symlink() and digest(path) == file.sha256

    def _rename_kept(self, by_name: dict[str, ExportShard]) -> None:
        files = self._record.files
        by_key = {file.key: name for name, file in files.items() if file.key}
        moves = {
            by_key[shard.key]: name
            for name, shard in by_name.items()
            if by_key.get(shard.key, name) != name and self._is_kept(by_key[shard.key], shard.key)
        }
        if not moves:
            return
        self._mark_changing()
        self._roots.sku.rename(self.path, moves)
        moved = {new: (self._status(new), files.pop(old)) for old, new in moves.items()}
        for old in moves:
            self._on_disk.pop(old)
        for new, (status, file) in moved.items():
            self._on_disk[new] = status
            files[new] = File(*status, file.sha256, file.key)
        self._save()

    def _remove_stale_files(self) -> tuple[int, list[str]]:
        """Remove obsolete files. Return how many there were, and the foreign files."""
        surplus = self._on_disk.keys() - self._digests.keys()
        surplus = {name for name in surplus if not is_in_system_folder(name)}
        stale = {name for name in surplus if records.is_own(name, self._own_paths)}
        if stale:
            self._mark_changing()
            self._roots.sku.remove(self._roots.sku_root, [f"{self._top}/{name}" for name in stale])
        return len(stale), sorted(f"{self._top}/{name}" for name in surplus - stale)

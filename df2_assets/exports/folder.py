"""The folder of an export: written file by file, with what is the same left as it is."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from df2_assets.engines.progress import Progress, silent
from df2_assets.exports import record as records
from df2_assets.exports.loose import loose_name, write_loose
from df2_assets.exports.record import File, Record
from df2_assets.exports.shards import Limits, Shard, plan, rows_of
from df2_assets.exports.source import Row, Source
from df2_assets.pipeline.estimate import Estimate, refuse_full_disk
from df2_assets.store import crop_tree
from df2_assets.store.checksums import digest, write_list
from df2_assets.store.files import Status, atomic, free, publish, remove, rename, statuses

_BYTES_A_SAMPLE: Final = 3_000
"""What a shard has of a crop beside its bytes: headers, prompt and line."""

WriteShard = Callable[[Path, Iterator[Row]], None]
"""Writes a shard's rows, all of them, to a path."""


@dataclass(frozen=True)
class Exported:
    """What was made of it. `foreign` are files in the folder that are not the export's.

    `digest` is of the list of all its files' digests.
    """

    rows: int
    files: int
    bytes: int
    written: int
    removed: int
    digest: str
    foreign: list[str] = field(default_factory=list)


class Folder:
    """The files of one export of a split, while they are written.

    `own` matches the paths that the export can have; others are never touched. Raises OutputError
    where a link stands for a folder.
    """

    def __init__(
        self,
        source: Source,
        name: str,
        own: re.Pattern[str],
        limits: Limits | None = None,
        progress: Progress = silent,
    ) -> None:
        self.source = source
        self.name = name
        self._own = own
        self._limits = limits
        self._progress = progress
        self._roots, self._split = source.roots, source.split
        self.path = self._roots.export(name, self._split)
        records.refuse_links(self._roots, self.path)
        before = records.load(self._roots, name, self._split)
        self._record = Record(before.made_from, before.rows, dict(before.files))
        self._there = statuses(self.path)
        self._top = self.path.relative_to(self._roots.sku_root).as_posix()
        self._digests: dict[str, str] = {}
        self._is_changing = False
        self._bytes = 0
        self._written = 0

    def publish(self, name: str, chunks: Iterable[bytes]) -> str:
        """A file of which all is written anew, to be compared with the one that is there.

        Returns its SHA-256.
        """
        content = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for chunk in chunks:
                content.update(chunk)
                yield chunk

        if (self.path / name).is_symlink():  # what it leads to may say the same, elsewhere
            self._changing()
            (self.path / name).unlink()
        changed = publish(self.path / name, hashed(), self._changing)
        self._note(name, content.hexdigest(), "", changed)
        return content.hexdigest()

    def shards(self, form: str, version: str, write: WriteShard) -> dict[str, Shard]:
        """The rows in shards, their paths in the `form` of `train-{:06d}.tar`; which they are.

        Only those are written whose rows, crops or `version` are others than before. One that is
        the same and has another number now is renamed. Raises DiskFullError, before any is written.
        """
        wanted = {
            form.format(number): shard
            for number, shard in enumerate(plan(self.source.rows(), version, self._limits))
        }
        self._rename_kept(wanted)
        todo = [name for name, shard in wanted.items() if not self._is_kept(name, shard.key)]
        total = sum(wanted[name].samples for name in todo)
        needed = sum(wanted[name].bytes for name in todo) + _BYTES_A_SAMPLE * total
        room = Estimate(0, total, needed, free(self._roots.sku_root), 0.0)
        refuse_full_disk(self._roots, self._split, room)
        with self._progress(f"writing {self.name}", total, "crops") as advance:
            parts = rows_of(self.source.rows(), [wanted[name] for name in todo]) if todo else ()
            for name, (shard, rows) in zip(todo, parts, strict=True):
                self._changing()
                with atomic(self.path / name) as temporary:
                    write(temporary, rows)
                    sha256 = digest(temporary)
                self._note(name, sha256, shard.key, changed=True)
                records.save(self._roots, self.name, self._split, self._record)
                advance(shard.samples)
        for name in wanted.keys() - set(todo):
            self._note(name, self._record.files[name].sha256, wanted[name].key, changed=False)
        return wanted

    def size(self, name: str) -> int:
        """Bytes of a file that was published, or of a shard."""
        return self._record.files[name].size

    def loose(self) -> None:
        """Have each crop as a file of the export, at its `loose_name`.

        It is another name of the crop; a copy where there can be none.
        """
        crops = crop_tree.scan(self._roots, self._split).crops
        missing: dict[str, Status | None] = {}
        for row in self.source.rows():
            name, crop = loose_name(row.path), crops.get(row.path)
            self._digests[name] = row.sha256
            self._bytes += row.size
            there, file = self._there.get(name), self._record.files.get(name)
            if not records.is_as_left(there, file, row.sha256, crop):
                missing[name] = crop
        if not missing:
            return
        self._changing()
        with self._progress(f"writing {self.name}", len(missing), "crops") as advance:
            for name, (size, time_ns) in write_loose(self.source, self._top, missing):
                self._record.files.pop(name, None)
                if (size, time_ns) != missing[name]:
                    self._record.files[name] = File(size, time_ns, self._digests[name])
                advance(1)
        self._written += len(missing)

    def finish(self, rows: int) -> Exported:
        """Remove what is the export's and not wanted any more, and record the rest."""
        removed, foreign = self._remove_others()
        digests = {f"{self._top}/{name}": sha for name, sha in sorted(self._digests.items())}
        path = self._roots.export_digests(self.name, self._split)
        write_list(path, digests, self._changing)
        files = {name: file for name, file in self._record.files.items() if name in self._digests}
        self._record = Record(self.source.digest, rows, files)
        records.save(self._roots, self.name, self._split, self._record)
        return Exported(
            rows,
            len(digests),
            self._bytes,
            self._written,
            removed,
            digest(path),
            foreign,
        )

    def _changing(self) -> None:
        """To be called before a change: until it is recorded anew, the export is half-written."""
        if not self._is_changing:
            self._is_changing, self._record.made_from = True, None
            records.save(self._roots, self.name, self._split, self._record)

    def _note(self, name: str, sha256: str, key: str, changed: bool) -> None:
        size, time_ns = self._status(name) if changed else self._there[name]
        self._record.files[name] = File(size, time_ns, sha256, key)
        self._digests[name] = sha256
        self._bytes += size
        self._written += changed

    def _status(self, name: str) -> Status:
        status = (self.path / name).stat()
        return status.st_size, status.st_mtime_ns

    def _is_kept(self, name: str, key: str) -> bool:
        """Whether a shard made from the same is there as it was left, or with the same bytes."""
        file = self._record.files.get(name)
        if file is None or file.key != key:
            return False
        if self._there.get(name) == file.status:
            return True
        path = self.path / name
        if not path.is_file() or path.is_symlink():
            return False
        return digest(path) == file.sha256

    def _rename_kept(self, wanted: dict[str, Shard]) -> None:
        files = self._record.files
        by_key = {file.key: name for name, file in files.items() if file.key}
        moves = {
            by_key[shard.key]: name
            for name, shard in wanted.items()
            if by_key.get(shard.key, name) != name and self._is_kept(by_key[shard.key], shard.key)
        }
        if not moves:
            return
        self._changing()
        rename(self.path, moves)
        moved = {new: (self._status(new), files.pop(old)) for old, new in moves.items()}
        for old in moves:
            self._there.pop(old)
        for new, (status, file) in moved.items():
            self._there[new] = status
            files[new] = File(*status, file.sha256, file.key)
        records.save(self._roots, self.name, self._split, self._record)

    def _remove_others(self) -> tuple[int, list[str]]:
        """How many were removed, and what is left that is not the export's."""
        others = self._there.keys() - self._digests.keys()
        own = {name for name in others if records.is_own(name, self._own)}
        if own:
            self._changing()
            remove(self._roots.sku_root, [f"{self._top}/{name}" for name in own])
        return len(own), sorted(f"{self._top}/{name}" for name in others - own)

"""What a build left of a split, looked up row by row: tables and contract files."""

from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.store import tables
from df2_assets.store.consistency import standing
from df2_assets.store.layout import Roots

Row = dict[str, Any]


class _Document(msgspec.Struct):
    skus: dict[str, msgspec.Raw]


class Evidence:
    """The tables of a split, each read when it is first asked; an absent one has no rows."""

    def __init__(self, roots: Roots, split: str) -> None:
        self.roots = roots
        self.split = split
        self._tables: dict[str, pa.Table | None] = {}
        self._lines: dict[str, dict[str, Row]] = {}

    @property
    def is_built(self) -> bool:
        """Whether there is an index to look into."""
        return self._table("raw_annotation_index") is not None

    @cached_property
    def notes(self) -> list[str]:
        """What an answer from these tables cannot be relied on for; a sentence each."""
        remedy = f"run df2-assets build --split {self.split}"
        problems = standing(self.roots, self.split) if self.is_built else []
        return [f"{problem[0].upper()}{problem[1:]}: {remedy}." for problem in problems]

    def rows(self, asset: str, **values: str | int) -> list[Row]:
        """The rows of a table whose columns have these values."""
        table = self._table(asset)
        if table is None:
            return []
        wanted = pc.scalar(True)
        for column, value in values.items():
            wanted &= pc.field(column) == value
        found: list[Row] = table.filter(wanted).to_pylist()
        return found

    def manifest_row(self, crop_path: str) -> Row | None:
        return next(iter(self.rows("crops", crop_path=crop_path)), None)

    def sku(self, sku_id: str) -> dict[str, Any] | None:
        """A SKU of the metadata; None where the file, or the SKU in it, is not there."""
        raw = self._skus.get(sku_id)
        try:
            return None if raw is None else msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.DecodeError:
            return None

    def line(self, sku_id: str, crop_path: str) -> Row | None:
        """The line of a crop in the JSONL; None where the file, or the line in it, is not there."""
        if sku_id not in self._lines:
            self._lines[sku_id] = self._lines_of(sku_id)
        return self._lines[sku_id].get(crop_path)

    @cached_property
    def _skus(self) -> dict[str, msgspec.Raw]:
        try:
            data = self.roots.sku_metadata(self.split).read_bytes()
            return msgspec.json.decode(data, type=_Document).skus
        except (OSError, msgspec.DecodeError):
            return {}

    def _table(self, asset: str) -> pa.Table | None:
        if asset not in self._tables:
            self._tables[asset] = tables.find(self.roots, asset, self.split)
        return self._tables[asset]

    def _lines_of(self, sku_id: str) -> dict[str, Row]:
        lines: dict[str, Row] = {}
        try:
            with self.roots.image_text(self.split).open("rb") as file:
                for line in file:
                    if sku_id.encode() in line:
                        record = msgspec.json.decode(line, type=dict[str, Any])
                        lines[str(record.get("image_path"))] = record
        except (OSError, msgspec.DecodeError):
            pass
        return lines

"""WebDataset: tar files of `{key}.jpg`, `{key}.txt`, `{key}.json`, one sample after the other.

`sizes.json` and `__len__` say how many samples there are where open_clip looks for them
(open_clip_train/data.py, `get_dataset_size`); `index.json` has the form of a wids shard index.
"""

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from df2_assets.exports.folder import Folder
from df2_assets.exports.form import Form, Format, Record
from df2_assets.exports.source import Row, Source

_VERSION: Final = "1"
_PARTS: Final = ("jpg", "txt", "json")


def key(fields: dict[str, Any]) -> str:
    """`000001_01_01-catalog-000002_item1`: no dot, which would end a key, and no slash."""
    return "{sku_id}-{domain}-{image_id}_item{item_idx}".format_map(fields)


def write(folder: Folder) -> None:
    """The shards, and how much is in each."""
    form = folder.source.split + "-{:06d}.tar"
    shards = folder.shards(form, _VERSION, partial(_write_tar, folder.source))
    samples = {name: shard.samples for name, shard in shards.items()}
    index = {
        "__kind__": "wids-shard-index-v1",
        "wids_version": 1,
        "name": f"deepfashion2-sku-{folder.source.split}",
        "shardlist": [
            {"url": name, "nsamples": count, "filesize": folder.size(name)}
            for name, count in samples.items()
        ],
    }
    folder.publish("sizes.json", [_json(samples)])
    folder.publish("__len__", [b"%d\n" % sum(samples.values())])
    folder.publish("index.json", [_json(index)])


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _write_tar(source: Source, path: Path, rows: Iterator[Row]) -> None:
    """The same rows give the same bytes: no times, no owners, one mode."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for row, jpg in source.with_bytes(rows):
            contents = (jpg, row.fields["text"].encode(), row.line)
            for part, data in zip(_PARTS, contents, strict=True):
                entry = tarfile.TarInfo(f"{key(row.fields)}.{part}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))


def _expected(source: Source) -> Iterator[Record]:
    for row in source.rows():
        yield row.path, _values(key(row.fields), row.sha256, row.fields["text"], row.fields)


def _found(folder: Path, split: str) -> Iterator[Record]:
    for path in sorted(folder.glob(f"{split}-*.tar")):
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            while (first := tar.next()) is not None:
                stem, jpg = first.name.removesuffix(".jpg"), _data(tar, first)
                txt, line = (_data(tar, _next(tar, f"{stem}.{part}", path)) for part in _PARTS[1:])
                fields = msgspec.json.decode(line, type=dict[str, Any])
                digest = hashlib.sha256(jpg).hexdigest()
                yield fields["image_path"], _values(stem, digest, txt.decode(), fields)


def _values(stem: str, digest: str, text: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"key": stem, "jpg": digest, "txt": text, **{f"json.{k}": v for k, v in fields.items()}}


def _next(tar: tarfile.TarFile, name: str, path: Path) -> tarfile.TarInfo:
    entry = tar.next()
    if entry is None or entry.name != name:
        raise ValueError(f"{path} lacks {name} where it should come")
    return entry


def _data(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(entry)
    if file is None:
        raise ValueError(f"{entry.name} is not a file")
    return file.read()


FORMAT: Final = Format(
    name="webdataset",
    title="WebDataset shards",
    says="""
    Tar files of `{key}.jpg`, `{key}.txt` (the prompt) and `{key}.json` (the line of the JSONL),
    at most 256 MB or 10,000 crops each. They are cut at SKUs that their ids mark, not by count:
    a crop more or less changes its own shard and seldom another. `sizes.json` and `__len__` tell
    open_clip how many samples there are.
    """,
    loads="""
import glob
import webdataset

shards = sorted(glob.glob("data/DeepFashion2_SKU/_df2_assets/exports/webdataset/SPLIT/*.tar"))
dataset = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
image, text, fields = next(iter(dataset.to_tuple("jpg", "txt", "json")))
""",
    kinds=("webdataset", "tar"),
    code_version=_VERSION,
    own=re.compile(r"[a-z]+-\d{6}\.tar|sizes\.json|__len__|index\.json|README\.md", re.ASCII),
    write=write,
    forms={"shards": Form(_expected, _found)},
)

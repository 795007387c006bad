"""WebDataset: tar files of `{key}.jpg`, `{key}.txt`, `{key}.json`, sample by sample.

The image has the ending of its file, which may be `.png` or `.webp` for a crop variant.

open_clip reads the number of samples from `sizes.json` and `__len__` (open_clip_train/data.py,
`get_dataset_size`). `index.json` is a shard index for wids.
"""

import io
import re
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from df2_assets.dataset.taxonomy import SPLIT_NAME
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export
from df2_assets.exports.source import Row, Source


def sample_key(fields: dict[str, Any]) -> str:
    """Return the key of a sample, such as `train-000001_01_01-catalog-000002_item1`.

    No other sample of any split has it. In a crop variant the same crop has the same key. It has no
    slash, and no dot, which would end the key.
    """
    return "{split}-{sku_id}-{domain}-{image_id}_item{item_idx}".format_map(fields)


def write(folder: ExportFolder) -> None:
    """Write the shards, and the number of samples in each."""
    source = folder.source
    form = source.split + "-{:06d}.tar"
    shards = folder.shards(form, EXPORT.code_version, partial(_write_tar, source))
    samples = {name: shard.samples for name, shard in shards.items()}
    index = {
        "__kind__": "wids-shard-index-v1",
        "wids_version": 1,
        "name": f"deepfashion2-sku-{source.split}",
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
    """Write a shard. The same rows give the same bytes: there are no times and no owners."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for row, image in source.with_bytes(rows):
            text, fields = row.fields["text"].encode(), msgspec.json.encode(row.fields)
            suffix = row.path.rpartition(".")[2]
            for ending, data in ((suffix, image), ("txt", text), ("json", fields)):
                entry = tarfile.TarInfo(f"{sample_key(row.fields)}.{ending}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))


EXPORT: Final = Export(
    name="webdataset",
    title="WebDataset shards",
    description="""
    Tar files of `{key}.jpg`, `{key}.txt` (the prompt) and `{key}.json` (the fields of the JSONL,
    `sku_uid` and further labels), at most 256 MB or 10,000 crops each. Images of a crop variant may
    end in `.png` or `.webp`. No two splits have a key in common. Shards begin at SKUs whose ids
    mark them, so that an added or removed crop changes its own shard and rarely another.
    `sizes.json` and `__len__` tell open_clip the number of samples.
    """,
    loading_code="""
import glob
import webdataset

shards = sorted(glob.glob("data/DeepFashion2_SKU/_df2_assets/exports/webdataset/SPLIT/*.tar"))
dataset = webdataset.WebDataset(shards, shardshuffle=False).decode("pil")
image, text, fields = next(iter(dataset.to_tuple("jpg;png;webp", "txt", "json")))
""",
    kinds=("webdataset", "tar"),
    own_paths=re.compile(rf"{SPLIT_NAME}-\d{{6}}\.tar|sizes\.json|__len__|index\.json", re.ASCII),
    write=write,
    code_version="2",
)

"""Croissant 1.1: JSON-LD about the split's files, and its crops as records.

The records lie in a Parquet file of their own: mlcroissant reads JSON lines with pandas, which
takes `000002` for the number 2 and `000001_01_01` for 10101.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from df2_assets import __version__
from df2_assets.dataset.documents import IMAGE_TEXT
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.exports.folder import Folder
from df2_assets.exports.form import Form, Format, Record
from df2_assets.exports.parquet import parquet, read_rows
from df2_assets.exports.source import Row, Source
from df2_assets.store.checksums import digest

_RECORDS: Final = "crops.parquet"
_DOCUMENT: Final = "croissant.json"
_MORE: Final = {"size": "bytes of the crop", "sha256": "digest of its bytes, hexadecimal"}

_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The standard context of Croissant 1.1 (docs.mlcommons.org/croissant)."""


def _record(row: Row) -> dict[str, Any]:
    return row.fields | {"size": row.size, "sha256": row.sha256}


def write(folder: Folder) -> None:
    """The records, then the document that says what they and the split's other files are."""
    source = folder.source
    schema = pa.schema([*source.columns(), ("size", pa.int64()), ("sha256", pa.string())])
    records = folder.publish(_RECORDS, parquet(schema, map(_record, source.rows())))
    document = _document(source, schema, records)
    folder.publish(
        _DOCUMENT, [msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"]
    )


def _document(source: Source, schema: pa.Schema, records: str) -> dict[str, Any]:
    split, up = source.split, "../../../.."
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": f"deepfashion2-sku-{split}",
        "description": (
            f"Catalog and query crops of the visual SKUs of DeepFashion2, {split} split, each with "
            "a prompt. For non-commercial research only; not to be redistributed."
        ),
        "url": "https://github.com/switchablenorms/DeepFashion2",
        "license": "https://github.com/switchablenorms/DeepFashion2",
        "creator": {"@type": "sc:Organization", "name": "DeepFashion2's authors"},
        "version": __version__,
        "datePublished": "2019",
        "citeAs": "Ge et al., DeepFashion2, CVPR 2019",
        "distribution": [
            _file(_RECORDS, _RECORDS, "application/x-parquet", records),
            _file(
                "image-text",
                f"{up}/{source.roots.image_text(split).name}",
                "application/jsonlines",
                source.image_text,
            ),
            # A folder has no digest of its own: this one is of all lines and all crops in it.
            _file("sku-root", up, "inode/directory", source.digest),
            {
                "@type": "cr:FileSet",
                "@id": "crops",
                "containedIn": {"@id": "sku-root"},
                "encodingFormat": "image/jpeg",
                "includes": [f"{split}/{domain}/*/*.jpg" for domain in DOMAINS.values()],
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "records",
                "name": "records",
                "description": "A record a crop: its line in the JSONL, its size and its digest.",
                "key": {"@id": "records/image_path"},
                "field": [_field(kind) for kind in schema],
            }
        ],
    }


def _file(name: str, url: str, kind: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": url,
        "encodingFormat": kind,
        "sha256": sha256,
    }


def _field(kind: pa.Field) -> dict[str, Any]:
    name, array = kind.name, pa.types.is_fixed_size_list(kind.type)
    value = kind.type.value_type if array else kind.type
    known = name in IMAGE_TEXT.names
    says = IMAGE_TEXT.field(name).metadata[b"description"].decode() if known else "another prompt"
    return {
        "@type": "cr:Field",
        "@id": f"records/{name}",
        "name": name,
        "description": _MORE.get(name, says),
        "dataType": "sc:Text" if pa.types.is_string(value) else "sc:Integer",
        **({"isArray": True, "arrayShape": str(kind.type.list_size)} if array else {}),
        "source": {"fileObject": {"@id": _RECORDS}, "extract": {"column": name}},
    }


def _expected(source: Source) -> Iterator[Record]:
    for row in source.rows():
        yield row.path, _record(row)


def _found(folder: Path, split: str) -> Iterator[Record]:
    document = msgspec.json.decode((folder / _DOCUMENT).read_bytes(), type=dict[str, Any])
    (said,) = [one["sha256"] for one in document["distribution"] if one["@id"] == _RECORDS]
    if digest(folder / _RECORDS) != said:
        raise ValueError(f"{_DOCUMENT} says another digest of {_RECORDS}")
    for row in read_rows(folder / _RECORDS):
        yield row["image_path"], row


FORMAT: Final = Format(
    name="croissant",
    title="Croissant",
    says="""
    `croissant.json`, which describes the JSONL, the crops and `crops.parquet` in JSON-LD, with
    digests; the latter has the crops as records: the line of the JSONL, size and SHA-256 of the
    crop. Paths lead from the document to `SKU_ROOT`. No image is copied.
    """,
    loads="""
import mlcroissant

folder = "data/DeepFashion2_SKU/_df2_assets/exports/croissant/SPLIT"
dataset = mlcroissant.Dataset(f"{folder}/croissant.json")
record = next(iter(dataset.records("records")))
text = record["records/text"]
""",
    kinds=("croissant", "json", "parquet"),
    code_version="1",
    own=re.compile(r"croissant\.json|crops\.parquet|README\.md", re.ASCII),
    write=write,
    forms={"records": Form(_expected, _found)},
)

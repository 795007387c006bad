"""Croissant 1.1: JSON-LD that describes the files of a split, and its crops as records.

The records are in a separate Parquet file: mlcroissant reads JSON lines with pandas, which turns
`000002` into the number 2 and `000001_01_01` into 10101.
"""

import re
from typing import Any, Final

import msgspec
import pyarrow as pa

from df2_assets import __version__
from df2_assets.dataset.tables import CROPS
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export
from df2_assets.exports.source import Source
from df2_assets.exports.streams import encode_parquet

_RECORDS: Final = "crops.parquet"
_DOCUMENT: Final = "croissant.json"
_MORE: Final = tuple(CROPS.field(name) for name in ("size", "sha256"))

_NAMES: Final = """
    @language @vocab arrayShape citeAs column conformsTo containedIn cr rai data dataType
    dct description equivalentProperty examples extract field fileProperty fileObject
    fileSet format includes isArray isLiveDataset jsonPath key md5 name parentField path
    recordSet references regex repeated replace samplingRate sc separator source subField
    transform
"""
_CONTEXT: Final[dict[str, Any]] = {name: f"cr:{name}" for name in _NAMES.split()} | {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "sc": "https://schema.org/",
}
"""The standard context of Croissant 1.1 (docs.mlcommons.org/croissant)."""


def write(folder: ExportFolder) -> None:
    """Write the records, then the document that describes them and the other files."""
    source = folder.source
    schema = pa.schema([column.remove_metadata() for column in (*source.schema, *_MORE)])
    rows = folder.count_rows(source.rows())
    records = (row.fields | {"size": row.size, "sha256": row.sha256} for row in rows)
    sha256 = folder.publish(_RECORDS, encode_parquet(schema, records))
    document = msgspec.json.encode(_document(source, sha256))
    folder.publish(_DOCUMENT, [msgspec.json.format(document, indent=2) + b"\n"])


def _document(source: Source, records: str) -> dict[str, Any]:
    split, up = source.split, "../../../.."
    suffix = source.suffix
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": f"deepfashion2-sku-{split}",
        "description": (
            f"Catalog and query crops of the visual SKUs of DeepFashion2, {split} split, each with "
            "a prompt. For non-commercial research only. Do not redistribute."
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
            # A folder has no digest, so this is the digest of all prompts, labels and crops.
            _file("sku-root", up, "inode/directory", source.digest),
            {
                "@type": "cr:FileSet",
                "@id": "crops",
                "containedIn": {"@id": "sku-root"},
                "encodingFormat": f"image/{'jpeg' if suffix == 'jpg' else suffix}",
                "includes": [
                    f"{source.folder}/{domain}/*/*.{suffix}" for domain in DOMAINS.values()
                ],
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "records",
                "name": "records",
                "description": "One record per crop: its labels, prompts, size and digest.",
                "key": {"@id": "records/image_path"},
                "field": [_field(column) for column in (*source.schema, *_MORE)],
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


def _field(column: pa.Field) -> dict[str, Any]:
    array = pa.types.is_fixed_size_list(column.type)
    value = column.type.value_type if array else column.type
    return {
        "@type": "cr:Field",
        "@id": f"records/{column.name}",
        "name": column.name,
        "description": column.metadata[b"description"].decode(),
        "dataType": "sc:Text" if pa.types.is_string(value) else "sc:Integer",
        **({"isArray": True, "arrayShape": str(column.type.list_size)} if array else {}),
        "source": {"fileObject": {"@id": _RECORDS}, "extract": {"column": column.name}},
    }


EXPORT: Final = Export(
    name="croissant",
    title="Croissant",
    description="""
    `croissant.json`, which describes the JSONL, the crops and `crops.parquet` in JSON-LD, with
    digests. `crops.parquet` has the crops as records: the fields of the JSONL, `sku_uid`, further
    labels, size and SHA-256 of the crop. Paths lead from the document to `SKU_ROOT`. No image is
    copied.
    """,
    loading_code="""
import mlcroissant

folder = "data/DeepFashion2_SKU/_df2_assets/exports/croissant/SPLIT"
dataset = mlcroissant.Dataset(f"{folder}/croissant.json")
record = next(iter(dataset.records("records")))
text = record["records/text"]
""",
    kinds=("croissant", "json", "parquet"),
    own_paths=re.compile(r"croissant\.json|crops\.parquet", re.ASCII),
    write=write,
    code_version="3",
)

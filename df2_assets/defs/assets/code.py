"""Where an asset's code is: the file and line here, or on a host that people can open."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import dagster as dg

from df2_assets.settings import PACKAGE

_KEY: Final = "dagster/code_references"


def reference(body: Callable[..., Any]) -> dict[str, Any]:
    """Metadata that names the file and line of a function on this machine."""
    code = body.__code__
    here = dg.LocalFileCodeReference(
        file_path=code.co_filename, line_number=code.co_firstlineno, label=body.__name__
    )
    return {_KEY: dg.CodeReferencesMetadataValue(code_references=[here])}


def hosted(asset: dg.AssetsDefinition, base_url: str | None) -> dg.AssetsDefinition:
    """The asset with links under `base_url`, where that is given, instead of files.

    `base_url` is where the project's folder is to be seen: `https://host/name/project/blob/main`.
    """
    return asset.map_asset_specs(lambda spec: _linked(spec, base_url)) if base_url else asset


def _linked(spec: dg.AssetSpec, base_url: str) -> dg.AssetSpec:
    links: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = []
    for here in spec.metadata[_KEY].code_references:
        path = Path(here.file_path).relative_to(PACKAGE.parent).as_posix()
        url = f"{base_url.rstrip('/')}/{path}#L{here.line_number}"
        links.append(dg.UrlCodeReference(url=url, label=here.label))
    return spec.merge_attributes(
        metadata={_KEY: dg.CodeReferencesMetadataValue(code_references=links)}
    )

"""Seconds that Dagster's UI takes to answer with the page of an asset, over an existing build."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from benchmarks.builds import Place
from benchmarks.measure import PROJECT, FailedError, environment_for, python_command

_PATIENCE: Final = 120.0
_TRIES: Final = 3

_ASSETS: Final = "{ assetNodes { assetKey { path } } }"
_PAGE: Final = """
fragment Entries on MetadataEntry {
  __typename label description
  ... on TextMetadataEntry { text }
  ... on MarkdownMetadataEntry { mdStr }
  ... on PathMetadataEntry { path }
  ... on IntMetadataEntry { intRepr }
  ... on FloatMetadataEntry { floatValue }
  ... on TableMetadataEntry { table { records schema { columns { name type } } } }
}
query Page($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode {
      description groupName kinds partitionKeys
      partitionStats { numPartitions numMaterialized numFailed numMaterializing }
      dependencyKeys { path }
      dependedByKeys { path }
      metadataEntries { ...Entries }
      latestMaterializationByPartition { runId timestamp metadataEntries { ...Entries } }
      assetChecksOrError {
        ... on AssetChecks {
          checks {
            name description blocking
            executionForLatestMaterialization {
              status
              evaluation { success severity description metadataEntries { ...Entries } }
            }
          }
        }
      }
    }
  }
  assetOrError(assetKey: $key) {
    ... on Asset {
      assetMaterializations(limit: 100) { runId timestamp partition metadataEntries { ...Entries } }
      assetObservations(limit: 100) { runId timestamp partition metadataEntries { ...Entries } }
    }
  }
}
"""
"""What the page of an asset shows: definition, latest materializations, metadata, checks."""


def page_seconds(place: Place) -> dict[str, float]:
    """Return the longest of three times in seconds to load the page of each asset completely.

    Raises FailedError if the UI does not start, or does not know an asset.
    """
    with _webserver(place) as url:
        nodes = _ask(url, _ASSETS, {})["assetNodes"]
        keys = sorted("/".join(node["assetKey"]["path"]) for node in nodes)
        return {key: max(_page(url, key) for _ in range(_TRIES)) for key in keys}


def _page(url: str, key: str) -> float:
    begun = time.perf_counter()
    with urlopen(f"{url}/assets/{key}") as page:
        page.read()
    _ask(url, _PAGE, {"key": {"path": key.split("/")}})
    return time.perf_counter() - begun


@contextmanager
def _webserver(place: Place) -> Iterator[str]:
    """Yield the address of a `dagster-webserver` on loopback that has loaded the project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        python_command("dagster_webserver", "-h", "127.0.0.1", "-p", port, "-w", "workspace.yaml"),
        cwd=PROJECT,
        env=environment_for(place.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _is_up(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise FailedError("dagster-webserver did not start.")
            time.sleep(0.2)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(_PATIENCE)


def _is_up(url: str) -> bool:
    try:
        return bool(_ask(url, _ASSETS, {})["assetNodes"])
    except URLError:
        return False


def _ask(url: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urlopen(request) as response:
        content = json.load(response)
    if content.get("errors"):
        raise FailedError(f"The UI returned an error: {content['errors'][0]['message']}")
    data: dict[str, Any] = content["data"]
    return data

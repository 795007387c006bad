"""A step of an explanation, and how what it says is put into words."""

from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from df2_assets.errors import inert
from df2_assets.explain.evidence import Evidence, Row
from df2_assets.store.files import NOT_A_FILE

Fate = Literal["in", "style 0", "unpaired", "refused", "unknown"]

_SHOWN: Final = 5


class Run(msgspec.Struct):
    """A Dagster run and when it made the asset (ISO 8601)."""

    run_id: str
    at: str


class Step(msgspec.Struct):
    """A stage by the name of its asset, and what it did; `ends` is the fate of what ends there.

    `also` are further lines beside what is `said`.
    """

    stage: str
    said: str
    facts: dict[str, Any] = {}
    ends: Fate | None = None
    run: Run | None = None
    also: list[str] = []


def files(evidence: Evidence, image_id: str) -> Step:
    """Annotation and image as they were read, and whether they have changed since."""
    found = evidence.rows("files", image_id=image_id)
    row = found[0] if found else {}
    roots, split = evidence.roots, evidence.split
    said, facts = [], {}
    for kind, stem, path in (
        ("annotation", "anno", roots.annotations(split) / f"{image_id}.json"),
        ("image", "image", roots.images(split) / f"{image_id}.jpg"),
    ):
        size = row.get(f"{stem}_size")
        name = f"{split}/{path.parent.name}/{path.name}"
        facts[kind] = {"path": name, "bytes": size}
        if size is None:
            said.append(f"no {kind} ({name})")
        else:
            said.append(f"{name}, " + ("no file" if size == NOT_A_FILE else f"{size:,} bytes"))
        if path.parent.is_dir() and stamp(path) != (size, row.get(f"{stem}_mtime_ns")):
            said[-1] += ", changed since: build again"
    return Step("deepfashion2", "; ".join(said), facts)


def reason(row: Row) -> str:
    """The code of a refusal and what exactly is wrong."""
    detail = str(row["detail"])
    return f"{row['reason']}: {detail if detail.isprintable() else inert(detail, 300)}"


def some(names: list[str]) -> str:
    """The first few, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def stamp(path: Path) -> tuple[int | None, int | None]:
    """Size and time of a file; nothing where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None, None
    return status.st_size, status.st_mtime_ns

"""The pages of the project: links lead somewhere, and lists are complete and current."""

import re
from pathlib import Path

import pytest

from df2_assets.checks.finding import RecordedFinding
from df2_assets.dataset.record import DOCUMENTS, LABEL_TABLE, TABLES
from df2_assets.dataset.shapes import SHAPE_MEANINGS
from df2_assets.dataset.taxonomy import CATEGORIES, LANDMARK_STARTS, LANDMARKS, SPLITS
from df2_assets.exports.record import File, Record
from df2_assets.store.declaration import Declaration
from df2_assets.store.layout import OWN_FOLDER, Roots
from df2_assets.store.lease import Holder
from df2_assets.store.state import State
from df2_assets_tests.support.processes import PROJECT

DOCS = PROJECT / "docs"
PAGES = sorted(
    page
    for folder in (".", "docs", "benchmarks", "examples")
    for page in (PROJECT / folder).glob("*.md")
)


def text_of(page: Path) -> str:
    """Return the text of a page without its blocks of code."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub forms them."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", text_of(page))
    broken = []
    for path, anchor in links:
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}" if anchor else path)
    assert broken == []


def test_the_index_lists_every_page_once() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[[^]]+\]\(([a-z-]+\.md)\) \|", index, re.MULTILINE)
    assert sorted(listed) == sorted({page.name for page in DOCS.glob("*.md")} - {"README.md"})


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_a_page_starts_with_a_title_and_what_it_answers(page: Path) -> None:
    title, empty, answer, *_ = page.read_text(encoding="utf-8").splitlines()
    assert title.startswith("# ")
    assert empty == ""
    assert re.match(r"[A-Z]", answer)


def test_the_internals_list_the_columns_of_every_table() -> None:
    page = (DOCS / "internals.md").read_text(encoding="utf-8")
    section = page.partition("\n## Tables\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", section, re.MULTILINE)
    assert {table: columns.replace("`", "").split(", ") for table, columns in rows} == {
        table: [field.name for field in record.fields] for table, record in TABLES.items()
    }


def test_the_page_of_labels_lists_every_column_every_reason_and_the_landmarks() -> None:
    page = (DOCS / "labels.md").read_text(encoding="utf-8")
    columns, landmarks, reasons = (
        page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        for title in ("Table", "Landmarks", "Refused shapes")
    )
    first = [line.split("|")[1] for line in columns.splitlines() if line.startswith("| `")]
    names = [name for cell in first for name in re.findall(r"`(\w+)`", cell)]
    assert names == [field.name for field in LABEL_TABLE.fields]
    assert re.findall(r"^\| (\d+) (.+) \| (\d+) \| (\d+) \|$", landmarks, re.MULTILINE) == [
        (str(category), name, str(LANDMARKS[category]), str(1 + LANDMARK_STARTS[category]))
        for category, name in CATEGORIES.items()
    ]
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", reasons, re.MULTILINE)) == {
        reason.value: meaning for reason, meaning in SHAPE_MEANINGS.items()
    }


def test_the_internals_list_every_path_of_the_project() -> None:
    """As `Roots` has them, with the placeholders of the page as arguments."""
    page = (DOCS / "internals.md").read_text(encoding="utf-8")
    section = page.partition("\n## Files\n")[2].partition("\n## ")[0]
    listed = {path.rstrip("/") for path in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)}
    roots, split = Roots(Path("/df2"), Path("/sku"), "/sku"), "{split}"
    paths = (
        roots.declaration,
        roots.state(split),
        roots.run("{asset}", split),
        roots.table("{asset}", split),
        roots.journal(split),
        roots.variant_manifest("{name}", split),
        roots.variant("{name}", split),
        roots.checksums(split),
        roots.finding("{asset}", "{check}", split),
        roots.offenders("{asset}", "{check}", split),
        roots.embeddings("{encoder}", split),
        roots.embeddings("{encoder}", split).with_suffix(".json"),
        roots.benchmark_crops(split),
        roots.malformed_results(split),
        roots.export("{name}", split),
        roots.export_record("{name}", split),
        roots.export_digests("{name}", split),
        roots.gallery(split).parent,
        roots.gallery_list,
        roots.pictures("{kind}", split),
        roots.lock(split),
        roots.lock(split).with_suffix(".json"),
    )
    assert listed == {path.relative_to(roots.sku_root / OWN_FOLDER).as_posix() for path in paths}


@pytest.mark.parametrize(
    ("path", "fields"),
    {
        "state/{split}.json": State.__struct_fields__,
        "declaration.json": Declaration.__struct_fields__,
        "checks/…/{split}.json": RecordedFinding.__struct_fields__,
        "exports/{name}/{split}.json": Record.__struct_fields__ + File.__struct_fields__,
        "locks/{split}.json": Holder.__struct_fields__,
    }.items(),
)
def test_the_internals_list_the_fields_of_every_record(path: str, fields: tuple[str, ...]) -> None:
    page = (DOCS / "internals.md").read_text(encoding="utf-8")
    section = page.partition("\n## Records\n")[2].partition("\n## ")[0]
    (row,) = (line for line in section.splitlines() if line.startswith(f"| `{path}` |"))
    assert set(re.findall(r"`(\w+)`", row)) == set(fields)


def test_the_contract_names_every_field_of_the_contract_files() -> None:
    page = (DOCS / "contract.md").read_text(encoding="utf-8")
    output = page.partition("\n## Output\n")[2].partition("\n### Prompts\n")[0]
    fields = {field.name for record in DOCUMENTS.values() for field in record.fields}
    assert [name for name in sorted(fields) if f"`{name}`" not in output] == []
    assert all(f"`{split}`" in output for split in SPLITS)

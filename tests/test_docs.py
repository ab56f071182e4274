"""Links in the documentation lead to a file and a heading."""

import re
import unicodedata
from pathlib import Path

import pytest
from documentation import CODE, LINK, PAGES, ROOT, name_of

HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    return CODE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    titles = (unicodedata.normalize("NFC", title).lower() for title in HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_page_of_the_handbook_is_in_its_table() -> None:
    listed = set(LINK.findall(prose(ROOT / "docs" / "README.md")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - listed == {"README.md"}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/method.md"])
def test_files_of_the_code_that_a_map_names_exist(name: str) -> None:
    folders = (ROOT, ROOT / "model", ROOT / "model" / "smalltumor")
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", (ROOT / name).read_text("utf-8"))
    assert named
    assert not [file for file in named if not any((folder / file).is_file() for folder in folders)]

"""The site of the documentation: its pages, their links and the generated references."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest
from build_site import gather
from command_reference import command_reference
from documentation import CODE, LINK, ROOT
from links import Links
from notebooks import page_of
from python_reference import SECTIONS


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    gather(folder)
    return folder


def test_links_between_gathered_pages_lead_to_files(gathered: Path) -> None:
    broken = [
        f"{page.name}: {link}"
        for page in gathered.rglob("*.md")
        for link in LINK.findall(CODE.sub("", page.read_text("utf-8")))
        if not re.match(r"\w+:|#", link) and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert not broken


def test_every_page_is_in_the_navigation(gathered: Path) -> None:
    navigation = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text("utf-8")))
    assert {page.relative_to(gathered).as_posix() for page in gathered.rglob("*.md")} == navigation


def test_links_to_pages_from_elsewhere_in_the_repository_are_led_to_their_new_place() -> None:
    links = Links({"model/README.md": "model-card.md", "README.md": "index.md"})
    assert links.of_site("[a](../../model/README.md#scores)", "docs/lab/x.md") == (
        "[a](../model-card.md#scores)"
    )
    assert links.of_site("[a](docs/img/a.png)", "README.md") == "[a](img/a.png)"


def test_links_in_code_and_to_other_sites_are_left_alone() -> None:
    text = "```\n[a](../README.md)\n```\n[b](https://napari.org/x) [c](#here)\n"
    assert Links({"README.md": "index.md"}).of_site(text, "docs/x.md") == text


def test_a_notebook_becomes_a_page_with_its_texts_and_code() -> None:
    cells = [("markdown", "# T"), ("code", "!smalltumor info"), ("code", "x = 1")]
    notebook = json.dumps({"cells": [{"cell_type": k, "source": [s]} for k, s in cells]})
    assert page_of(notebook) == "# T\n\n```sh\nsmalltumor info\n```\n\n```python\nx = 1\n```\n"


def test_the_command_reference_has_a_section_for_each_command_of_the_help() -> None:
    titles = re.findall(r"^## (.+)$", command_reference(), re.MULTILINE)
    assert titles[:2] == ["smalltumor", "segment"]
    assert "train-request" not in titles
    assert "--allow-missing" in command_reference()


@pytest.mark.parametrize("package", sorted({p for packages in SECTIONS.values() for p in packages}))
def test_names_of_the_python_reference_are_imported_from_their_package(package: str) -> None:
    for packages in SECTIONS.values():
        for name in packages.get(package, ()):
            module, _, attribute = f"smalltumor.{name}".rpartition(".")
            public = getattr(importlib.import_module(package), attribute)
            assert public is getattr(importlib.import_module(module), attribute)

"""Build the site of the documentation: python docs/site/build_site.py

It needs the dependency group ``docs``. The pages are gathered in build/docs, since some lie outside
`docs/` and others are generated; the site is build/site.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from command_reference import command_reference
from links import Links
from notebooks import page_of
from python_reference import python_reference

ROOT = Path(__file__).resolve().parents[2]
GATHERED = ROOT / "build" / "docs"

# The home page is that of the project; so that of the handbook has another name.
PAGES = {
    "README.md": "index.md",
    "docs/README.md": "handbook.md",
    "model/README.md": "model-card.md",
    "sample_data/README.md": "sample-case.md",
    "tests/README.md": "tests.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "docs/lab/README.md": "lab/index.md",
}
OTHER_FILES = ("CITATION.cff", "LICENSE")
REFERENCES = {"commands.md": command_reference, "python.md": python_reference}


def main() -> int:
    """Gather the pages and build the site; warnings are errors."""
    shutil.rmtree(GATHERED, ignore_errors=True)
    gather(GATHERED)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def gather(folder: Path) -> None:
    """Copy all pages to a folder, with links that lead to each other there."""
    links = Links(PAGES)
    for source in _sources():
        target = folder / links.uri(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".md":
            text = (ROOT / source).read_text(encoding="utf-8")
            text = page_of(text) if source.endswith(".ipynb") else text
            target.write_text(links.of_site(text, source), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / source, target)
    for uri, reference in REFERENCES.items():
        (folder / uri).write_text(reference(), encoding="utf-8")


def _sources() -> list[str]:
    """Files of the repository that belong to the site."""
    handbook = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "docs").rglob("*"))
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    ]
    return sorted({*handbook, *PAGES, *OTHER_FILES})


if __name__ == "__main__":
    sys.exit(main())

"""Scripts beside the packages import names that exist."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs/img", "docs/site", "tests/benchmarks", "tests/support", "sample_data")
SCRIPTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_script_imports_exists(script: Path) -> None:
    missing = []
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        file = file_of(node.module, script)
        if file is not None:
            imported = {name.name for name in node.names}
            missing += sorted(imported - names_in(file) - modules_in(file))
        elif node.module.split(".")[0] in ("smalltumor", "napari_smalltumor"):
            missing.append(node.module)
    assert not missing


def file_of(module: str, script: Path) -> Path | None:
    """The file of a module of this repository that a script imports."""
    path = Path(*module.split("."))
    siblings = sorted({each.parent for each in SCRIPTS} - {script.parent})
    for folder in (script.parent, ROOT / "model", ROOT, *siblings):
        for file in (folder / f"{path}.py", folder / path / "__init__.py"):
            if file.is_file():
                return file
    return None


@cache
def names_in(file: Path) -> frozenset[str]:
    """The names that a module binds, also those that it loads when they are asked for."""
    return frozenset(_bound(ast.parse(file.read_text("utf-8"))))


def modules_in(file: Path) -> set[str]:
    """The modules of a package."""
    if file.name != "__init__.py":
        return set()
    return {path.stem for path in file.parent.iterdir()}


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (name.asname or name.name for name in node.names)

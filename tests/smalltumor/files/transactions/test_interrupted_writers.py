"""Ctrl-C at any line of writing files leaves all old or all new ones, and no hidden file."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import smalltumor.files
from smalltumor.files.atomic import write_text
from smalltumor.files.transactions.replacement import write_together

FILES = str(Path(smalltumor.files.__file__).parent)
NAMES = ("one/mask.nii", "two/table.csv", "one/page.html")
OBSOLETE = "two/figure.png"


def write_all(root: Path, overwrite: bool) -> None:
    """Files in two folders, which have journals."""
    contents = {root / name: lambda path: path.write_text("new") for name in NAMES}
    write_together(contents, [root / OBSOLETE], overwrite=overwrite)


def write_two(root: Path, overwrite: bool) -> None:
    """Files together in one folder."""
    contents = {root / f"one/{n}.txt": lambda path: path.write_text("new") for n in "ab"}
    write_together(contents, overwrite=overwrite)


def write_one(root: Path, overwrite: bool) -> None:
    """One file, which has no journal."""
    write_text(root / "one/mask.nii", "new", overwrite=overwrite)


@contextmanager
def interrupted_at(line: int) -> Iterator[None]:
    """Ctrl-C before a line of the package `files`, counted as they are executed."""
    lines = itertools.count()

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(FILES):
            return None
        if event == "line" and next(lines) == line:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(earlier)


def contents_of(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): p.read_text() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("has_earlier", "overwrite"), [(True, True), (False, True), (False, False)]
)
@pytest.mark.parametrize("write", [write_all, write_two, write_one])
def test_all_files_are_old_or_all_are_new(
    tmp_path, write: Callable[[Path, bool], None], has_earlier, overwrite
):
    states = []
    for line in itertools.count():
        root = tmp_path / str(line)
        for name in (*NAMES, OBSOLETE):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            if has_earlier:
                (root / name).write_text("old")
        before = contents_of(root)
        try:
            with interrupted_at(line):
                write(root, overwrite)
        except KeyboardInterrupt:
            states.append(contents_of(root))
        else:
            after = contents_of(root)
            break
    assert [state for state in states if state not in (before, after)] == []
    assert before in states and after in states

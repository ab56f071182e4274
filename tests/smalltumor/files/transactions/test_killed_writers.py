"""A kill at any step of writing files together leaves all old or all new ones, in all folders."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

import pytest
from smalltumor.errors import SmalltumorWarning
from smalltumor.files.transactions.recovery import recover_interrupted_writes

NAMES = ("one/mask.nii", "two/table.csv", "one/page.html", "two/row.json")
OBSOLETE = "two/figure.png"
FOLDERS = ("one", "two")

WRITER = """
import os, shutil, sys
from itertools import count
from pathlib import Path
from smalltumor.files.transactions.replacement import write_together

root, copies = Path(sys.argv[1]), Path(sys.argv[2])
*names, obsolete = sys.argv[3:]
steps, copying, links = count(100), [], {}

def copy(source, target):
    status = os.stat(source)
    if (first := links.setdefault(status.st_ino, target)) != target:
        os.link(first, target)
    else:
        shutil.copy2(source, target)

def copy_before_each(event, arguments):
    if copying or not event.startswith(("open", "os.")):
        return
    if any(str(root) in str(argument) for argument in arguments):
        copying.append(True)
        links.clear()
        shutil.copytree(root, copies / str(next(steps)), copy_function=copy)
        copying.clear()

sys.addaudithook(copy_before_each)
write_together(
    {root / name: lambda path: path.write_text("new") for name in names},
    [root / obsolete],
    overwrite=True,
)
"""


def visible(root: Path) -> dict[str, str]:
    paths = (p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {path.relative_to(root).as_posix(): path.read_text() for path in paths}


def left_aside(root: Path) -> list[str]:
    """Hidden files but for temporary ones, which hold nothing that was there before."""
    return [p.name for p in root.rglob(".*") if ".part" not in p.suffixes]


def undone(root: Path, folders: Iterable[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmalltumorWarning)
        for folder in folders:
            recover_interrupted_writes(root / folder)


def states(root: Path, *, has_earlier: bool) -> list[Path]:
    """The folders as a kill before each file operation of a process leaves them."""
    before, copies = root / "before", root / "copies"
    for folder in FOLDERS:
        (before / folder).mkdir(parents=True)
    for name in (*NAMES, OBSOLETE) if has_earlier else ():
        (before / name).write_text("old")
    copies.mkdir()
    words = [sys.executable, "-c", WRITER, before, copies, *NAMES, OBSOLETE]
    subprocess.run(words, check=True)
    assert visible(before) == dict.fromkeys(NAMES, "new")
    return sorted(copies.iterdir())


@pytest.fixture(scope="module", params=[True, False], ids=["replaced", "new"])
def killed(request, tmp_path_factory):
    """What was there before, and the states that kills leave."""
    found = states(tmp_path_factory.mktemp("killed"), has_earlier=request.param)
    return dict.fromkeys((*NAMES, OBSOLETE), "old") if request.param else {}, found


@pytest.mark.parametrize("seen_from", [("one",), ("two",), ("two", "one")], ids="+".join)
def test_all_files_of_both_folders_are_old_or_new(killed, tmp_path, seen_from):
    old, found = killed
    new, outcomes = dict.fromkeys(NAMES, "new"), []
    for state in found:
        root = tmp_path / state.name
        shutil.copytree(state, root)
        mixed = visible(root) not in (old, new)
        undone(root, seen_from)
        assert visible(root) in (old, new), state.name
        if mixed or len(seen_from) == len(FOLDERS):
            assert not left_aside(root), state.name
        outcomes.append((mixed, visible(root) == new))
    assert any(mixed for mixed, _ in outcomes)
    assert {is_new for _, is_new in outcomes} == {True, False}


def test_a_kill_while_files_are_put_back_loses_none(killed, tmp_path):
    old, found = killed
    state = next(each for each in found if visible(each) not in (old, dict.fromkeys(NAMES, "new")))
    root, copies = tmp_path / "root", tmp_path / "copies"
    shutil.copytree(state, root)
    copies.mkdir()
    program = WRITER.partition("sys.addaudithook")[0] + (
        "from smalltumor.files.transactions.recovery import recover_interrupted_writes\n"
        "sys.addaudithook(copy_before_each)\n"
        "recover_interrupted_writes(root / 'one')\n"
    )
    words = [sys.executable, "-W", "ignore", "-c", program, root, copies, "unused"]
    subprocess.run(words, check=True)
    assert visible(root) == old and not left_aside(root)
    again = sorted(copies.iterdir())
    assert len(again) > len(NAMES)
    for each in again:
        undone(each, FOLDERS)
        assert visible(each) == old and not left_aside(each), each.name

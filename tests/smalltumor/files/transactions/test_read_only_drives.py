"""What a killed process of another computer has left on a drive that is read-only here."""

from __future__ import annotations

import errno
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from smalltumor.errors import SmalltumorWarning
from smalltumor.files.transactions.recovery import recover_interrupted_writes

KEPT = ".smalltumor-1.kept"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which another computer has hidden a file, and was killed two hours ago."""
    (tmp_path / KEPT).write_text("earlier")
    move = {"target": "a.txt", "temporary": None, "kept": KEPT, "size": 0, "time": 0}
    content = {"computer": "scanner-pc", "process": 1, "written": 0, "others": [], "moves": [move]}
    path = tmp_path / ".smalltumor-0.moves"
    path.write_text(json.dumps(content))
    set_age(path, 7200)
    return tmp_path


def set_age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def refuse_changes(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Refuse to change what is there, and to create a file, with an error of this number."""
    create = os.open

    def refuse(path: Any, *arguments: Any, **options: Any) -> None:
        Path(path).stat()  # what is not there is said to be absent
        raise OSError(number, os.strerror(number), os.fspath(path))

    def refuse_to_create(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number), os.fspath(path))
        return create(path, flags, *arguments, **options)

    for name in ("rename", "replace", "unlink", "link", "utime"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(os, "open", refuse_to_create)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_file_that_is_hidden_on_a_read_only_drive_is_told_of_once(folder, monkeypatch, number):
    refuse_changes(monkeypatch, number)
    with pytest.warns(SmalltumorWarning, match="a.txt could not be restored .* is "):
        recover_interrupted_writes(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recover_interrupted_writes(folder)
    assert (folder / KEPT).exists()


def test_a_move_that_another_computer_has_just_begun_is_told_of_on_a_read_only_drive(
    folder, monkeypatch
):
    set_age(folder / ".smalltumor-0.moves", 60)
    refuse_changes(monkeypatch, errno.EROFS)
    with pytest.warns(SmalltumorWarning, match="^scanner-pc was replacing files"):
        recover_interrupted_writes(folder)


def test_nothing_is_put_back_by_the_clock_of_this_computer_where_files_can_be_moved(
    folder, monkeypatch
):
    with monkeypatch.context() as full:
        full.setattr(os, "open", _no_space)
        recover_interrupted_writes(folder)
    assert (folder / KEPT).exists()


def _no_space(path: Any, *arguments: Any, **options: Any) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))


def test_a_look_asks_the_drive_for_its_time_once(folder, monkeypatch):
    set_age(folder / ".smalltumor-0.moves", 60)
    asked = []
    touch = Path.touch
    monkeypatch.setattr(Path, "touch", lambda self: [asked.append(self), touch(self)])
    with pytest.warns(SmalltumorWarning, match="was replacing files"):
        recover_interrupted_writes(folder)
    assert len(asked) == 1

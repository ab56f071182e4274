"""A drive that fails while files are moved: all are old or new ones, and the error says so."""

from __future__ import annotations

import errno
import os
import warnings
from pathlib import Path

import pytest
from smalltumor.errors import OutputError, SmalltumorWarning
from smalltumor.files.transactions import journal
from smalltumor.files.transactions.recovery import recover_interrupted_writes
from smalltumor.files.transactions.replacement import write_together

NAMES = ("one/a.txt", "two/b.txt")


def replace(folder: Path) -> str:
    """What the files hold after they were replaced, as the caller is told."""
    contents = {folder / name: lambda path: path.write_text("new") for name in NAMES}
    try:
        write_together(contents, overwrite=True)
    except OutputError:
        return "before"
    return "new"


@pytest.mark.parametrize("fails_once", [True, False], ids=["once", "from then on"])
def test_whatever_look_at_a_journal_fails_the_files_are_those_that_the_caller_is_told(
    tmp_path, monkeypatch, fails_once
):
    looks, told, exists = 0, [], journal.exists

    def fail(path):
        nonlocal looks
        looks += 1
        if looks == failing or (looks > failing and not fails_once):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return exists(path)

    failing = 0
    while looks >= failing:
        failing, looks = failing + 1, 0
        for name in NAMES:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("before")
        with monkeypatch.context() as drive:
            drive.setattr(journal, "exists", fail)
            told.append(replace(tmp_path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SmalltumorWarning)
            recover_interrupted_writes(tmp_path / "one")
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        found = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in files}
        assert found == dict.fromkeys(NAMES, told[-1]), failing
    assert set(told) == {"before", "new"}

"""Files that cannot be reached are not absent, with the `Path` of every version of Python."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from smalltumor.data.volumes.volume_files import read_volume_file
from smalltumor.errors import CaseError, OutputError
from smalltumor.files.atomic import check_output, check_output_folder
from smalltumor.files.existence import exists, is_file, is_folder

TOO_LONG = "n" * 300


@pytest.fixture(autouse=True)
def path_of_python_3_14(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `Path` answer no instead of raising an error, as since Python 3.14."""
    later = {"exists": os.path.exists, "is_file": os.path.isfile, "is_dir": os.path.isdir}
    for name, function in later.items():
        monkeypatch.setattr(Path, name, lambda self, function=function, **options: function(self))


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there, on a drive that fails."""
    path, stat = tmp_path / "unreachable.nii.gz", os.stat
    path.write_bytes(b"content")

    def fail(asked: Any, **options: Any) -> os.stat_result:
        if not isinstance(asked, int) and os.fspath(asked) == os.fspath(path):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return stat(asked, **options)

    monkeypatch.setattr(os, "stat", fail)
    return path


def test_the_kind_of_what_is_there(tmp_path: Path) -> None:
    file, folder, loop = tmp_path / "file", tmp_path / "folder", tmp_path / "loop"
    file.touch()
    folder.mkdir()
    loop.symlink_to(loop)
    assert [exists(p) for p in (file, folder, loop, tmp_path / "none")] == [
        True,
        True,
        False,
        False,
    ]
    assert (is_file(file), is_file(folder), is_folder(file), is_folder(folder)) == (1, 0, 0, 1)
    assert not exists(file / "below a file")
    assert not exists(tmp_path / "nul\0l")


@pytest.mark.parametrize("ask", [exists, is_file, is_folder])
def test_what_cannot_be_told_is_an_error(
    ask: Callable[[Path], bool], tmp_path: Path, unreachable: Path
) -> None:
    with pytest.raises(OSError, match="too long"):
        ask(tmp_path / TOO_LONG)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        ask(unreachable)


@pytest.mark.parametrize("check", [check_output, check_output_folder])
def test_an_output_with_a_name_that_is_too_long_is_refused_before_the_work(
    check: Callable[[Path], None], tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="too long"):
        check(tmp_path / TOO_LONG)


def test_an_image_on_a_drive_that_fails_is_not_said_to_be_absent(unreachable: Path) -> None:
    with pytest.raises(CaseError, match="cannot be read"):
        read_volume_file(unreachable)

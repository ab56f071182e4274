"""Files that cannot be reached are not absent, with the `Path` of every version of Python."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from failing_drives import let_drive_fail, use_path_of_python_3_14
from smalltumor.data.volumes.volume_files import read_volume
from smalltumor.errors import CaseError, OutputError, SmalltumorWarning
from smalltumor.files.atomic import check_output, check_output_folder
from smalltumor.files.existence import exists, is_file, is_folder
from smalltumor.files.new_folders import new_folders
from smalltumor.files.transactions.recovery import recover_interrupted_writes
from smalltumor.scanner.prepared.lock import locked_preparation

TOO_LONG = "n" * 300


@pytest.fixture(autouse=True)
def path_of_python_3_14(monkeypatch: pytest.MonkeyPatch) -> None:
    use_path_of_python_3_14(monkeypatch)


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there, on a drive that fails."""
    path = tmp_path / "unreachable.nii.gz"
    path.write_bytes(b"content")
    let_drive_fail(monkeypatch, path)
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


class FileOfWindows(type(Path())):
    """A file of which Windows gives an error, as Python raises it there."""

    number = errno.ENOENT
    code = 2

    def stat(self, **_: object) -> os.stat_result:
        error = OSError(self.number, "an error of Windows", str(self))
        error.winerror = self.code
        raise error


@pytest.mark.parametrize(
    ("number", "code"),
    [
        *((errno.ENOENT, code) for code in (15, 53, 67, 206)),
        (errno.EBADF, 6),
        (errno.EACCES, 21),
    ],
)
def test_a_share_or_drive_of_windows_that_is_gone_is_an_error(number: int, code: int) -> None:
    path = FileOfWindows("mask.nii.gz")
    path.number, path.code = number, code
    with pytest.raises(OSError, match="of Windows"):
        exists(path)


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOENT, 2), (errno.ENOENT, 3), (errno.EINVAL, 123), (errno.EINVAL, 267)],
)
def test_what_windows_cannot_find_is_absent(number: int, code: int) -> None:
    path = FileOfWindows("mask.nii.gz")
    path.number, path.code = number, code
    assert not exists(path)


@pytest.mark.parametrize("check", [check_output, check_output_folder])
def test_an_output_with_a_name_that_is_too_long_is_refused_before_the_work(
    check: Callable[[Path], None], tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="too long"):
        check(tmp_path / TOO_LONG)


def test_an_image_on_a_drive_that_fails_is_not_said_to_be_absent(unreachable: Path) -> None:
    with pytest.raises(CaseError, match="cannot be read"):
        read_volume(unreachable)


def journal_of_killed_writer(folder: Path, **names: str) -> None:
    """Write a journal of one move, so old that its writer has ended."""
    move = {"target": "a.txt", "temporary": None, "kept": None, "size": 0, "time": 0, **names}
    content = {"computer": "elsewhere", "process": 1, "written": 0, "others": [], "moves": [move]}
    path = folder / ".smalltumor-0.moves"
    path.write_text(json.dumps(content))
    os.utime(path, (0, 0))


def test_an_earlier_file_that_cannot_be_reached_is_put_back_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / ".smalltumor-1.kept"
    kept.write_text("earlier")
    journal_of_killed_writer(tmp_path, kept=kept.name)
    with monkeypatch.context() as drive:
        let_drive_fail(drive, kept)
        with pytest.warns(SmalltumorWarning, match="could not be restored"):
            recover_interrupted_writes(tmp_path)
    with pytest.warns(SmalltumorWarning, match="put back in"):
        recover_interrupted_writes(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "earlier"}


def test_an_earlier_file_replaces_none_that_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"a.txt": "saved since", "a.txt.before": "older", ".smalltumor-1.kept": "earlier"}
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    journal_of_killed_writer(tmp_path, kept=".smalltumor-1.kept")
    with (
        monkeypatch.context() as drive,
        pytest.warns(SmalltumorWarning, match="could not be restored"),
    ):
        let_drive_fail(drive, tmp_path / "a.txt.before")
        recover_interrupted_writes(tmp_path)
    assert {name: (tmp_path / name).read_text() for name in contents} == contents


@pytest.mark.parametrize("create", [new_folders, locked_preparation])
def test_a_folder_that_cannot_be_reached_is_none_of_the_new_ones(
    create: Callable[[Path], AbstractContextManager[None]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    let_drive_fail(monkeypatch, folder)
    with pytest.raises(OutputError, match="no space"), create(folder / "new"):
        raise OutputError("no space")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    with pytest.raises(OutputError, match="too long"), create(tmp_path / TOO_LONG):
        pass

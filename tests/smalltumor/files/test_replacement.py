"""Files that belong together are all written, or all as before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from platform import node

import pytest
from smalltumor.errors import OutputError
from smalltumor.files import replacement
from smalltumor.files.atomic import remove_temporary_files
from smalltumor.files.replacement import write_together
from smalltumor.files.unfinished_moves import undo_unfinished_moves

NAMES = ("a.txt", "b.txt", "c.txt")


def contents_of(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def writers(folder: Path, text: str, failing: int | None = None):
    """Functions that write the files; one of them fails."""

    def write(number: int, path: Path) -> None:
        if number == failing:
            path.write_text("half")
            raise OutputError(f"{path} could not be written: No space left on device")
        path.write_text(text)

    return {
        folder / name: (lambda path, n=number: write(n, path)) for number, name in enumerate(NAMES)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two of the three files, and an older one."""
    for name in ("a.txt", "b.txt", "older.txt"):
        (tmp_path / name).write_text("before")
    return tmp_path


def test_all_files_are_replaced_and_obsolete_ones_removed(folder):
    written = write_together(writers(folder, "new"), [folder / "older.txt"], overwrite=True)
    assert written == [folder / name for name in NAMES]
    assert contents_of(folder) == dict.fromkeys(NAMES, "new")


@pytest.mark.parametrize("failing", range(len(NAMES)))
def test_after_an_error_all_are_as_before_and_the_message_names_the_file(folder, failing):
    before = contents_of(folder)
    with pytest.raises(OutputError) as failed:
        write_together(writers(folder, "new", failing), [folder / "older.txt"], overwrite=True)
    assert str(failed.value) == f"{folder / NAMES[failing]} could not be written: " + (
        "No space left on device"
    )
    assert contents_of(folder) == before


@pytest.mark.parametrize("failing", range(5))
def test_after_an_error_while_files_are_moved_all_are_as_before(folder, monkeypatch, failing):
    before, moves, replace = contents_of(folder), [], Path.replace

    def fail(path, target):
        moves.append(path)
        if len(moves) == failing + 1:
            raise OSError(13, "Permission denied", str(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="could not be replaced: Permission denied"):
        write_together(writers(folder, "new"), [folder / "older.txt"], overwrite=True)
    assert contents_of(folder) == before


def test_what_cannot_be_put_back_is_named_and_the_others_are_put_back(folder, monkeypatch):
    replace, moves = Path.replace, []

    def fail(path, target):
        moves.append(path)
        if len(moves) in (3, 4):  # the first new file, then the first that is put back
            raise OSError(13, "Permission denied", str(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match=r"a\.txt could not be replaced: .*b\.txt is ") as error:
        write_together(writers(folder, "new"), overwrite=True)
    assert (folder / "a.txt").read_text() == "before"
    (kept,) = folder.glob(".smalltumor-*.kept")
    assert kept.name in str(error.value) and kept.read_text() == "before"
    monkeypatch.undo()
    undo_unfinished_moves(folder)
    assert not list(folder.glob(".smalltumor-*"))
    assert (folder / "b.txt").read_text() == "before"


def test_a_file_that_was_set_aside_outlives_the_next_clean_up(tmp_path, monkeypatch):
    path, replace = tmp_path / "scan.part1.nii.gz", Path.replace
    path.write_text("before")

    def interrupt(*args: object) -> None:
        monkeypatch.setattr(Path, "replace", unwritable)
        raise KeyboardInterrupt

    def unwritable(path, target):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(replacement, "move_into_place", interrupt)
    with pytest.raises(KeyboardInterrupt) as raised:
        write_together({path: lambda to: to.write_text("new")}, overwrite=True)
    monkeypatch.setattr(Path, "replace", replace)
    (kept,) = tmp_path.glob("*.kept")
    assert raised.value.__notes__ == [f"{path} is {kept.name} now"]
    remove_temporary_files(tmp_path)
    assert kept.read_text() == "before"


def test_an_interruption_stays_one_if_all_is_put_back(folder, monkeypatch):
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    before = contents_of(folder)
    monkeypatch.setattr(replacement, "move_into_place", interrupt)
    with pytest.raises(KeyboardInterrupt) as raised:
        write_together(writers(folder, "new"), overwrite=True)
    assert not hasattr(raised.value, "__notes__") and contents_of(folder) == before


@pytest.mark.parametrize("name", ["a" * 230, "症" * 80, f"a.{'b' * 230}"])
def test_names_may_be_as_long_as_those_of_single_files(tmp_path, name):
    path = tmp_path / f"{name}.nii.gz"
    for text in ("one", "two"):
        write_together({path: lambda to, text=text: to.write_text(text)}, overwrite=True)
    assert path.read_text() == "two" and len(list(tmp_path.iterdir())) == 1


def test_a_file_that_another_process_creates_is_not_replaced(tmp_path):
    def write(path):
        path.write_text("new")
        (tmp_path / "a.txt").write_text("of another")

    with pytest.raises(OutputError, match="created meanwhile"):
        write_together({tmp_path / "a.txt": write})
    assert (tmp_path / "a.txt").read_text() == "of another"


def test_existing_files_are_kept_unless_they_may_be_replaced(folder):
    before = contents_of(folder)
    with pytest.raises(OutputError, match="is not replaced"):
        write_together(writers(folder, "new"))
    assert contents_of(folder) == before


def test_a_check_aborts_before_anything_is_moved(folder):
    before, calls = contents_of(folder), []

    def check():
        calls.append(1)
        if len(calls) == len(NAMES) + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_together(writers(folder, "new"), overwrite=True, check=check)
    assert contents_of(folder) == before


def test_the_file_that_a_link_names_is_replaced(folder):
    (folder / "real").mkdir()
    (folder / "c.txt").symlink_to(folder / "real" / "c.txt")
    (folder / "real" / "c.txt").write_text("before")
    write_together(writers(folder, "new"), overwrite=True)
    assert (folder / "c.txt").is_symlink()
    assert (folder / "real" / "c.txt").read_text() == "new"


KILLED = """
import os, sys
from pathlib import Path
from smalltumor.files.replacement import write_together

folder, number = Path(sys.argv[1]), int(sys.argv[2])
moves = [0]

def kill_at(event, arguments):
    if event == "os.rename" and any(".kept" in str(a) or ".part" in str(a) for a in arguments):
        moves[0] += 1
        if moves[0] == number:
            os.kill(os.getpid(), 9)
    if event == "os.remove" and ".kept" in str(arguments[0]) and number == 0:
        os.kill(os.getpid(), 9)

sys.addaudithook(kill_at)
names = ("a.txt", "b.txt", "c.txt")
write_together(
    {folder / name: lambda path: path.write_text("new") for name in names},
    [folder / "older.txt"],
    overwrite=True,
)
"""


def killed_while_moving(folder: Path, number: int) -> int:
    """Kill a process before its move of this number, or 0: before it removes an earlier file."""
    return subprocess.run([sys.executable, "-c", KILLED, str(folder), str(number)]).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("number", range(1, 8))
def test_what_a_killed_process_was_moving_is_put_back(folder, number):
    before = contents_of(folder)
    assert killed_while_moving(folder, number) == -9
    undo_unfinished_moves(folder)
    found = contents_of(folder)
    assert {name: text for name, text in found.items() if ".part" not in name} == before
    write_together(writers(folder, "new"), [folder / "older.txt"], overwrite=True)
    assert not list(folder.glob(".smalltumor-*.kept"))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_if_all_had_been_moved_the_earlier_files_are_removed(folder):
    assert killed_while_moving(folder, 0) == -9
    assert list(folder.glob(".smalltumor-*.kept"))
    undo_unfinished_moves(folder)
    assert contents_of(folder) == dict.fromkeys(NAMES, "new")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_file_that_was_saved_since_stays_and_the_earlier_one_is_beside_it(folder):
    assert killed_while_moving(folder, 5) == -9
    (folder / "b.txt").write_text("of somebody else")
    undo_unfinished_moves(folder)
    assert (folder / "b.txt").read_text() == "of somebody else"
    assert (folder / "b.txt.before").read_text() == "before"
    assert (folder / "a.txt").read_text() == "before"
    assert not (folder / "c.txt").exists()


@pytest.mark.parametrize("number", range(1, 7))
def test_an_interruption_right_after_a_move_leaves_all_as_before(folder, monkeypatch, number):
    before, count = contents_of(folder), iter(range(1, 100))

    def interrupted(move):
        def call(*arguments):
            result = move(*arguments)
            if next(count) == number:
                raise KeyboardInterrupt
            return result

        return call

    monkeypatch.setattr(Path, "replace", interrupted(Path.replace))
    monkeypatch.setattr(Path, "hardlink_to", interrupted(Path.hardlink_to))
    with pytest.raises(KeyboardInterrupt):
        write_together(writers(folder, "new"), [folder / "older.txt"], overwrite=True)
    assert contents_of(folder) == before


def test_a_list_of_another_computer_is_left_until_it_is_old(folder):
    (folder / ".smalltumor-1.kept").write_text("earlier")
    moves = [{"target": "d.txt", "temporary": "", "kept": ".smalltumor-1.kept"}]
    path = folder / ".smalltumor-0.moves"
    path.write_text(json.dumps({"host": "elsewhere", "moves": moves}))
    undo_unfinished_moves(folder)
    assert path.exists() and not (folder / "d.txt").exists()
    os.utime(path, (0, 0))
    undo_unfinished_moves(folder)
    assert not path.exists() and (folder / "d.txt").read_text() == "earlier"


def test_what_another_process_is_moving_is_left_alone(folder, monkeypatch):
    seen = []

    def look(*arguments):
        undo_unfinished_moves(folder)
        seen.append(sorted(path.suffix for path in folder.glob(".smalltumor-*")))
        return move(*arguments)

    move = replacement.move_into_place
    monkeypatch.setattr(replacement, "move_into_place", look)
    write_together(writers(folder, "new"), overwrite=True)
    assert seen[0].count(".kept") == 2 and ".moves" in seen[0]
    assert contents_of(folder) == {**dict.fromkeys(NAMES, "new"), "older.txt": "before"}


@pytest.mark.parametrize("names", [{"temporary": "b.txt"}, {"kept": "b.txt"}])
def test_a_list_that_came_with_somebodys_data_removes_none_of_their_files(folder, names):
    before = contents_of(folder)
    moves = [{"target": "c.txt", "temporary": "", "kept": "", **names}]
    (folder / ".smalltumor-0.moves").write_text(json.dumps({"host": node(), "moves": moves}))
    undo_unfinished_moves(folder)
    (folder / ".smalltumor-0.moves").unlink()
    assert contents_of(folder) == before


def test_a_list_that_came_with_somebodys_data_touches_no_other_folder(folder):
    (folder / "data").mkdir()
    moves = [{"target": "a.nii", "temporary": "../a.txt", "kept": ""}]
    (folder / "data" / ".smalltumor-0.moves").write_text(
        json.dumps({"host": node(), "moves": moves})
    )
    undo_unfinished_moves(folder / "data")
    assert (folder / "a.txt").read_text() == "before"


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", "[" * 5000, '{"host": 1, "moves": [1]}', '[{"target": 1}]', "null"]
)
def test_a_damaged_list_of_moves_is_no_error(folder, content):
    (folder / ".smalltumor-0.moves").write_text(content)
    undo_unfinished_moves(folder)
    write_together(writers(folder, "new"), overwrite=True)
    assert (folder / "a.txt").read_text() == "new"

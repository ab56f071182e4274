"""What a killed process was moving is put back by whoever looks into the folder next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import psutil
import pytest
from smalltumor.errors import OutputError, SmalltumorWarning
from smalltumor.files.listings import FolderListings, entries, walk, walk_once
from smalltumor.files.transactions import moves, recovery
from smalltumor.files.transactions.recovery import (
    check_outputs,
    existing,
    recover_interrupted_writes,
)
from smalltumor.files.transactions.replacement import write_together
from smalltumor.files.writers import this_computer

NAMES = ("a.txt", "b.txt", "c.txt")
OLD = {"a.txt": "before", "b.txt": "before", "older.txt": "before"}

HALF = "a\ud800"
"""A name with half a character, which JSON can hold and only Windows has."""

KILLED = """
import os, sys
from pathlib import Path
from smalltumor.files.transactions.replacement import write_together

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


def contents_of(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def replace(folder: Path) -> None:
    contents = {folder / name: lambda path: path.write_text("new") for name in NAMES}
    write_together(contents, [folder / "older.txt"], overwrite=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two of the three files, and an older one."""
    for name, text in OLD.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def write_journal(
    folder: Path, *, computer: str = "", process: int | None = None, **names: str
) -> Path:
    """A journal with one move, by default of a file to be put back as `d.txt`.

    Without the number of its writer, it is so old that this one has ended.
    """
    move = {
        "target": "d.txt",
        "temporary": None,
        "kept": ".smalltumor-1.kept",
        "size": 0,
        "time": 0,
    }
    content = {
        "computer": computer or this_computer(),
        "process": process or 0,
        "written": time.time(),
        "others": [],
        "moves": [{**move, **names}],
    }
    path = folder / ".smalltumor-0.moves"
    path.write_text(json.dumps(content))
    if process is None:
        os.utime(path, (0, 0))
    return path


no_sigkill = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")


@no_sigkill
@pytest.mark.parametrize("number", [2, 4, 7])
def test_what_a_killed_process_was_moving_is_put_back(folder, number):
    assert killed_while_moving(folder, number) == -9
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        recover_interrupted_writes(folder)
    assert len(said) == (number > 2)  # nothing had been moved
    assert contents_of(folder) == OLD
    replace(folder)
    assert contents_of(folder) == dict.fromkeys(NAMES, "new")


@no_sigkill
@pytest.mark.filterwarnings("error")
def test_if_all_had_been_moved_the_earlier_files_are_removed_and_nothing_is_said(folder):
    assert killed_while_moving(folder, 0) == -9
    assert list(folder.glob(".smalltumor-*.kept"))
    (folder / "b.txt").write_text("saved since")
    recover_interrupted_writes(folder)
    assert contents_of(folder) == {**dict.fromkeys(NAMES, "new"), "b.txt": "saved since"}


@no_sigkill
def test_a_file_that_was_saved_since_stays_and_the_earlier_one_is_beside_it(folder):
    assert killed_while_moving(folder, 6) == -9
    (folder / "b.txt").write_text("of somebody else")
    with pytest.warns(SmalltumorWarning) as said:
        recover_interrupted_writes(folder)
    assert contents_of(folder) == {**OLD, "b.txt": "of somebody else", "b.txt.before": "before"}
    assert [str(each.message) for each in said] == [
        f"a command was killed while it replaced files; put back in {folder}: a.txt, older.txt; "
        f"{folder / 'b.txt'} was saved since, so the one before the command is b.txt.before"
    ]


LOOKS = {
    "entries": lambda folder: [path.name for path in entries(folder)],
    "walk": lambda folder: next(iter(walk(folder)))[2],
    "walk_once": lambda folder: next(iter(walk_once(folder)))[2],
    "is_file": lambda folder: [name for name in OLD if FolderListings().is_file(folder / name)],
    "existing": lambda folder: [path.name for path in existing(folder / name for name in OLD)],
}


@no_sigkill
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_whoever_looks_into_a_folder_finds_what_was_there(folder, look):
    assert killed_while_moving(folder, 5) == -9
    with pytest.warns(SmalltumorWarning, match="put back"):
        assert sorted(look(folder)) == sorted(OLD)


def test_a_journal_of_another_computer_is_left_until_it_is_old(folder):
    (folder / ".smalltumor-1.kept").write_text("earlier")
    path = write_journal(folder, computer="elsewhere", process=1)
    recover_interrupted_writes(folder)
    assert path.exists() and not (folder / "d.txt").exists()
    os.utime(path, (0, 0))
    with pytest.warns(SmalltumorWarning, match=r"put back in .*: d\.txt"):
        recover_interrupted_writes(folder)
    assert not path.exists() and (folder / "d.txt").read_text() == "earlier"


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_files_that_another_computer_hides_are_told_of_once(folder):
    (folder / ".smalltumor-1.kept").write_text("earlier")
    path = write_journal(folder, computer="scanner-pc pid:[1]", process=1)
    age(path, 60)
    with pytest.warns(SmalltumorWarning, match=r"^scanner-pc was replacing files in .*ten minutes"):
        recover_interrupted_writes(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recover_interrupted_writes(folder)
    assert path.exists() and not (folder / "d.txt").exists()
    assert sorted(folder.glob(".smalltumor-*.part")) == []


def test_the_age_of_a_journal_is_that_on_the_clock_of_its_drive(folder, monkeypatch):
    (folder / ".smalltumor-1.kept").write_text("earlier")
    path = write_journal(folder, computer="elsewhere", process=1)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)  # as if this clock were wrong
    recover_interrupted_writes(folder)
    assert path.exists()


def test_a_journal_whose_writer_runs_on_this_computer_is_left_however_old_it_is(folder):
    (folder / ".smalltumor-1.kept").write_text("earlier")
    path = write_journal(folder, process=os.getpid())
    age(path, 7200)
    recover_interrupted_writes(folder)
    assert path.exists() and not (folder / "d.txt").exists()


@pytest.mark.filterwarnings("ignore::smalltumor.errors.SmalltumorWarning")
@pytest.mark.parametrize("began", ["before", "after"])
def test_a_process_that_has_the_number_of_the_writer_is_not_taken_for_it(folder, began):
    (folder / ".smalltumor-1.kept").write_text("earlier")
    path = write_journal(folder, process=os.getppid())
    if began == "after":
        content = json.loads(path.read_text())
        content["written"] = psutil.Process(os.getppid()).create_time() - 60
        path.write_text(json.dumps(content))
    recover_interrupted_writes(folder)
    assert (folder / "d.txt").exists() == (began == "after")


def test_what_another_process_is_moving_is_left_alone(folder, monkeypatch):
    seen = []

    def look(*arguments, **more):
        code = "import sys; from pathlib import Path; "
        code += "from smalltumor.files.transactions.recovery import *; "
        code += "recover_interrupted_writes(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, folder], check=True)
        recover_interrupted_writes(folder)
        seen.append(sorted(path.suffix for path in folder.glob(".smalltumor-*")))
        return move(*arguments, **more)

    move = moves.place
    monkeypatch.setattr(moves, "place", look)
    contents = {folder / name: lambda path: path.write_text("new") for name in ("a.txt", "b.txt")}
    write_together(contents, overwrite=True)
    assert seen[0].count(".kept") == 2 and ".moves" in seen[0]
    assert contents_of(folder) == {"a.txt": "new", "b.txt": "new", "older.txt": "before"}


def test_a_process_whose_files_another_one_has_put_back_says_so(folder, monkeypatch):
    def undo(*arguments, **more):
        for path in folder.glob("*.moves"):
            os.utime(path, (0, 0))
        recover_interrupted_writes(folder)

    monkeypatch.setattr(moves, "place", undo)
    with pytest.warns(SmalltumorWarning), pytest.raises(OutputError, match="put back"):
        replace(folder)
    assert contents_of(folder) == OLD


@pytest.mark.parametrize("number", [1, 2])
def test_a_process_that_was_stopped_meanwhile_does_not_mix_old_and_new_files(
    folder, monkeypatch, number
):
    placed = []

    def place_and_sleep(*arguments, **more):
        place(*arguments, **more)
        placed.append(arguments)
        if len(placed) == number:  # another process takes this one for killed
            for path in folder.glob("*.moves"):
                os.utime(path, (0, 0))
            recover_interrupted_writes(folder)

    place = moves.place
    monkeypatch.setattr(moves, "place", place_and_sleep)
    with pytest.warns(SmalltumorWarning), pytest.raises(OutputError, match="put back"):
        replace(folder)
    assert len(placed) == number
    assert contents_of(folder) == OLD


def test_a_process_that_was_stopped_before_it_hides_a_file_hides_none_afterwards(
    folder, monkeypatch
):
    def sleep_and_hide(*arguments):
        hidden.append(arguments)
        result = hide(*arguments)
        if len(hidden) == 1:
            for path in folder.glob("*.moves"):
                os.utime(path, (0, 0))
            recover_interrupted_writes(folder)
        return result

    hide, hidden = moves._replace, []
    monkeypatch.setattr(moves, "_replace", sleep_and_hide)
    with pytest.warns(SmalltumorWarning), pytest.raises(OutputError, match="put back"):
        replace(folder)
    assert contents_of(folder) == OLD


@pytest.mark.parametrize("names", [{"temporary": "b.txt"}, {"kept": "b.txt"}])
def test_a_journal_that_came_with_somebodys_data_removes_none_of_their_files(folder, names):
    path = write_journal(folder, target="c.txt", **names)
    recover_interrupted_writes(folder)
    path.unlink()
    assert contents_of(folder) == OLD


@pytest.mark.parametrize("key", ["target", "temporary", "kept"])
def test_a_journal_that_came_with_somebodys_data_touches_no_other_folder(folder, key):
    (folder / "data").mkdir()
    hidden = folder / {"temporary": ".smalltumor-1.part"}.get(key, ".smalltumor-1.kept")
    hidden.write_text("of another case")
    path = write_journal(folder / "data", **{key: f"../{hidden.name}"})
    for others in ([], [".."]):
        path.write_text(json.dumps({**json.loads(path.read_text()), "others": others}))
        os.utime(path, (0, 0))
        recover_interrupted_writes(folder / "data")
    assert contents_of_files(folder) == {**OLD, hidden.name: "of another case"}


def contents_of_files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", "[" * 5000, '{"computer": 1, "moves": [1]}', '[{"a": 1}]', "null"]
)
def test_a_damaged_journal_is_no_error(folder, content):
    (folder / ".smalltumor-0.moves").write_text(content)
    recover_interrupted_writes(folder)
    assert entries(folder)
    replace(folder)
    assert (folder / "a.txt").read_text() == "new"


@pytest.mark.parametrize(
    "changed",
    [
        {"process": 10**30},
        {"process": -1},
        {"written": "1e999"},
        {"others": ["a\0b"]},
        {"others": [HALF]},
    ],
)
def test_a_journal_with_impossible_values_is_no_error(folder, changed):
    path = write_journal(folder)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    recover_interrupted_writes(folder)


@pytest.mark.parametrize(
    "names", [{"temporary": f".smalltumor-{HALF}.part"}, {"kept": f".smalltumor-{HALF}.kept"}]
)
def test_a_journal_with_impossible_names_is_no_error(folder, names):
    write_journal(folder, **names)
    recover_interrupted_writes(folder)
    assert contents_of_files(folder).items() >= OLD.items()


@pytest.mark.parametrize("computer", ["", " "])
def test_a_journal_of_a_computer_without_a_name_is_no_error(folder, computer):
    path = write_journal(folder)
    path.write_text(json.dumps({**json.loads(path.read_text()), "computer": computer}))
    minute_ago = time.time() - 60
    os.utime(path, (minute_ago, minute_ago))
    with pytest.warns(SmalltumorWarning, match="another computer was replacing files"):
        recover_interrupted_writes(folder)


def test_a_fault_of_the_program_is_not_taken_for_a_damaged_journal(folder, monkeypatch):
    def fail(*_: object) -> None:
        raise TypeError("a name of the program")

    write_journal(folder)
    monkeypatch.setattr(recovery, "complete_or_roll_back", fail)
    with pytest.raises(TypeError):
        recover_interrupted_writes(folder)


@pytest.mark.parametrize(
    "target",
    [
        "",
        ".",
        "..",
        "a\0b",
        pytest.param(HALF, marks=pytest.mark.skipif(os.name == "nt", reason="a name on Windows")),
    ],
)
def test_a_journal_names_no_folder(folder, target):
    (folder / ".smalltumor-1.kept").write_text("earlier")
    path = write_journal(folder, target=target)
    recover_interrupted_writes(folder)
    assert contents_of(folder) == {
        **OLD,
        path.name: path.read_text(),
        ".smalltumor-1.kept": "earlier",
    }


def test_what_cannot_be_put_back_is_said_once(folder, monkeypatch):
    (folder / ".smalltumor-1.kept").write_text("earlier")
    write_journal(folder)

    def fail(*arguments, **more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(moves, "move_into_place", fail)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        recover_interrupted_writes(folder)
        recover_interrupted_writes(folder)
    (warning,) = said
    assert "its earlier version is .smalltumor-1.kept" in str(warning.message)
    monkeypatch.undo()
    with pytest.warns(SmalltumorWarning, match="put back in"):
        recover_interrupted_writes(folder)
    assert contents_of(folder) == {**OLD, "d.txt": "earlier"}


def test_a_name_that_is_too_long_is_an_error_of_the_output(folder):
    path = folder / ("n" * 300)
    assert existing([path]) == []
    with pytest.raises(OutputError):
        check_outputs([path])
    contents = {folder / "a.txt": lambda each: each.write_text("new")}
    with pytest.raises(OutputError, match="cannot be written"):
        write_together({**contents, path: contents[folder / "a.txt"]}, overwrite=True)
    with pytest.raises(OutputError, match="cannot be written"):
        write_together(contents, [path], overwrite=True)
    assert contents_of(folder) == OLD

"""Files that belong together are all written, or all as before."""

from __future__ import annotations

from pathlib import Path

import pytest
from smalltumor.errors import OutputError, SmalltumorWarning
from smalltumor.files.transactions import moves
from smalltumor.files.transactions.recovery import recover_interrupted_writes
from smalltumor.files.transactions.replacement import write_together
from smalltumor.files.transactions.temporary_files import remove_temporary_files

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


def test_an_error_after_the_last_move_is_one_of_the_output_and_all_are_as_before(
    folder, monkeypatch
):
    before, rename = contents_of(folder), Path.rename

    def fail(path, target):
        if str(target).endswith(".moved"):
            raise OSError(13, "Permission denied", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OutputError, match="could not be replaced: Permission denied"):
        write_together(writers(folder, "new"), [folder / "older.txt"], overwrite=True)
    assert contents_of(folder) == before


def test_what_cannot_be_put_back_is_named_and_the_others_are_put_back(folder, monkeypatch):
    move, moved = moves.move_into_place, []

    def fail(temporary, target, overwrite):
        moved.append(target.name)
        if len(moved) == 1 or target.name == "b.txt":
            raise OSError(13, "Permission denied", str(target))
        move(temporary, target, overwrite)

    monkeypatch.setattr(moves, "move_into_place", fail)
    with pytest.raises(OutputError, match=r"a\.txt could not be replaced: .*b\.txt is ") as error:
        write_together(writers(folder, "new"), overwrite=True)
    assert moved == ["a.txt", "a.txt", "b.txt"]
    assert (folder / "a.txt").read_text() == "before"
    (kept,) = folder.glob(".smalltumor-*.kept")
    assert kept.name in str(error.value) and kept.read_text() == "before"
    monkeypatch.undo()
    with pytest.warns(SmalltumorWarning, match=r"put back in .*: b\.txt$"):
        recover_interrupted_writes(folder)  # although this process, which moved it, still runs
    assert not list(folder.glob(".smalltumor-*"))
    assert (folder / "b.txt").read_text() == "before"


def test_a_file_that_was_set_aside_outlives_the_next_clean_up(tmp_path, monkeypatch):
    path, other = tmp_path / "scan.part1.nii.gz", tmp_path / "scan.csv"
    path.write_text("before")

    def interrupt(*args: object, **more: object) -> None:
        monkeypatch.setattr(moves, "move_into_place", unwritable)
        raise KeyboardInterrupt

    def unwritable(*args: object, **more: object) -> None:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(moves, "move_into_place", interrupt)
    contents = dict.fromkeys((path, other), lambda to: to.write_text("new"))
    with pytest.raises(KeyboardInterrupt) as raised:
        write_together(contents, overwrite=True)
    (kept,) = tmp_path.glob("*.kept")
    assert raised.value.__notes__ == [f"{path} is {kept.name} now"]
    remove_temporary_files(tmp_path)
    assert kept.read_text() == "before"


def test_an_interruption_stays_one_if_all_is_put_back(folder, monkeypatch):
    def interrupt(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    before = contents_of(folder)
    monkeypatch.setattr(moves, "place", interrupt)
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

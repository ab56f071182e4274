"""What several windows change in one file is neither lost nor brought back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from napari_cases import write_case_along
from smalltumor.data.read_case import read_case
from smalltumor.errors import OutputError

from napari_smalltumor import notify, settings
from napari_smalltumor.lesions.decisions import kept_values
from napari_smalltumor.lesions.decisions.kept_values import KeptValues

Words = tuple[str, ...]


class Windows:
    """Windows that keep words of one case in one file."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.case = read_case(write_case_along(folder / "Pat", labels=False))
        self.retries: list = []
        self.warnings: list[str] = []
        self.told: list[str] = []
        self._patch = monkeypatch
        self._write = kept_values.write_kept
        monkeypatch.setattr(kept_values, "later", lambda wait, call: self.retries.append(call))
        monkeypatch.setattr(notify, "warn", self.warnings.append)
        monkeypatch.setattr(notify, "info", self.told.append)

    def open(self) -> Window:
        return Window(self)

    def fill_disk(self, full: bool = True) -> None:
        self._patch.setattr(kept_values, "write_kept", _refuse if full else self._write)

    def retry(self) -> None:
        self.retries.pop()()


class Window:
    """One window's words."""

    def __init__(self, windows: Windows) -> None:
        self._kept: KeptValues[Words] = KeptValues(
            folder="words",
            subject="Words",
            format="smalltumor words",
            version=1,
            parse=lambda content: tuple(content["words"]),
            to_json=lambda words: {"words": list(words)},
            empty=(),
        )
        self._case = windows.case
        file = self._kept.file_of(windows.case)
        assert file is not None
        self.file = file

    @property
    def words(self) -> Words:
        return self._kept.get(self.file)

    def add(self, word: str) -> None:
        self._kept.change(self.file, self._case, lambda words: (*words, word))

    def remove(self, word: str) -> None:
        self._kept.change(self.file, self._case, lambda words: tuple(x for x in words if x != word))


def _refuse(*arguments):
    raise OutputError("No space left on device")


@pytest.fixture
def windows(tmp_path, data_folder, monkeypatch) -> Windows:
    return Windows(tmp_path, monkeypatch)


def test_a_change_of_another_window_is_seen_and_kept(windows):
    one, other = windows.open(), windows.open()
    one.add("a")
    assert other.words == ("a",)
    other.add("b")
    one.add("c")
    assert one.words == other.words == windows.open().words == ("a", "b", "c")


def test_a_change_is_seen_that_another_window_writes_in_the_same_moment(windows):
    """Neither the time of the file nor its number on the disk need tell of it."""
    one, other = windows.open(), windows.open()
    one.add("a")
    assert other.words == ("a",)
    before, content = other.file.stat(), json.loads(other.file.read_text())
    other.file.write_text(json.dumps({**content, "words": ["a", "b"]}))
    os.utime(other.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert other.words == ("a", "b")


def test_what_was_taken_back_while_the_disk_was_full_does_not_come_back(windows):
    window = windows.open()
    window.add("a")
    windows.fill_disk()
    window.remove("a")
    assert window.words == ()
    windows.fill_disk(False)
    windows.retry()
    assert window.words == windows.open().words == ()
    assert windows.told == ["Words of Pat are saved now."]


@pytest.mark.parametrize("decides_again", [True, False])
def test_changes_that_failed_are_added_to_those_of_another_window(windows, decides_again):
    one, other = windows.open(), windows.open()
    windows.fill_disk()
    one.add("a")
    windows.fill_disk(False)
    other.add("b")
    assert one.words == ("b", "a") and other.words == ("b",)
    if decides_again:
        one.add("c")
    windows.retry()
    assert windows.open().words == one.words == (("b", "a", "c") if decides_again else ("b", "a"))


def test_a_failure_is_said_once_and_tried_again_until_it_succeeds(windows):
    window = windows.open()
    windows.fill_disk()
    window.add("a")
    window.add("b")
    assert len(windows.warnings) == len(windows.retries) == 1
    assert "Words of Pat could not be saved: No space left" in windows.warnings[0]
    windows.retry()
    assert len(windows.warnings) == len(windows.retries) == 1 and not windows.told
    windows.fill_disk(False)
    windows.retry()
    assert windows.open().words == ("a", "b") and not windows.retries


def test_what_is_decided_beside_a_damaged_file_is_written_once_it_was_moved(windows, tmp_path):
    window = windows.open()
    window.file.parent.mkdir(parents=True)
    window.file.write_text("{")
    window.add("a")
    window.add("b")
    assert "move it to another folder" in windows.warnings[0] and len(windows.warnings) == 1
    assert window.file.read_text() == "{" and window.words == ("a", "b")
    window.file.rename(tmp_path / "moved.json")
    assert window.words == ("a", "b")
    windows.retry()
    assert windows.open().words == ("a", "b")


def test_a_file_that_cannot_be_read_for_a_while_is_neither_forgotten_nor_replaced(
    windows, monkeypatch
):
    window = windows.open()
    window.add("a")
    content = window.file.read_text()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", _deny)
        os.utime(window.file, (window.file.stat().st_mtime + 1,) * 2)
        assert window.words == ("a",)
        window.add("b")
        assert window.words == ("a", "b") and "cannot be read" in windows.warnings[0]
    assert window.file.read_text() == content
    windows.retry()
    assert windows.open().words == ("a", "b")


def _deny(path, *arguments, **options):
    raise PermissionError(13, "Permission denied", str(path))


def test_decisions_without_autosave_outlast_those_that_another_window_writes(windows):
    one, other = windows.open(), windows.open()
    settings.put("autosave", False)
    one.add("a")
    settings.put("autosave", True)
    other.add("b")
    assert one.words == ("b", "a") and other.words == ("b",)

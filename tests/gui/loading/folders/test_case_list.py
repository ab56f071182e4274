"""A folder of case folders becomes a list; a folder without a case is one sentence."""

from __future__ import annotations

import pytest
from napari_cases import write_case_along
from psygnal import Signal
from qtpy.QtCore import QEvent, QRect, QSize
from qtpy.QtWidgets import QApplication, QMainWindow
from smalltumor.data.naming.find_cases import find_cases

from napari_smalltumor import notify
from napari_smalltumor.closing.close_patient import close_patient
from napari_smalltumor.loading.folders import folder_of_cases
from napari_smalltumor.loading.folders.case_list import CaseList
from napari_smalltumor.loading.folders.case_opener import CaseState
from napari_smalltumor.loading.folders.folder_of_cases import offer_cases
from napari_smalltumor.loading.open_case import open_and_remember, open_case
from napari_smalltumor.loading.window_reader import get_reader
from napari_smalltumor.patients.active_patient import active_patient


@pytest.fixture
def messages(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "error", shown.append)
    return shown


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    yield viewer
    for shown in lists():
        shown.close()


@pytest.fixture
def folder(tmp_path):
    for name in ("Pat_1", "Pat_2", "Pat_3"):
        write_case_along(tmp_path / "cohort" / name, labels=False)
    return tmp_path / "cohort"


def lists() -> list[CaseList]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, CaseList) and w.isVisible()]


class Opener:
    """Knows no state of a case, and counts how often it is asked."""

    changed = Signal()

    def __init__(self) -> None:
        self.asked = 0

    def states(self, cases) -> list[CaseState]:
        self.asked += 1
        return [CaseState(False, False, "") for _ in cases]


def test_many_changes_in_one_turn_of_the_event_loop_are_marked_once(qtbot, folder):
    opener = Opener()
    shown = CaseList(None, folder, find_cases(folder), opener)
    qtbot.addWidget(shown)
    assert opener.asked == 1
    for _ in range(8):  # layers
        opener.changed.emit()
        QApplication.sendEvent(shown, QEvent(QEvent.Type.WindowActivate))
    QApplication.processEvents()
    assert opener.asked == 2


@pytest.mark.parametrize("place", ["left", "right", "corner"])
def test_the_list_does_not_cover_the_images(qtbot, folder, place):
    window = QMainWindow()
    qtbot.addWidget(window)
    screen = window.screen().availableGeometry()
    narrow = QRect(screen.topLeft(), QSize(screen.width() // 2, screen.height() // 2))
    if place == "left":
        narrow.moveRight(screen.right())
    window.setGeometry(screen if place == "corner" else narrow)
    window.show()
    shown = CaseList(window, folder, find_cases(folder), Opener())
    shown.show()
    qtbot.waitUntil(shown.isVisible)
    area = shown.frameGeometry()
    assert screen.contains(area)
    if place == "corner":
        assert area.bottomLeft() == window.frameGeometry().bottomLeft()
    else:
        assert not area.intersects(window.frameGeometry())


def test_cases_of_a_folder_are_opened_one_after_another(viewer, folder, messages, qtbot):
    open_and_remember(viewer, folder)
    (shown,) = lists()
    assert [shown.names.item(n).text() for n in range(3)] == ["Pat_1", "Pat_2", "Pat_3"]
    assert shown.parent() is viewer.window._qt_window
    patients = active_patient(viewer)
    shown.next_button.click()
    assert patients.title == "Pat_1"
    shown.next_button.click()
    assert patients.title == "Pat_2" and len(viewer.layers) == 8
    shown.names.setCurrentRow(0)
    shown.open_button.click()  # is open already
    assert patients.title == "Pat_1" and len(viewer.layers) == 8
    qtbot.waitUntil(lambda: shown.names.item(1).text() == "▸ Pat_2")
    (folder / "Pat_2" / "Pat_2_smalltumor.nii.gz").touch()
    QApplication.sendEvent(shown, QEvent(QEvent.Type.WindowActivate))
    qtbot.waitUntil(lambda: shown.names.item(1).text() == "▸✓ Pat_2")
    assert "exported to Pat_2_smalltumor.nii.gz" in shown.names.item(1).toolTip()
    close_patient(viewer, patients.current)
    qtbot.waitUntil(lambda: shown.names.item(0).text() == "Pat_1")
    assert messages == []


@pytest.mark.one_binding
def test_a_list_begins_after_the_patient_that_is_open(viewer, folder):
    open_case(viewer, folder / "Pat_2")
    open_and_remember(viewer, folder)
    (shown,) = lists()
    assert shown.names.item(1).text() == "▸ Pat_2"
    shown.next_button.click()
    assert active_patient(viewer).title == "Pat_3"
    assert shown.focusWidget() is None or not shown.isActiveWindow()


def test_a_dropped_folder_of_cases_is_listed_too(viewer, folder):
    path = str(folder)
    assert get_reader(path)(path) == [(None,)]
    assert len(lists()) == 1


@pytest.mark.one_binding
def test_a_folder_around_a_single_case_opens_it(viewer, tmp_path):
    write_case_along(tmp_path / "around" / "Pat", labels=False)
    offer_cases(viewer, tmp_path / "around", open_and_remember)
    assert len(viewer.layers) == 4 and lists() == []


def test_a_folder_without_a_case_is_reported_in_one_sentence(viewer, tmp_path, messages):
    folder = tmp_path / "holidays"
    folder.mkdir()
    path = str(folder)
    assert get_reader(path)(path) == [(None,)]
    assert len(messages) == 1 and f"{folder} holds no case" in messages[0]
    (folder / "picture.png").touch()
    assert get_reader(path) is None  # another plugin may read it


def test_a_folder_with_very_many_subfolders_is_not_searched(
    viewer, tmp_path, messages, monkeypatch
):
    monkeypatch.setattr(folder_of_cases, "MAX_FOLDERS", 3)
    for number in range(5):
        (tmp_path / "many" / str(number)).mkdir(parents=True)
    open_and_remember(viewer, tmp_path / "many")
    assert "has more than 3 subfolders; choose the folder of a case" in messages[0]


def test_a_damaged_file_is_reported_in_one_sentence(viewer, folder, messages):
    (folder / "Pat_1" / "Pat_1_t1.nii.gz").write_bytes(b"damaged")
    path = str(folder / "Pat_1")
    assert get_reader(path)(path) == [(None,)]
    assert len(messages) == 1 and "Pat_1_t1.nii.gz" in messages[0]

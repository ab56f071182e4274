"""Questions belong to the window, name their answers, and are not answered by accident."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox, QWidget

from napari_smalltumor import questions
from napari_smalltumor.viewer import qt_main_window

ANSWERS = ("Restore", "Not now", "Discard")


@pytest.fixture
def while_asked(monkeypatch):
    """Calls a function with the dialog, before or when it can be answered, then closes it."""

    def schedule(function, *, is_answerable):
        monkeypatch.setattr(questions, "ANSWERABLE_AFTER_MS", 300 if is_answerable else 600_000)

        def call():
            box = QApplication.activeModalWidget()
            buttons = box.buttons() if isinstance(box, QMessageBox) and box.isVisible() else []
            if {button.isEnabled() for button in buttons} != {is_answerable}:
                QTimer.singleShot(20, call)
                return
            function(box)
            QTimer.singleShot(0, box.reject)

        QTimer.singleShot(0, call)

    return schedule


def ask():
    return questions.ask(None, "Restore edits?", "Edits of Pat", *ANSWERS, harmless="Not now")


def test_a_question_is_in_the_middle_of_napari_s_window_and_has_its_theme(
    make_napari_viewer, while_asked, qtbot
):
    window = make_napari_viewer(show=True).window._qt_window
    with qtbot.waitExposed(window):
        window.show()
    seen = {}

    def look(box):
        seen["parent"] = box.parent()
        seen["buttons"] = {button.text().replace("&", "") for button in box.buttons()}
        seen["distance"] = (
            box.frameGeometry().center() - window.geometry().center()
        ).manhattanLength()

    while_asked(look, is_answerable=False)
    assert ask() == "Not now"
    assert seen["parent"] is window
    assert seen["buttons"] == set(ANSWERS)
    assert seen["distance"] < 100


def test_the_question_of_a_removed_dock_belongs_to_napari_s_window(make_napari_viewer, qtbot):
    window = make_napari_viewer(show=True).window._qt_window
    removed = QWidget()
    qtbot.addWidget(removed)
    assert questions.window_of(removed) is window
    assert questions.window_of(window.centralWidget()) is window


@pytest.mark.one_binding
def test_a_question_about_a_viewer_belongs_to_its_window_also_if_another_is_active(
    make_napari_viewer,
):
    viewers = [make_napari_viewer(show=True) for _ in range(2)]
    windows = [viewer.window._qt_window for viewer in viewers]
    windows[1].activateWindow()
    assert [questions.window_of(qt_main_window(viewer)) for viewer in viewers] == windows


def test_keys_typed_before_the_question_do_not_answer_it(qtbot, while_asked):
    def type_ahead(box):
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
            QTest.keyClick(box, key)
        assert box.isVisible()

    while_asked(type_ahead, is_answerable=False)
    assert ask() == "Not now"


def test_a_button_answers_once_it_is_enabled(qtbot, while_asked):
    def click(box):
        next(b for b in box.buttons() if "Discard" in b.text()).click()

    while_asked(click, is_answerable=True)
    assert ask() == "Discard"


def test_a_confirmation_returns_whether_the_action_was_chosen(monkeypatch):
    for answer, agreed in (("Replace", True), (questions.CANCEL, False)):
        monkeypatch.setattr(questions, "ask", lambda *a, answer=answer, **k: answer)
        assert questions.confirm(None, "Replace files?", "text", "Replace") is agreed

"""Fine-tune docks and windows that are closed and opened during a run."""

from __future__ import annotations

import pytest
from lesion_layers import show_regions
from lesion_layers import synthetic_case as case_with_lesions
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QPushButton, QWidget
from smalltumor.errors import OutputError
from smalltumor.training.runs import run_control
from smalltumor.training.runs.run_lock import is_locked
from smalltumor.training.runs.status import RunState

from napari_smalltumor import questions
from napari_smalltumor.finetune import dialogs
from napari_smalltumor.finetune.cases.training_folder import TrainingFolder
from napari_smalltumor.finetune.dialogs import Answer, main_window_of
from napari_smalltumor.viewer_setup import set_up


def test_closing_the_question_keeps_the_window_or_the_training(monkeypatch):
    monkeypatch.setattr(questions, "ask", lambda *answers, harmless: harmless)
    assert dialogs.ask_before_closing(None, can_cancel=True) is Answer.CANCEL
    assert dialogs.ask_before_closing(None, can_cancel=False) is Answer.KEEP_TRAINING


@pytest.mark.one_binding
@pytest.mark.parametrize("answer", [Answer.KEEP_TRAINING, Answer.STOP])
def test_closing_the_dock_asks_whether_training_continues(
    make_napari_viewer, open_dock, held_run, answers, answer
):
    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    assert dock.status.state is RunState.RUNNING
    answers[0].append(answer)
    viewer.window.remove_dock_widget(dock)
    assert answers[1] == [False]
    assert is_locked(held_run.folder) == (answer is Answer.KEEP_TRAINING)


def test_closing_the_dock_with_its_button_can_be_cancelled(
    make_napari_viewer, open_dock, held_run, answers, qtbot
):
    dock = open_dock(make_napari_viewer(show=True))
    dock.poll()
    button = dock.parentWidget().titleBarWidget().findChild(QPushButton, "QTitleBarCloseButton")
    answers[0].extend([Answer.CANCEL, Answer.KEEP_TRAINING])
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert dock.parentWidget() is not None and not button.isDown()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert dock.parentWidget() is None
    assert answers[1] == [True, True]
    assert is_locked(held_run.folder)


def test_closing_the_window_can_be_cancelled(make_napari_viewer, open_dock, held_run, answers):
    viewer = make_napari_viewer()
    open_dock(viewer)
    answers[0].extend([Answer.CANCEL, Answer.STOP])
    viewer.window._qt_window.close()
    assert is_locked(held_run.folder)
    viewer.close()
    assert answers[1] == [True, True]
    assert not is_locked(held_run.folder)


def test_a_run_and_an_unsaved_result_are_one_question(
    make_napari_viewer, open_dock, held_run, answers, monkeypatch
):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    set_up(viewer)
    open_dock(viewer)
    show_regions(viewer, case_with_lesions())
    asked = []
    monkeypatch.setattr(
        questions, "ask", lambda p, t, text, *a, harmless: asked.append(text) or a[1]
    )
    viewer.window._qt_window.close(quit_app=False, confirm_need=True)
    (text,) = asked
    assert "of Pat were segmented, not saved, and will be lost." in text
    assert f"The training of {held_run.folder.path.name} continues in the background." in text
    assert answers[1] == [] and is_locked(held_run.folder)
    assert viewer.window._qt_window.isHidden()
    answers[0].append(Answer.KEEP_TRAINING)  # of the fixture that closes it again


@pytest.mark.one_binding
def test_only_the_last_window_that_shows_a_run_asks(
    make_napari_viewer, open_dock, held_run, answers
):
    first, second = make_napari_viewer(), make_napari_viewer()
    open_dock(first)
    open_dock(second)
    first.close()
    assert answers[1] == []
    answers[0].append(Answer.KEEP_TRAINING)
    second.close()
    assert answers[1] == [True]
    assert is_locked(held_run.folder)


def test_a_window_that_was_deleted_does_not_show_its_run(
    make_napari_viewer, open_dock, answers, messages
):
    first, second = make_napari_viewer(), make_napari_viewer()
    open_dock(first)
    deleted = open_dock(second)
    second.close()
    deferred = QEvent.Type.DeferredDelete
    QApplication.sendPostedEvents(None, getattr(deferred, "value", deferred))  # PyQt5 has no value
    assert not isalive(deleted)
    answers[0].append(Answer.KEEP_TRAINING)
    first.close()
    assert answers[1] == [True]
    assert messages == []


def test_a_window_that_was_closed_and_kept_does_not_show_its_run(
    make_napari_viewer, open_dock, answers
):
    first, second = make_napari_viewer(), make_napari_viewer()
    open_dock(first)
    kept = open_dock(second)
    window = main_window_of(kept)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    window.close()
    assert isalive(kept) and not answers[1]
    kept.poll()
    answers[0].append(Answer.CANCEL)
    first.window._qt_window.close()
    assert answers[1] == [True]
    answers[0].append(Answer.KEEP_TRAINING)
    first.close()


def test_a_closed_window_that_is_shown_again_asks_again(
    make_napari_viewer, open_dock, answers, qtbot
):
    viewer = make_napari_viewer(show=True)
    dock = open_dock(viewer)
    window = main_window_of(dock)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    answers[0].extend([Answer.KEEP_TRAINING, Answer.KEEP_TRAINING])
    QWidget.close(window)
    window.show()
    dock.poll()
    viewer.close()
    assert answers[1] == [True, True]


def test_two_docks_in_one_window_ask_once(make_napari_viewer, open_dock, answers):
    viewer = make_napari_viewer()
    open_dock(viewer, "one")
    open_dock(viewer, "two")
    answers[0].append(Answer.KEEP_TRAINING)
    viewer.close()
    assert answers[1] == [True]


def test_a_run_that_cannot_be_stopped_does_not_keep_the_dock_open(
    make_napari_viewer, open_dock, answers, monkeypatch, messages
):
    def fail(run):
        raise OutputError("the disk is full")

    viewer = make_napari_viewer()
    dock = open_dock(viewer)
    monkeypatch.setattr(run_control, "stop", fail)
    answers[0].append(Answer.STOP)
    viewer.window.remove_dock_widget(dock)
    assert messages == ["The disk is full"]


def test_the_training_folder_is_looked_at_when_the_dock_is_shown_or_its_window_activated(
    make_napari_viewer, open_dock, monkeypatch
):
    dock = open_dock(make_napari_viewer())
    looked: list[QEvent.Type] = []
    monkeypatch.setattr(TrainingFolder, "read_if_changed", lambda self: looked.append(kind))
    for kind in (QEvent.Type.WindowActivate, QEvent.Type.Show, QEvent.Type.Hide):
        QApplication.sendEvent(dock, QEvent(kind))
    assert looked == [QEvent.Type.WindowActivate, QEvent.Type.Show]

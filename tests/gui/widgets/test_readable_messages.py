"""Messages are shown in full, and also while napari's canvas is hidden."""

from __future__ import annotations

import pytest
from napari._qt.dialogs.qt_notification import NapariQtNotification
from napari.utils.notifications import Notification
from qtpy.compat import isalive
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.main_window.planes_window import planes_window
from napari_smalltumor.widgets import readable_messages
from napari_smalltumor.widgets.readable_messages import ReadableMessages, close_messages

TEXT = "A message of several lines, which napari would cut to its first words. " * 3


@pytest.fixture(autouse=True)
def shown_for_long(monkeypatch):
    """Close no message in time that a test looks at, however slow the machine is."""
    monkeypatch.setattr(NapariQtNotification, "DISMISS_AFTER", 600_000)
    monkeypatch.setattr(readable_messages, "_SHOWN_MS", 600_000)
    monkeypatch.setattr(readable_messages, "_READ_MS", 0)


@pytest.fixture
def window(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    yield planes_window(viewer)
    for message in list(NapariQtNotification._instances):
        if isalive(message.opacity_anim):  # else one of an earlier test's window
            message.close()


def show(window, qtbot, text: str) -> NapariQtNotification:
    """Show a message as napari does, which tests of napari switch off."""
    canvas = window.napari_canvas.canvas.native
    message = NapariQtNotification.from_notification(Notification(text), canvas)
    message.show()
    messages = window.main_window.findChild(ReadableMessages)
    messages._on_notification()
    # It is shown in full then. Qt 5 deletes none that fired outside an event loop.
    qtbot.waitUntil(lambda: not any(t.isActive() for t in messages.findChildren(QTimer)))
    return message


@pytest.mark.one_binding
def test_a_long_message_is_as_high_as_its_text_and_above_a_newer_one(window, qtbot):
    long, short = show(window, qtbot, TEXT), show(window, qtbot, "Short.")
    line = long.message.fontMetrics().lineSpacing()
    assert long.message.height() >= 4 * line
    assert long.geometry().bottom() < short.geometry().top()
    assert short.geometry().bottom() < short.parentWidget().height()


def test_a_message_is_seen_while_the_planes_are_shown(window, qtbot):
    window.show(Layout.FOUR)
    message = show(window, qtbot, TEXT)
    assert message.isVisible()
    assert window.main_window.centralWidget().isAncestorOf(message)


def test_a_canvas_that_was_deleted_before_its_window_raises_nothing(qtbot):
    main = QMainWindow()
    qtbot.addWidget(main)
    main.setCentralWidget(QWidget())
    canvas = QWidget(main)
    messages = ReadableMessages(canvas, main)
    canvas.deleteLater()
    qtbot.waitUntil(lambda: not isalive(canvas))
    messages.show_in_full()


def test_a_message_that_was_open_before_is_shown_in_full_as_well(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    canvas = viewer.window._qt_viewer.canvas.native
    message = NapariQtNotification.from_notification(Notification(TEXT), canvas)
    message.show()
    before = message.height()
    planes_window(viewer)
    qtbot.waitUntil(lambda: message.height() > before + 40)
    message.close()


def test_messages_with_a_text_are_closed_and_others_stay(window, qtbot):
    about_a_patient, other = show(window, qtbot, TEXT), show(window, qtbot, "Wrote a file.")
    close_messages({TEXT})
    qtbot.waitUntil(lambda: not isalive(about_a_patient) or not about_a_patient.isVisible())
    assert other.isVisible()


def test_of_messages_with_one_text_the_newest_stays(window, qtbot):
    first, other, second = (show(window, qtbot, text) for text in ("Again.", "Other.", "Again."))
    qtbot.waitUntil(lambda: not isalive(first) or not first.isVisible())
    assert other.isVisible() and second.isVisible()


def test_an_earlier_message_is_closed_in_time_as_well(window, qtbot, monkeypatch):
    monkeypatch.setattr(readable_messages, "_SHOWN_MS", 50)
    monkeypatch.setattr(type(window.main_window), "isActiveWindow", lambda self: True)
    first, second = show(window, qtbot, "First."), show(window, qtbot, "Second.")
    for message in (first, second):
        qtbot.waitUntil(lambda message=message: message not in NapariQtNotification._instances)


@pytest.mark.slow
def test_a_message_that_the_user_expanded_is_not_closed(window, qtbot, monkeypatch):
    monkeypatch.setattr(type(window.main_window), "isActiveWindow", lambda self: True)
    first = show(window, qtbot, "First.")
    first.expand()
    monkeypatch.setattr(readable_messages, "_SHOWN_MS", 50)
    second = show(window, qtbot, "Second.")
    qtbot.waitUntil(lambda: second not in NapariQtNotification._instances)
    closes = first.findChild(QTimer, readable_messages._TIMER)
    with qtbot.waitSignal(closes.timeout):
        closes.start(50)
    assert first in NapariQtNotification._instances and first.isVisible()
    first.contract()
    qtbot.waitUntil(lambda: first not in NapariQtNotification._instances)


@pytest.mark.one_binding
def test_a_message_stays_in_sight_when_a_dock_is_opened(window, qtbot):
    window.show(Layout.FOUR)
    message = show(window, qtbot, TEXT)
    parent = message.parentWidget()
    width = parent.width()
    window.main_window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, wide_dock())
    qtbot.waitUntil(lambda: parent.width() < width)
    qtbot.waitUntil(lambda: message.geometry().right() < parent.width())


def wide_dock() -> QDockWidget:
    dock = QDockWidget()
    content = QWidget()
    content.setMinimumWidth(300)
    dock.setWidget(content)
    return dock


@pytest.mark.one_binding
def test_a_message_that_fades_out_leaves_the_focus_where_it_is(window, qtbot):
    message, focused = show(window, qtbot, "Short."), []
    message.parentWidget().setFocus = lambda *reason: focused.append(reason)
    message.close_with_fade()
    qtbot.waitUntil(lambda: not isalive(message))
    assert focused == []

"""Show napari's messages in full and in time, also while the planes cover napari's canvas.

napari cuts a message to its first line, and puts it on its canvas, which is hidden while the planes
are shown. Its dialogs are recognised by what they can do, because their class is private.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from napari.utils.notifications import notification_manager
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from qtpy.QtWidgets import QApplication, QDialog, QMainWindow, QWidget

_SLID_IN_MS = 300
"""napari moves a new message for 220 ms."""

_READ_MS = 60
"""For each character, beside the four seconds that napari shows a message."""

_SHOWN_MS = 4000
_MARGIN = 8
_GAP = 4
_PADDING = 24
_TIMER = "closes a message"
_ENDLESS = 10_000
_PARTS = ("toggle_expansion", "message", "row2_widget", "geom_anim", "timer")
"""What a message of napari has; one whose making has failed is not complete."""


class ReadableMessages(QObject):
    """Enlarges the messages on a canvas, and moves them off it while it is hidden.

    Parameters
    ----------
    canvas : QWidget
        The widget on which napari shows messages.
    window : QMainWindow
        The window of the canvas; becomes the parent.
    """

    _arrived = Signal()

    def __init__(self, canvas: QWidget, window: QMainWindow) -> None:
        super().__init__(window)
        self._canvas, self._window = canvas, window
        self._arrived.connect(self._wait)  # in the thread of the window
        for watched in (window, canvas, window.centralWidget()):
            watched.installEventFilter(self)
        notification_manager.notification_ready.connect(self._on_notification)
        self._wait()  # for messages that are open already

    @property
    def messages(self) -> list[QDialog]:
        """The messages that are open."""
        return _messages_among(self._window.findChildren(QDialog))

    def show_in_full(self) -> None:
        """Enlarge each message to its text; the newest is in the corner, below the others."""
        self._close_repeated()
        self._uncover_all()
        height = _MARGIN
        for message in reversed(self.messages):
            height += _enlarge(message)
            _leave_focus(message)
            if self._window.isActiveWindow():
                _close_in_time(message)
            corner = message.parentWidget().rect().bottomRight()
            message.move(corner - QPoint(message.width() + _MARGIN, height))
            height += _GAP

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Place messages again in another size of the images, and close them if they were read.

        That is also when the window becomes active: until then they were not seen.
        """
        if event.type() in (QEvent.Type.WindowActivate, QEvent.Type.Resize) and self.messages:
            self._wait()
        return False

    def _on_notification(self, notification: Any = None) -> None:
        """Wait until napari has added the message; this may be called in any thread."""
        if isalive(self):
            self._arrived.emit()

    def _wait(self) -> None:
        for delay, slot in ((0, self._uncover_all), (_SLID_IN_MS, self.show_in_full)):
            timer = QTimer(self)
            timer.setSingleShot(True)
            timer.timeout.connect(slot)
            timer.timeout.connect(timer.deleteLater)
            timer.start(delay)

    def _close_repeated(self) -> None:
        """Of messages with one text, leave the newest."""
        seen = set()
        for message in reversed(self.messages):
            if message.message.text() in seen:
                _leave_focus(message)
                message.close()
            seen.add(message.message.text())

    def _uncover_all(self) -> None:
        """Move messages from the hidden canvas to the widget that is shown in its place."""
        centre = self._window.centralWidget()
        if not isalive(self._canvas) or self._canvas.isVisible() or centre is None:
            return
        for message in self.messages:
            if message.parentWidget() is not centre:
                message.setParent(centre, message.windowFlags())
                message.setVisible(True)
                message.raise_()


def close_messages(texts: Collection[str]) -> None:
    """Close napari's messages that have one of these texts, in all windows."""
    for message in _messages_among(QApplication.allWidgets()):
        if isalive(message) and message.message.text() in texts:
            message.close()


def _messages_among(widgets: Iterable[QWidget]) -> list[QDialog]:
    dialogs = [widget for widget in widgets if isinstance(widget, QDialog)]
    return [d for d in dialogs if all(hasattr(d, name) for name in _PARTS)]


def _enlarge(message: QDialog) -> int:
    """Make a message as high as its text, and show it long enough to be read; its height."""
    label = message.message
    available = QRect(0, 0, label.width(), _ENDLESS)
    flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
    text = label.fontMetrics().boundingRect(available, int(flags), label.text())
    label.setMinimumHeight(text.height() + label.fontMetrics().lineSpacing())
    buttons = message.row2_widget
    height = label.minimumHeight() + _PADDING + (0 if buttons.isHidden() else buttons.height())
    message.geom_anim.stop()
    message.resize(message.width(), max(height, message.minimumHeight()))
    if message.timer.isActive():
        message.timer.start(_time_to_read(message))
    return int(message.height())


def _close_in_time(message: QDialog) -> None:
    """Close a message whose own timer does not run, unless it is being read.

    napari stops the timers of all messages when another one comes, and never starts them again; it
    starts none while its window is not active.
    """
    if message.timer.isActive() or message.findChild(QTimer, _TIMER) is not None:
        return
    timer = QTimer(message)
    timer.setObjectName(_TIMER)
    timer.setInterval(_time_to_read(message))
    timer.setSingleShot(True)
    timer.timeout.connect(
        lambda: timer.start() if _is_being_read(message) else message.close_with_fade()
    )
    timer.start()


def _leave_focus(message: QDialog) -> None:
    """Let a message that fades out leave the focus where it is.

    napari gives it to the widget below the message. Letters that were meant for a text field would
    then be keys that act on lesions.
    """

    def close() -> bool:
        message.parent = lambda: None  # napari asks for it only to give it the focus
        return bool(type(message).close(message))

    message.close = close  # also what `close_with_fade` calls in the end


def _is_being_read(message: QDialog) -> bool:
    """Whether the mouse is over a message, or the user has expanded it."""
    return message.underMouse() or bool(message.property("expanded"))


def _time_to_read(message: QDialog) -> int:
    return _SHOWN_MS + _READ_MS * len(message.message.text())


def ensure_readable_messages(canvas: QWidget, window: QMainWindow) -> None:
    """Show the messages of a window in full; further calls have no effect."""
    if window.findChild(ReadableMessages) is None:
        ReadableMessages(canvas, window)

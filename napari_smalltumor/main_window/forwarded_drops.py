"""Files that are dropped on the planes are opened as those that are dropped on napari's canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

if TYPE_CHECKING:
    from napari.qt import QtViewer


class ForwardedDrops(QObject):
    """Gives what is dropped on a widget to napari's canvas, which it covers.

    Parameters
    ----------
    widget : QWidget
        Becomes the parent.
    canvas : QtViewer
    """

    def __init__(self, widget: QWidget, canvas: QtViewer) -> None:
        super().__init__(widget)
        self._canvas = ref(canvas)  # it holds the viewer, which must be able to die
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Have napari accept and open what is dropped."""
        canvas = self._canvas()
        if canvas is None:
            return False
        handlers = {
            QEvent.Type.DragEnter: canvas.dragEnterEvent,
            QEvent.Type.Drop: canvas.dropEvent,
        }
        if event.type() not in handlers:
            return False
        handlers[event.type()](event)
        return True

"""Rows of napari's list of layers, and clicks on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from event_loop import let_turns_pass
from qtpy.QtCore import QEvent, QModelIndex, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QStyle, QStyleOptionViewItem

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot


def row_of(viewer: Viewer, name: str) -> QModelIndex:
    """The row of a layer in napari's list."""
    model, layer = viewer.window._qt_viewer.layers.model(), viewer.layers[name]
    rows = (model.index(row, 0) for row in range(model.rowCount()))
    return next(index for index in rows if index.data(Qt.ItemDataRole.UserRole) is layer)


def alt_click(viewer: Viewer, name: str, qtbot: QtBot) -> None:
    """Click with Alt on the eye of a layer in napari's list."""
    view = viewer.window._qt_viewer.layers
    index = row_of(viewer, name)
    option = QStyleOptionViewItem()
    option.rect, option.widget = view.visualRect(index), view
    delegate = view.itemDelegate()
    delegate.initStyleOption(option, index)
    eye = view.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, view)
    at, left = QPointF(eye.center()), Qt.MouseButton.LeftButton
    release = QMouseEvent(
        QEvent.Type.MouseButtonRelease, at, at, left, left, Qt.KeyboardModifier.AltModifier
    )
    delegate.editorEvent(release, view.model(), option, index)
    let_turns_pass(qtbot)

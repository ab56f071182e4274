"""Fields that the mouse wheel changes only while they have the focus.

By default Qt lets the wheel change the field under the cursor, so that the user who scrolls a dock
changes a setting unnoticed.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollBar, QWidget

_FIELDS = (QComboBox, QAbstractSpinBox, QAbstractSlider)


def ignore_wheel_without_focus(parent: QWidget) -> None:
    """Let the wheel scroll over combo boxes, spin boxes and sliders that do not have the focus.

    Parameters
    ----------
    parent : QWidget
        A field, or a widget with fields. Those that are added later are not included.
    """
    for field in [parent, *parent.findChildren(QWidget)]:
        if isinstance(field, _FIELDS) and not isinstance(field, QScrollBar):
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # by default the wheel gives the focus
            field.installEventFilter(_WheelFilter(field))


class _WheelFilter(QObject):
    """Passes the wheel on to the parent of a field that does not have the focus."""

    def eventFilter(self, field: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ignore a wheel event, which Qt then sends to the parent."""
        if event.type() != QEvent.Type.Wheel or not isinstance(field, QWidget) or field.hasFocus():
            return False
        event.ignore()
        return True

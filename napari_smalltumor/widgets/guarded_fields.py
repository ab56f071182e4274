"""Fields that change only when they are meant.

By default Qt lets the mouse wheel change the field under the cursor, and arrow keys the combo box
that was used last. The user who scrolls a dock, or steps through slices, then changes a setting or
the patient unnoticed.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollBar, QWidget

_FIELDS = (QComboBox, QAbstractSpinBox, QAbstractSlider)
_OPENING_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down)
_STEPPING_KEYS = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)


def guard_fields(parent: QWidget) -> None:
    """Let the wheel pass over fields without the focus, and keys open a list and not step in it.

    Fields are combo boxes, spin boxes and sliders. The up and down keys open the list of a combo
    box; other keys that would choose an item go to the window, and so to the images.

    Parameters
    ----------
    parent : QWidget
        A field, or a widget with fields. Those that are added later are not included.
    """
    for field in [parent, *parent.findChildren(QWidget)]:
        if not isinstance(field, _FIELDS) or isinstance(field, QScrollBar):
            continue
        field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # by default the wheel gives the focus
        field.installEventFilter(_WheelFilter(field))
        if isinstance(field, QComboBox) and not field.isEditable():
            field.installEventFilter(_KeyFilter(field))


class _WheelFilter(QObject):
    """Passes the wheel on to the parent of a field that does not have the focus."""

    def eventFilter(self, field: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ignore a wheel event, which Qt then sends to the parent."""
        if event.type() != QEvent.Type.Wheel or not isinstance(field, QWidget) or field.hasFocus():
            return False
        event.ignore()
        return True


class _KeyFilter(QObject):
    """Keeps keys from changing a combo box whose list is closed."""

    def eventFilter(self, field: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Open the list, or ignore a key event, which Qt then sends to the parent."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(field, QComboBox):
            return False
        if event.key() in _OPENING_KEYS:
            field.showPopup()
            return True
        if event.key() in _STEPPING_KEYS or event.text().strip():
            event.ignore()
            return True
        return False

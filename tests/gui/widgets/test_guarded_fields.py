"""Neither the wheel over a dock nor keys for the images change a field."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QScrollBar,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_smalltumor import devices
from napari_smalltumor.compare.dock import CompareDock
from napari_smalltumor.finetune.dock import FinetuneDock
from napari_smalltumor.lesions.dock import LesionsDock
from napari_smalltumor.prepared_scan.dock import PreparedScanDock
from napari_smalltumor.scanner.dialog import PrepareDialog
from napari_smalltumor.segment.dock import SegmentDock
from napari_smalltumor.widgets.guarded_fields import guard_fields


def turn_wheel(widget: QWidget) -> bool:
    """Turn the wheel down by one notch over a widget; whether the widget made use of it."""
    middle = widget.rect().center()
    event = QWheelEvent(
        QPointF(middle),
        QPointF(widget.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def value_of(field: QWidget) -> object:
    return field.currentIndex() if isinstance(field, QComboBox) else field.value()


def make_field(kind: type[QWidget]) -> QWidget:
    field = kind()
    if isinstance(field, QComboBox):
        field.addItems(["msd", "brats2023"])
    else:
        field.setRange(0, 10)
        field.setValue(5)
    return field


@pytest.mark.parametrize("kind", [QComboBox, QSpinBox, QSlider])
def test_a_field_passes_the_wheel_on_until_it_has_the_focus(qtbot, kind):
    widget = QWidget()
    qtbot.addWidget(widget)
    layout = QVBoxLayout(widget)
    field, other = make_field(kind), QSpinBox()
    layout.addWidget(field)
    layout.addWidget(other)
    guard_fields(widget)
    with qtbot.waitActive(widget):
        widget.show()
        widget.activateWindow()
    other.setFocus()
    before = value_of(field)
    assert not turn_wheel(field)  # Qt sends an event that is not used to the parent
    assert value_of(field) == before
    field.setFocus()
    assert turn_wheel(field)
    assert value_of(field) != before


@pytest.mark.parametrize("key", ["Up", "Down"])
def test_an_arrow_key_opens_the_list_of_a_combo_box(qtbot, key):
    field = make_field(QComboBox)
    qtbot.addWidget(field)
    guard_fields(field)
    field.show()
    qtbot.keyClick(field, getattr(Qt.Key, f"Key_{key}"))
    assert field.view().isVisible()
    assert field.currentIndex() == 0
    field.hidePopup()


@pytest.mark.parametrize("key", ["PageDown", "PageUp", "End", "Home", "B"])
def test_other_keys_that_would_choose_an_item_go_to_the_parent(qtbot, key):
    parent, seen = Listener(), []
    qtbot.addWidget(parent)
    parent.pressed = seen.append
    field = make_field(QComboBox)
    field.setParent(parent)
    guard_fields(field)
    code = getattr(Qt.Key, f"Key_{key}")
    qtbot.keyClick(field, code)
    assert field.currentIndex() == 0
    assert seen == [code]


class Listener(QWidget):
    """Tells which keys reach it."""

    def keyPressEvent(self, event):  # noqa: N802 - Qt's name
        self.pressed(event.key())


def fields_in(widget: QWidget) -> list[QWidget]:
    kinds = (QComboBox, QAbstractSpinBox, QAbstractSlider)
    return [x for x in widget.findChildren(kinds) if not isinstance(x, QScrollBar)]


def test_no_field_of_a_dock_or_dialog_takes_the_focus_from_the_wheel(
    make_napari_viewer, qtbot, monkeypatch, tmp_path
):
    for search in ("find_devices", "find_memory"):
        monkeypatch.setattr(devices, search, lambda *args: None)
    viewer = make_napari_viewer()
    docks = (SegmentDock, LesionsDock, CompareDock, FinetuneDock, PreparedScanDock)
    widgets = [*(dock(viewer) for dock in docks), PrepareDialog(None, tmp_path)]
    for widget in widgets:
        qtbot.addWidget(widget)
        assert fields_in(widget)
        for field in fields_in(widget):
            assert field.focusPolicy() in (Qt.FocusPolicy.StrongFocus, Qt.FocusPolicy.NoFocus), (
                f"{type(widget).__name__}: {field.toolTip() or field.accessibleName()}"
            )

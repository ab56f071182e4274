"""Rows of a name and a magicgui widget, their left edges aligned."""

from __future__ import annotations

from collections.abc import Sequence

from magicgui.widgets import CheckBox, ComboBox
from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QSizePolicy, QWidget

_LABEL_WIDTH = 64


def form_layout(parent: QWidget, widgets: Sequence[ValueWidget]) -> QFormLayout:
    """Lay widgets out under each other; check boxes carry their own text."""
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(6)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for widget in widgets:
        if isinstance(widget, CheckBox):
            form.addRow(_blank(), widget.native)
            continue
        if isinstance(widget, ComboBox):
            _let_shrink(widget.native)
        form.addRow(_name(widget), widget.native)
    return form


def _name(widget: ValueWidget) -> QLabel:
    label = _blank()
    label.setText(widget.label)
    label.setToolTip(widget.tooltip)
    label.setBuddy(widget.native)
    return label


def _blank() -> QLabel:
    label = QLabel()
    label.setFixedWidth(_LABEL_WIDTH)
    label.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
    return label


def _let_shrink(combo: QWidget) -> None:
    """Let a long layer name be cut instead of widening the dock."""
    if isinstance(combo, QComboBox):
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

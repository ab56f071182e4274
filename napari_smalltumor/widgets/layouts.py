"""Layouts and small widgets that several docks share."""

from __future__ import annotations

from collections.abc import Sequence

from magicgui.widgets import CheckBox, ComboBox
from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

_LABEL_WIDTH = 74
_MIN_SCROLLED_HEIGHT = 200


def form_layout(parent: QWidget, widgets: Sequence[ValueWidget]) -> QFormLayout:
    """Lay out magicgui widgets in rows, each with its label; a check box has no other label."""
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(6)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for widget in widgets:
        if isinstance(widget, CheckBox):
            form.addRow(_empty_label(), widget.native)
            continue
        if isinstance(widget, ComboBox):
            allow_shrinking(widget.native)
        form.addRow(_label_of(widget), widget.native)
    return form


def column(parent: QWidget) -> QVBoxLayout:
    """Return the vertical layout of a panel or page."""
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(8, 8, 8, 8)
    layout.setSpacing(6)
    return layout


def scrolled(content: QWidget) -> QScrollArea:
    """Let a part of a dock scroll by itself in a low window, so that the rest stays in view."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumHeight(_MIN_SCROLLED_HEIGHT)
    return area


def row(*widgets: QWidget) -> QHBoxLayout:
    """Lay out widgets next to each other, with equal widths."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for widget in widgets:
        layout.addWidget(widget, 1)
    return layout


def button(text: str, tooltip: str) -> QPushButton:
    """Create a push button that is not the default button: Return does not press it."""
    push_button = QPushButton(text)
    push_button.setToolTip(tooltip)
    push_button.setAutoDefault(False)
    return push_button


def wrapped_label(text: str = "") -> QLabel:
    """Create a label that wraps its text; the user can select and copy it."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def fit_to_texts(dialog: QDialog) -> None:
    """Give a dialog the height that its wrapped texts need in its width.

    Otherwise Qt gives it the height that they would need in the least width.
    """
    layout = dialog.layout()
    layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
    layout.activate()
    width = dialog.width() if dialog.isVisible() else layout.sizeHint().width()
    width = max(width, dialog.minimumWidth())
    wraps = layout.hasHeightForWidth()
    height = layout.totalHeightForWidth(width) if wraps else layout.totalSizeHint().height()
    dialog.resize(width, height)


def allow_shrinking(combo: QComboBox) -> None:
    """Let a combo box cut off a long layer name instead of widening the dock."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)


def _label_of(widget: ValueWidget) -> QLabel:
    label = _empty_label()
    label.setText(widget.label)
    label.setToolTip(widget.tooltip)
    label.setBuddy(widget.native)
    return label


def _empty_label() -> QLabel:
    label = QLabel()
    label.setMinimumWidth(_LABEL_WIDTH)
    label.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
    return label

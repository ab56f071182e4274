"""Spin boxes that shift and turn one sequence against T1CE."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from smalltumor.data.naming.case_files import MODALITY_TITLES
from smalltumor.scanner.registration.motion import Triple

from napari_smalltumor.widgets.layouts import allow_shrinking, button, row, wrapped_label

_AXES = ("right", "anterior", "superior")
_SHIFT = ("to the right", "to anterior", "to superior")
_TURN = ("about the right-left axis", "about the front-back axis", "about the head-foot axis")
_ZERO: Triple = (0.0, 0.0, 0.0)
_MAX_MM, _MAX_DEGREES, _STEP = 50.0, 45.0, 0.5


class RegistrationControls(QWidget):
    """Chooses a sequence and how it is moved; emits `changed` at each change of a value."""

    sequence_changed = Signal()
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.sequences = QComboBox()
        self.sequences.setAccessibleName("Sequence to move")
        allow_shrinking(self.sequences)
        self.shift = [_spin_box(f"Shift {a}, in mm", _MAX_MM) for a in _SHIFT]
        self.turn = [_spin_box(f"Turn {a}, in degrees", _MAX_DEGREES) for a in _TURN]
        self.reset_button = button("Reset", "Show the sequence as it is stored")
        self.apply_button = button(
            "Apply registration", "Resample the sequence from the scan as shown, and store it"
        )
        self.automatic_button = button(
            "Back to automatic registration",
            "Remove all corrections of this sequence by hand, and store that",
        )
        self.unapplied = wrapped_label()
        self.by_hand = wrapped_label()
        self.show_unapplied("")
        self.show_correction("", can_return=False)
        self._lay_out()
        self.sequences.activated.connect(lambda: self.sequence_changed.emit())
        self.reset_button.clicked.connect(self.reset)
        for box in (*self.shift, *self.turn):
            box.valueChanged.connect(lambda: self.changed.emit())

    @property
    def modality(self) -> str | None:
        """The sequence that is moved; None if there is none."""
        modality = self.sequences.currentData()
        return None if modality is None else str(modality)

    @property
    def shift_mm(self) -> Triple:
        """Towards right, anterior and superior."""
        return _values(self.shift)

    @property
    def degrees(self) -> Triple:
        """About the same axes."""
        return _values(self.turn)

    @property
    def moves(self) -> bool:
        """Whether the sequence is shifted or turned."""
        return any((*self.shift_mm, *self.degrees))

    def show_sequences(self, modalities: Sequence[str], chosen: str | None = None) -> None:
        """List the sequences that can be moved, and choose one, by default that of before."""
        chosen = chosen or self.modality
        self.sequences.clear()
        for modality in modalities:
            self.sequences.addItem(MODALITY_TITLES[modality], modality)
        self.sequences.setCurrentIndex(max(0, self.sequences.findData(chosen)))

    def show_unapplied(self, text: str) -> None:
        """Show which sequences are shifted or turned, as long as that is not applied."""
        self.unapplied.setText(text)
        self.unapplied.setVisible(bool(text))

    def show_correction(self, text: str, *, can_return: bool) -> None:
        """Show how the sequence was moved by hand, and offer the automatic registration."""
        self.by_hand.setText(text)
        self.by_hand.setVisible(bool(text))
        self.automatic_button.setVisible(can_return)

    def reset(self) -> None:
        """Set all values to 0."""
        if self.moves:
            self.show_motion()
            self.changed.emit()

    def show_motion(self, shift_mm: Triple = _ZERO, degrees: Triple = _ZERO) -> None:
        """Set all values, without a signal."""
        for box, value in zip((*self.shift, *self.turn), (*shift_mm, *degrees), strict=True):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        for column, axis in enumerate(_AXES, start=1):
            grid.addWidget(QLabel(axis), 0, column)
            grid.setColumnStretch(column, 1)
        for line, (text, boxes) in enumerate((("mm", self.shift), ("°", self.turn)), start=1):
            grid.addWidget(QLabel(text), line, 0)
            for column, box in enumerate(boxes, start=1):
                grid.addWidget(box, line, column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.sequences)
        layout.addLayout(grid)
        layout.addLayout(row(self.reset_button, self.apply_button))
        layout.addWidget(self.unapplied)
        layout.addWidget(self.by_hand)
        layout.addWidget(self.automatic_button)


def _spin_box(name: str, largest: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(-largest, largest)
    box.setSingleStep(_STEP)
    box.setDecimals(1)
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.setMinimumWidth(60)
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box


def _values(boxes: Sequence[QDoubleSpinBox]) -> Triple:
    first, second, third = (float(box.value()) for box in boxes)
    return first, second, third

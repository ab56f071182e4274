"""The widgets of the Prepared scan dock and their layout."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_smalltumor.prepared_scan.figures import Figures
from napari_smalltumor.prepared_scan.registration_controls import RegistrationControls
from napari_smalltumor.widgets.layouts import button, column, row, scrolled, wrapped_label

_WIDTH = 348
_COLUMNS = ("Sequence", "Moved by", "Overlap", "Information")
_TIPS = (
    "",
    "Largest displacement of the brain by the automatic registration, + by hand",
    "Dice of its brain with that of T1CE; below 0.85 the registration is doubtful",
    "Mutual information with T1CE before and after the registration",
)
_COLUMN_WIDTHS = (72, 92, 64)
_PROGRESS_STEPS = 100
NOT_PREPARED = (
    "This patient's images were not prepared by this plugin. Drop the folder of a scan, DICOM or "
    "NIfTI, to prepare it."
)


class PreparedScanPanel(QWidget):
    """From top to bottom: figures and warnings, the brain mask, and the registration.

    Parameters
    ----------
    header : QWidget
    """

    def __init__(self, header: QWidget) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self.explanation = wrapped_label(NOT_PREPARED)
        self.summary = wrapped_label()
        self.figures = _figures_table()
        self.warnings = wrapped_label()
        self.edit_button = button(
            "Paint brain mask", "Show the brain mask on the whole head, and paint it"
        )
        self.edit_button.setCheckable(True)
        self.apply_mask_button = button(
            "Apply brain mask", "Strip all images again, from the scan, and store them"
        )
        self.registration = RegistrationControls()
        self.progress = QProgressBar()
        self.progress.setRange(0, _PROGRESS_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.step = QElidingLabel()
        self.cancel_button = button("Cancel", "Stop after the current step; nothing is stored")
        self._content = QWidget()
        self._scrolled = scrolled(self._content)
        self._lay_out(header)
        self.set_running(False)

    def show_prepared(
        self, summary: str, figures: Sequence[Figures], warnings: Sequence[str]
    ) -> None:
        """Show the figures of a prepared scan."""
        self.explanation.hide()
        self._scrolled.show()
        self.summary.setText(summary)
        self.figures.setRowCount(len(figures))
        for number, each in enumerate(figures):
            texts = (each.title, each.displacement, each.overlap, each.information)
            for index, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(each.details)
                self.figures.setItem(number, index, item)
        self.figures.setFixedHeight(_height(self.figures))
        self.warnings.setText("\n".join(f"⚠ {text}" for text in warnings))
        self.warnings.setVisible(bool(warnings))

    def show_explanation(self, text: str) -> None:
        """Show why there is nothing else to show."""
        self._scrolled.hide()
        self.explanation.setText(text)
        self.explanation.show()

    def set_running(self, running: bool, message: str = "") -> None:
        """Show that a correction is being applied, or that it is not."""
        for widget in (self.edit_button, self.apply_mask_button):
            widget.setEnabled(not running)
        self.enable_registration(not running)
        self.progress.setVisible(running)
        self.cancel_button.setVisible(running)
        self.cancel_button.setEnabled(running)
        self.progress.setValue(0)
        self.show_message(message)

    def enable_registration(self, enabled: bool) -> None:
        """Enable the registration, unless there is nothing to move or the brain is painted."""
        can_move = self.registration.modality is not None and not self.edit_button.isChecked()
        self.registration.setEnabled(enabled and can_move)

    def show_message(self, text: str) -> None:
        """Show a step, or the result."""
        self.step.setText(text)
        self.step.setVisible(bool(text))

    def show_progress(self, fraction: float, step: str) -> None:
        """Move the bar and show the step."""
        self.progress.setValue(round(fraction * _PROGRESS_STEPS))
        if self.cancel_button.isEnabled():
            self.show_message(step)

    def _lay_out(self, header: QWidget) -> None:
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(6)
        content.addWidget(self.summary)
        content.addWidget(self.figures)
        content.addWidget(self.warnings)
        content.addWidget(QLabel("<b>Brain mask</b>"))
        content.addLayout(row(self.edit_button, self.apply_mask_button))
        content.addWidget(QLabel("<b>Registration</b>"))
        content.addWidget(self.registration)
        content.addWidget(self.progress)
        content.addWidget(self.step)
        content.addWidget(self.cancel_button)
        content.addStretch(1)
        layout = column(self)
        layout.addWidget(header)
        layout.addWidget(self.explanation)
        layout.addWidget(self._scrolled, 1)
        layout.addStretch(0)


def _figures_table() -> QTableWidget:
    table = QTableWidget(0, len(_COLUMNS))
    table.setHorizontalHeaderLabels(_COLUMNS)
    for index, tip in enumerate(_TIPS):
        table.horizontalHeaderItem(index).setToolTip(tip)
    table.verticalHeader().setVisible(False)
    table.verticalHeader().setDefaultSectionSize(24)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setShowGrid(False)
    table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    # It would cover the last row in a narrow dock; all columns are legible there.
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setStretchLastSection(True)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for index, width in enumerate(_COLUMN_WIDTHS):
        table.setColumnWidth(index, width)
    return table


def _height(table: QTableWidget) -> int:
    rows = sum(table.rowHeight(number) for number in range(table.rowCount()))
    return int(table.horizontalHeader().sizeHint().height() + rows + 2 * table.frameWidth())

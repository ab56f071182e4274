"""The widgets of the Follow-up dock and their layout."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QAbstractItemView, QProgressBar, QWidget
from smalltumor.follow_up import BASIS, FollowUp
from smalltumor.report.follow_up_page import headline
from superqt import QElidingLabel

from napari_smalltumor import keys
from napari_smalltumor.follow_up.table_model import ChangesModel
from napari_smalltumor.widgets.layouts import button, column, row, wrapped_label
from napari_smalltumor.widgets.scrolled_label import ScrolledLabel
from napari_smalltumor.widgets.tables import FittedTable, set_up_table

_WIDTH = 348
_STEPS = 100
_MIN_COLUMN_WIDTH = 26
_CHOOSE = "Choose the folder of an earlier scan of this patient, with its mask"
_FIRST = "Segment the case first"
_BUSY = "A comparison is running: wait until it has ended, or cancel it"


class FollowUpPanel(QWidget):
    """From top to bottom: the earlier scan, what is new, the table, warnings, and RANO's category.

    Parameters
    ----------
    header : QWidget
    model : ChangesModel
    """

    def __init__(self, header: QWidget, model: ChangesModel) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self.choose_button = button("Choose earlier scan...", _CHOOSE)
        self.again_button = button("Compare again", "Compare the regions as they are now")
        self.cancel_button = button("Cancel", "Stop the comparison")
        self.progress = QProgressBar()
        self.progress.setRange(0, _STEPS)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.step_label = QElidingLabel()
        self.message = wrapped_label()
        self._headline_text = self._response_text = ""
        self.headline = wrapped_label()
        self.headline.setStyleSheet("font-weight: bold")
        self.table = _table(model)
        self.flicker_button = button(
            "Show earlier scan",
            keys.with_key("Switch between earlier and current scan", keys.FLICKER),
        )
        self.flicker_button.setCheckable(True)
        self.beside_button = button(
            "Side by side",
            keys.with_key("Show the earlier scan, left, beside the current one", keys.BESIDE),
        )
        self.beside_button.setCheckable(True)
        self.contours_button = button(
            "Show contours of the earlier scan",
            "Show them in place of the other reference, which the Compare dock can show again",
        )
        self.report_button = button("Report...", "Write a page of what has changed")
        self.warnings = ScrolledLabel()
        self.response = ScrolledLabel()
        self._lay_out(header)
        self.contours_button.hide()
        self.show_running(False)
        self.show_result(None)

    def show_running(self, running: bool) -> None:
        """Show that a comparison runs, or that it has ended."""
        if not running:
            self.show_progress(0.0, "")
        self.progress.setVisible(running)
        self.step_label.setVisible(running)
        self.cancel_button.setVisible(running)

    def show_progress(self, fraction: float, step: str) -> None:
        """Move the bar and show the step."""
        self.progress.setValue(round(_STEPS * fraction))
        self.step_label.setText(step)

    def set_comparable(self, comparable: bool, *, busy: bool) -> None:
        """Enable what needs regions, unless a comparison runs."""
        self.choose_button.setEnabled(comparable and not busy)
        self.choose_button.setToolTip(_BUSY if busy else _CHOOSE if comparable else _FIRST)

    def show_message(self, text: str) -> None:
        """Show what is missing, what is done, or why it failed."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def show_result(self, follow_up: FollowUp | None, warnings: Sequence[str] = ()) -> None:
        """Show what has changed and the reasons to doubt it; nothing without a comparison."""
        for widget in self._of_result:
            widget.setVisible(follow_up is not None)
        self.again_button.setEnabled(follow_up is not None)
        if follow_up is None:
            self._headline_text = self._response_text = ""
            return
        self._headline_text = headline(follow_up)
        self.warnings.show_text(_warnings_text(warnings))
        response = follow_up.response
        similarity = follow_up.registrations[-1].similarity
        self._response_text = (
            f"RANO, from measurements only: {response.category}; {'; '.join(response.reasons)}. "
            f"{BASIS} Similarity of the heads: {similarity:.2f}."
        )

    def show_outdated(self, outdated: bool) -> None:
        """Say, and show in grey, whether the masks or images are others than those compared."""
        prefix = "Outdated: " if outdated else ""
        self.headline.setText(f"{prefix}{self._headline_text}")
        self.response.show_text(f"{prefix}{self._response_text}")
        for text in (self.headline, self.response):
            text.setEnabled(not outdated)
        self.table.setStyleSheet("QTableView { color: gray }" if outdated else "")

    @property
    def _of_result(self) -> tuple[QWidget, ...]:
        """What is shown with a comparison only."""
        buttons = self.flicker_button, self.beside_button, self.report_button
        return (self.headline, self.table, *buttons, self.warnings, self.response)

    def _lay_out(self, header: QWidget) -> None:
        layout = column(self)
        layout.addWidget(header)
        layout.addLayout(row(self.choose_button, self.again_button))
        layout.addWidget(self.message)
        layout.addWidget(self.contours_button)
        layout.addWidget(self.progress)
        layout.addWidget(self.step_label)
        layout.addWidget(self.cancel_button)
        layout.addWidget(self.headline)
        layout.addWidget(self.table, 1)
        layout.addLayout(row(self.flicker_button, self.beside_button, self.report_button))
        layout.addWidget(self.warnings, 1)
        layout.addWidget(self.response, 1)
        layout.addStretch(0)


def _warnings_text(warnings: Sequence[str]) -> str:
    reasons = [f"• {text}" for text in warnings]
    return "\n".join(["⚠ Reasons to doubt this comparison:", *reasons]) if reasons else ""


def _table(model: ChangesModel) -> FittedTable:
    table = FittedTable()
    table.setModel(model)
    set_up_table(table, _MIN_COLUMN_WIDTH, 0)
    table.setSortingEnabled(False)  # new lesions stay first
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.horizontalHeader().setResizeContentsPrecision(-1)  # of all rows, which are few
    model.modelReset.connect(table.fit_columns)
    table.fit_columns()
    return table

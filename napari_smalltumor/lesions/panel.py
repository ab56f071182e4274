"""The widgets of the Lesions dock and their layout."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QItemSelectionModel
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QWidget,
)
from smalltumor.labels.regions import REGION_NAMES, Region
from smalltumor.lesions import Lesion
from superqt import QElidingLabel

from napari_smalltumor import keys
from napari_smalltumor.lesions.second_look.table import CandidatesTable
from napari_smalltumor.lesions.table.model import SPECKS_TIP, LesionsModel
from napari_smalltumor.lesions.table.view import LesionsTable
from napari_smalltumor.widgets.layouts import allow_shrinking, button, column, row, wrapped_label

_WIDTH = 348
_MAXIMUM_MM3 = 1_000_000

CANDIDATES_TIP = (
    "Spots outside the mask that may be enhancing lesions, the most likely first. Add puts the "
    "selected candidate into ET, TC and WT; Reject removes it from the list for this patient."
)
_ACCEPT = "Accept", keys.with_key("Accept the selected lesions, or undo that", keys.ACCEPT)
_DELETE = (
    "Delete",
    f"Delete the selected lesions ({keys.DELETE.sequence}, or Delete in the table)",
)
_ADD = "Add", keys.with_key("Add the candidate to ET, TC and WT", keys.ACCEPT)
_REJECT = "Reject", keys.with_key("Reject the candidate for this patient", keys.DELETE)


class LesionsPanel(QWidget):
    """From top to bottom: header, choice of segmentation and region, table, and buttons.

    Parameters
    ----------
    model : LesionsModel
    header : QWidget
    """

    def __init__(self, model: LesionsModel, header: QWidget) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self.source_box = _combo("The mask whose lesions are listed")
        self.region_box = _combo("The region whose 26-connected components are the lesions")
        self.threshold = _volume("Lesions of a smaller volume are small: ringed, and listed first")
        self.speck_below_mm3 = _volume(
            f"Components of a smaller volume are folded into one row; 0 folds none.\n{SPECKS_TIP}",
            minimum=0,
        )
        self.speck_probability = _probability(
            "Only components with a lower mean probability are folded; 1 folds all of that size"
        )
        self.ring_box = QCheckBox("Ring small lesions")
        self.ring_box.setToolTip("Draw a ring around each small lesion, in 2D and 3D")
        self.ring_box.setChecked(True)
        self.table = LesionsTable(model)
        self.candidates_title = wrapped_label()
        self.candidates_table = CandidatesTable()
        self._summary_line = wrapped_label()
        self._message_line = QElidingLabel()
        self.previous_button = button(
            "Previous", keys.with_key("Go to the previous small lesion", keys.PREVIOUS)
        )
        self.next_button = button(
            "Next", keys.with_key("Go to the next small lesion that is not accepted", keys.NEXT)
        )
        self.accept_button = button(*_ACCEPT)
        self.delete_button = button(*_DELETE)
        self.undo_button = button("Undo", keys.with_key("Undo the last step", keys.UNDO))
        self.fold_button = button(
            "List specks",
            keys.with_key("List the specks one by one, or fold them into one row", keys.FOLD),
        )
        self.fold_button.setCheckable(True)
        self.delete_specks_button = button(
            "Delete specks", keys.with_key("Delete all specks from the mask", keys.DELETE_SPECKS)
        )
        self.copy_button = button("Cop&y", "Copy the selected rows, or all rows, for a spreadsheet")
        self.save_button = button("Save CSV...", "Save the table with all its columns")
        self.accept_button.setCheckable(True)
        self._lay_out(header)

    def set_regions(self, regions: Sequence[Region]) -> None:
        """Set the regions that the user can choose from."""
        self.region_box.clear()
        for region in (r for r in Region if r in regions):
            name = f"{REGION_NAMES[region].capitalize()} ({region.name})"
            self.region_box.addItem(name, region.value)

    def selected_rows(self) -> list[int]:
        """Return the selected rows from top to bottom."""
        return sorted(index.row() for index in self.table.selectionModel().selectedRows())

    def select_row(self, row: int | None) -> None:
        """Select a row alone and scroll to it; None leaves the selection as it is."""
        if row is None:
            return
        selection = self.table.selectionModel()
        index = self.table.model().index(row, 0)
        how = QItemSelectionModel.SelectionFlag
        if row not in self.selected_rows():
            selection.setCurrentIndex(index, how.ClearAndSelect | how.Rows)
        self.table.scrollTo(index)

    def show_summary(self, text: str) -> None:
        """Show the line under the table, and fit the columns to the rows."""
        self.table.show_probabilities()
        self._summary_line.setText(text)
        self.table.fit_columns()

    def show_message(self, text: str) -> None:
        """Show the result of the last action, or why it did nothing."""
        self._message_line.setText(text)
        self._message_line.setToolTip(text)  # the line is cut if the dock is narrow

    @property
    def message(self) -> str:
        """The result of the last action."""
        return str(self._message_line.text())

    def show_specks(self, count: int, *, unfolded: bool, from_network: bool) -> None:
        """Show the buttons for specks if there are any, and a probability if one is known."""
        for widget in (self.fold_button, self.delete_specks_button):
            widget.setVisible(count > 0)
        self.fold_button.setChecked(unfolded)
        self.speck_probability.setVisible(from_network)

    def show_candidates(
        self, title: str, candidates: Sequence[Lesion], current: Lesion | None, about: str = ""
    ) -> None:
        """Show the second list; hidden without a title. What is said about it is in its tip."""
        self.candidates_title.setText(title)
        self.candidates_title.setToolTip("\n".join(filter(None, (CANDIDATES_TIP, about))))
        for widget in (self.candidates_title, self.candidates_table):
            widget.setVisible(bool(title))
        self.candidates_table.setVisible(bool(title and candidates))
        self.candidates_table.show_candidates(candidates, current)

    def enable_buttons(
        self,
        *,
        selected: bool,
        small: bool,
        undo: bool,
        rows: bool,
        accepted: bool,
        candidate: bool = False,
    ) -> None:
        """Enable the buttons for which there is something to act on, and name what they do.

        Parameters
        ----------
        selected : bool
            Whether lesions are selected.
        small : bool
            Whether there are small lesions.
        undo : bool
            Whether a step can be undone.
        rows : bool
            Whether the table has rows.
        accepted : bool
            Whether the selected lesions are accepted.
        candidate : bool
            Whether a candidate is selected, which is added to the mask or rejected.
        """
        for widget, (name, tooltip) in (
            (self.accept_button, _ADD if candidate else _ACCEPT),
            (self.delete_button, _REJECT if candidate else _DELETE),
        ):
            widget.setText(name)
            widget.setToolTip(tooltip)
        for widget in (self.accept_button, self.delete_button):
            widget.setEnabled(selected)
        self.accept_button.setChecked(accepted)
        for widget in (self.previous_button, self.next_button):
            widget.setEnabled(small)
        for widget in (self.copy_button, self.save_button):
            widget.setEnabled(rows)
        self.undo_button.setEnabled(undo)

    def _lay_out(self, header: QWidget) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(6)
        form.setVerticalSpacing(4)
        for name, field in (
            ("Mask", self.source_box),
            ("Region", self.region_box),
            ("Small below", self.threshold),
            ("Specks below", _side_by_side(self.speck_below_mm3, self.speck_probability)),
            ("", self.ring_box),
        ):
            form.addRow(QLabel(name), field)
        self._message_line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for line in (self._summary_line, self._message_line):
            line.setMinimumHeight(line.fontMetrics().height())
        layout = column(self)
        layout.addWidget(header)  # Tab goes through widgets in the order in which they are added
        layout.addLayout(form)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._summary_line)
        layout.addWidget(self.candidates_title)
        layout.addWidget(self.candidates_table)
        layout.addLayout(row(self.previous_button, self.next_button, self.accept_button))
        layout.addLayout(row(self.delete_button, self.undo_button))
        layout.addLayout(row(self.fold_button, self.delete_specks_button))
        layout.addLayout(row(self.copy_button, self.save_button))
        layout.addWidget(self._message_line)


def _combo(tooltip: str) -> QComboBox:
    combo = QComboBox()
    combo.setToolTip(tooltip)
    allow_shrinking(combo)
    return combo


def _volume(tooltip: str, minimum: int = 1) -> QSpinBox:
    box = QSpinBox()
    box.setRange(minimum, _MAXIMUM_MM3)
    box.setSuffix(" mm³")
    _set_up_number(box, tooltip)
    return box


def _probability(tooltip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0, 1)
    box.setSingleStep(0.05)
    box.setPrefix("prob. ")
    box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)  # there is no room for them
    _set_up_number(box, tooltip)
    return box


def _set_up_number(box: QAbstractSpinBox, tooltip: str) -> None:
    """Report a number when it is complete, not after each digit."""
    box.setToolTip(tooltip)
    box.setKeyboardTracking(False)


def _side_by_side(*widgets: QWidget) -> QHBoxLayout:
    layout = row(*widgets)
    for number in range(layout.count()):
        layout.setStretch(number, layout.count() - number)
    return layout

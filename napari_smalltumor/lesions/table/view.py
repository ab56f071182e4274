"""The table of lesions: its columns, and the keys of its rows."""

from __future__ import annotations

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QMenu

from napari_smalltumor.lesions.table.columns import COLUMNS, PROBABILITY, SHOWN_FIRST, VOLUME
from napari_smalltumor.lesions.table.model import LesionsModel
from napari_smalltumor.widgets.tables import FittedTable, set_up_table

_MARK_WIDTH = 24
_SIGNALS = {
    Qt.Key.Key_Delete: "delete_pressed",
    Qt.Key.Key_Space: "accept_pressed",
    Qt.Key.Key_Escape: "escaped",
}


class LesionsTable(FittedTable):
    """The table of lesions. A right click on a column title shows or hides columns."""

    copied = Signal()
    delete_pressed = Signal()
    accept_pressed = Signal()
    activated_row = Signal(int)
    """Enter was pressed in a row."""
    escaped = Signal()
    first_width = _MARK_WIDTH  # the text of the specks' row runs over all columns

    def __init__(self, model: LesionsModel) -> None:
        super().__init__()
        self.setModel(model)
        set_up_table(self, _MARK_WIDTH, VOLUME)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        header = self.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._show_column_menu)
        model.headerDataChanged.connect(self.fit_columns)
        for number in range(SHOWN_FIRST, len(COLUMNS)):
            self.setColumnHidden(number, True)
        self.fit_columns()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Emit the signal of a key of the review.

        The Delete key is used here only, because in napari's layer list it removes layers. Qt
        would copy a single cell, and search the text of the rows for letters.
        """
        signal = _SIGNALS.get(Qt.Key(event.key()))
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated_row.emit(self.currentIndex().row())
        elif signal is not None and not event.modifiers():
            getattr(self, signal).emit()
        else:
            super().keyPressEvent(event)

    def span_specks_row(self) -> None:
        """Let the text of the specks' row run over all columns."""
        self.clearSpans()
        row = self.model().specks_row
        if row is not None:
            self.setSpan(row, 0, 1, len(COLUMNS))

    def show_probabilities(self) -> None:
        """Show the probability column if any lesion has a probability."""
        known = any(x.mean_probability is not None for x in self.model().lesions)
        self.setColumnHidden(PROBABILITY, not known)

    def _show_column_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        for number in range(1, len(COLUMNS)):
            action = menu.addAction(f"{COLUMNS[number].title}: {COLUMNS[number].tip}")
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.toggled.connect(lambda on, number=number: self._show_column(number, on))
        menu.exec_(self.horizontalHeader().mapToGlobal(position))

    def _show_column(self, number: int, on: bool) -> None:
        self.setColumnHidden(number, not on)
        self.fit_columns()

"""The widgets of the Worklist dock and their layout."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QWidget,
)
from smalltumor.cohort.reviews.ranking import Order

from napari_smalltumor import keys
from napari_smalltumor.widgets.layouts import button, column, row, wrapped_label
from napari_smalltumor.widgets.tables import set_up_table
from napari_smalltumor.worklist.table_model import COLUMNS, WorklistModel

_WIDTH = 348
_MIN_COLUMN_WIDTH, _CELL_MARGIN = 22, 10
_WIDEST = ("▸✓", "", "88", "888", "888", "0.88")
_NAME = 1
_ORDERS = {Order.LOOK: "Deserves a look first", Order.CERTAINTY: "Least certain first"}


class WorklistPanel(QWidget):
    """From top to bottom: the folder, the table, what is known of a case, and the review.

    Parameters
    ----------
    header : QWidget
    model : WorklistModel
    """

    def __init__(self, header: QWidget, model: WorklistModel) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self.choose_button = button(
            "Open results...", 'Choose a folder that the command "smalltumor cohort" has written'
        )
        self.data_button = button(
            "Images...", "Choose the folder of the cases, if it was moved since"
        )
        self.progress = wrapped_label()
        self.order_box = QComboBox()
        for order, title in _ORDERS.items():
            self.order_box.addItem(title, order)
        self.order_box.setAccessibleName("Order")
        self.order_box.setToolTip(
            "Warnings, candidates and doubtful small lesions first, or the least certain cases"
        )
        self.table = _table(model)
        self.about = wrapped_label()
        self.previous_button = button(
            "Previous", keys.with_key("Open the previous unreviewed case", keys.PREVIOUS_CASE)
        )
        self.next_button = button(
            "Next", keys.with_key("Open the next unreviewed case", keys.NEXT_CASE)
        )
        self.lesion_button = button(
            "Next lesion",
            keys.with_key("Go to the next candidate or small lesion", keys.NEXT_LISTED),
        )
        self.reader_field = QLineEdit()
        self.reader_field.setPlaceholderText("your name")
        self.reader_field.setAccessibleName("Reader")
        self.save_button = button(
            "Save as reviewed", keys.with_key("Save the mask as reviewed by you", keys.REVIEWED)
        )
        self.message = wrapped_label()
        self._lay_out(header)

    def _lay_out(self, header: QWidget) -> None:
        layout = column(self)
        layout.addWidget(header)
        layout.addLayout(row(self.choose_button, self.data_button))
        layout.addWidget(self.progress)
        layout.addWidget(self.order_box)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.about)
        layout.addLayout(row(self.previous_button, self.next_button, self.lesion_button))
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Reader", self.reader_field)
        layout.addLayout(form)
        layout.addWidget(self.save_button)
        layout.addWidget(self.message)


def _table(model: WorklistModel) -> QTableView:
    table = QTableView()
    table.setModel(model)
    set_up_table(table, _MIN_COLUMN_WIDTH, 0)
    table.setSortingEnabled(False)  # the order is chosen above
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setAccessibleName("Cases")
    header = table.horizontalHeader()
    metrics = table.fontMetrics()
    for number, (title, _, _) in enumerate(COLUMNS):
        widest = max(map(metrics.horizontalAdvance, (title, _WIDEST[number])))
        table.setColumnWidth(number, widest + _CELL_MARGIN)
    header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
    return table

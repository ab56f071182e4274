"""The widgets of the Compare dock and their layout."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QWidget,
)
from smalltumor.labels.regions import REGION_NAMES, Region
from superqt import QElidingLabel

from napari_smalltumor import keys
from napari_smalltumor.compare.choices import ReferenceChoice
from napari_smalltumor.compare.region_scores import RegionScoresView
from napari_smalltumor.compare.table_model import ComparedLesionsModel
from napari_smalltumor.widgets.elided_combo_box import elide_long_texts
from napari_smalltumor.widgets.layouts import allow_shrinking, button, column, row, wrapped_label
from napari_smalltumor.widgets.tables import FittedTable, set_up_table

_WIDTH = 348
_MIN_COLUMN_WIDTH = 26
_NO_REFERENCE = "none"
_CHOOSE = "Compare with any mask of this patient"


class ComparePanel(QWidget):
    """From top to bottom: the reference, the scores of each region, and the lesions of one.

    A mask that is dropped on the panel becomes the reference.

    Parameters
    ----------
    header : QWidget
    model : ComparedLesionsModel
    """

    def __init__(self, header: QWidget, model: ComparedLesionsModel) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self.reference_box = QComboBox()
        self.reference_box.setToolTip("The mask that the segmentation is compared with")
        self.reference_box.setAccessibleName("Reference")
        elide_long_texts(self.reference_box, _NO_REFERENCE)
        allow_shrinking(self.reference_box)
        self.file_button = button("Choose file...", _CHOOSE)
        self.expert_label = wrapped_label("This case comes with an expert's mask.")
        self.expert_button = button("Compare with the expert", "Show the expert's contours")
        self.contours_box = QCheckBox("Show its contours")
        self.contours_box.setToolTip(keys.with_key("Show or hide the contours", keys.REFERENCE))
        self.message = wrapped_label()
        self.compared_with = QElidingLabel()
        self.scores = RegionScoresView()
        self.region_box = QComboBox()
        self.region_box.setToolTip("The region whose lesions are listed")
        self.region_box.setAccessibleName("Region")
        allow_shrinking(self.region_box)
        for region in Region:
            self.region_box.addItem(f"{REGION_NAMES[region].capitalize()} ({region.name})", region)
        self.summary = QElidingLabel()
        self.joined = wrapped_label()
        self.table = _lesion_table(model)
        self._lay_out(header)

    @property
    def region(self) -> Region:
        """The region whose lesions are listed."""
        return Region(self.region_box.currentData())

    def show_choices(
        self, choices: Sequence[ReferenceChoice], current: ReferenceChoice | None
    ) -> None:
        """List what can be the reference, after the choice of none."""
        listed = list(choices)
        if current is not None and not any(choice.is_same(current) for choice in listed):
            listed.append(current)
        self.reference_box.clear()
        self.reference_box.addItem(_NO_REFERENCE, None)
        for choice in listed:
            self.reference_box.addItem(choice.title, choice)
            if choice.is_same(current):
                self.reference_box.setCurrentIndex(self.reference_box.count() - 1)
        self.reference_box.setEnabled(bool(listed))

    def show_expert(self, shown: bool) -> None:
        """Offer the expert's mask, or not."""
        self.expert_label.setVisible(shown)
        self.expert_button.setVisible(shown)

    def set_comparable(self, comparable: bool) -> None:
        """Enable what needs a patient."""
        self.file_button.setEnabled(comparable)
        self.file_button.setToolTip(_CHOOSE if comparable else "Open a case first")

    def show_message(self, text: str) -> None:
        """Show what is being read, what is missing, or why a mask was not compared."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def show_joined(self, text: str) -> None:
        """Say that components of the reference were joined; empty if none was."""
        self.joined.setText(text)
        self.joined.setVisible(bool(text))

    def show_compared_with(self, title: str) -> None:
        """Name the reference above its scores; empty without a reference."""
        self.compared_with.setText(f"Compared with {title}" if title else "")
        self.compared_with.setToolTip(title)
        self.compared_with.setVisible(bool(title))

    def _lay_out(self, header: QWidget) -> None:
        layout = column(self)
        layout.addWidget(header)
        layout.addLayout(_labelled("Reference", self.reference_box))
        layout.addLayout(row(self.file_button, self.contours_box))
        layout.addWidget(self.expert_label)
        layout.addWidget(self.expert_button)
        layout.addWidget(self.message)
        layout.addWidget(self.compared_with)
        layout.addWidget(self.scores)
        layout.addLayout(_labelled("Lesions of", self.region_box))
        layout.addWidget(self.table, 1)
        layout.addWidget(self.summary)
        layout.addWidget(self.joined)
        self.summary.setMinimumHeight(self.summary.fontMetrics().height())


def _labelled(text: str, field: QWidget) -> QHBoxLayout:
    label = QLabel(text)
    label.setBuddy(field)
    layout = QHBoxLayout()
    layout.setSpacing(6)
    layout.addWidget(label)
    layout.addWidget(field, 1)
    return layout


def _lesion_table(model: ComparedLesionsModel) -> FittedTable:
    table = FittedTable()
    table.setModel(model)
    set_up_table(table, _MIN_COLUMN_WIDTH, 0)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.horizontalHeader().setResizeContentsPrecision(-1)  # of all rows, which are few
    model.modelReset.connect(table.fit_columns)
    model.headerDataChanged.connect(table.fit_columns)
    table.fit_columns()
    return table

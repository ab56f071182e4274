"""No number of a dock's table is cut, whatever its size; a table that is too narrow scrolls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtGui import QStandardItem, QStandardItemModel
from qtpy.QtWidgets import QTableView, QWidget
from report_cases import SHAPE, ball, brain_case
from smalltumor.data.segmentation import Segmentation
from smalltumor.follow_up import ChangeKind, LesionChange
from smalltumor.measures import measure_case

from napari_smalltumor.compare.panel import _lesion_table
from napari_smalltumor.compare.table_model import ComparedLesionsModel
from napari_smalltumor.follow_up.panel import FollowUpPanel
from napari_smalltumor.follow_up.table_model import ChangesModel
from napari_smalltumor.lesions.second_look.table import CandidatesTable
from napari_smalltumor.widgets.tables import FittedTable

DOCK_WIDTH = 348


def cut(table: QTableView) -> list[str]:
    """Texts that need more than the width of their column."""
    model = table.model()
    columns = range(model.columnCount())
    return [
        str(model.index(row, n).data())
        for row in range(model.rowCount())
        for n in columns
        if table.sizeHintForIndex(model.index(row, n)).width() > table.columnWidth(n)
    ]


@pytest.fixture(scope="module")
def lesion():
    """The measures of a lesion of a small grid."""
    case = brain_case()
    classes = ball(np.zeros(SHAPE, np.uint8), (22, 30, 20), 8)
    return measure_case(case, Segmentation(case.name, classes, case.grid)).lesions[0]


def of_size(lesion, mm3: int):
    return replace(lesion, lesion=replace(lesion.lesion, mm3=float(mm3)))


@pytest.mark.one_binding  # the text of PyQt5 is wider by a few pixels, for which the table scrolls
def test_large_volumes_and_places_of_a_follow_up_are_whole(qtbot, lesion):
    model = ChangesModel()
    panel = FollowUpPanel(QWidget(), model)
    qtbot.addWidget(panel)
    panel.resize(DOCK_WIDTH, 700)
    panel.table.setVisible(True)
    panel.show()
    small, large = of_size(lesion, 10), of_size(lesion, 234_567)
    midline = replace(lesion, lesion=replace(large.lesion, slices=(154, 200, 200)))
    changes = [
        LesionChange(ChangeKind.NEW, (), (large,)),
        LesionChange(ChangeKind.GROWN, (small,), (large,)),
        LesionChange(ChangeKind.GONE, (midline,), ()),
    ]
    model.set_changes(changes)
    assert cut(panel.table) == []
    widths = [panel.table.columnWidth(n) for n in range(model.columnCount())]
    assert sum(widths) <= panel.table.viewport().width()
    assert model.index(1, 3).data() == "234,567" and model.index(1, 4).data() == ">10×"
    assert [model.index(row, 6).data() for row in (0, 2)] == [
        str(large.lesion.slices[0]),
        "(154)",
    ]


def test_candidates_on_the_midline_are_whole(qtbot, lesion):
    table = CandidatesTable()
    qtbot.addWidget(table)
    table.resize(DOCK_WIDTH - 16, 100)
    table.show()
    table.show_candidates([of_size(lesion, 234_567).lesion], None)
    table.candidates.lesions[0] = replace(table.candidates.lesions[0], score=0.14)
    table.fit_columns()
    assert cut(table) == []


def test_the_table_of_compare_is_fitted(qtbot):
    table = _lesion_table(ComparedLesionsModel())
    qtbot.addWidget(table)
    assert isinstance(table, FittedTable)


@pytest.mark.parametrize("width", [120, 600])
def test_columns_fit_their_text_and_share_what_is_left(qtbot, width):
    model = QStandardItemModel(0, 3)
    model.setHorizontalHeaderLabels(["a", "b", "c"])
    table = FittedTable()
    qtbot.addWidget(table)
    table.setModel(model)
    table.verticalHeader().hide()
    table.resize(width, 100)
    table.show()
    model.appendRow([QStandardItem(text) for text in ("1", "1,234,567,890", "+12,345 %")])
    table.fit_columns()
    assert cut(table) == []
    if width == 600:
        assert sum(map(table.columnWidth, range(3))) == pytest.approx(
            table.viewport().width(), abs=3
        )

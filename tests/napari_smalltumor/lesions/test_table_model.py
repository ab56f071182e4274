"""The table model: rows, order, texts; no display, not even an application."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPersistentModelIndex, Qt
from smalltumor.geometry.grid import Grid
from smalltumor.lesions import find_lesions

from napari_smalltumor.lesions.table_model import COLUMNS, PROBABILITY, VOXELS, LesionsModel

TITLES = [column.title for column in COLUMNS]


@pytest.fixture
def lesions():
    mask = np.zeros((30, 30, 30), bool)
    for start, edge in ((1, 3), (8, 2), (14, 5), (22, 6)):  # 27, 8, 125 and 216 voxels
        mask[start : start + edge, 2 : 2 + edge, start : start + edge] = True
    probabilities = np.zeros((4, *mask.shape), np.float32)
    probabilities[3] = np.linspace(1, 0, mask.size).reshape(mask.shape)
    grid = Grid(mask.shape, np.diag([-1.0, -1, 1, 1]))
    return find_lesions(mask, grid, threshold=100, probabilities=probabilities)


@pytest.fixture
def model(lesions):
    model = LesionsModel()
    model.set_lesions(lesions)
    return model


def column(model, title, role=Qt.ItemDataRole.DisplayRole):
    at = TITLES.index(title)
    return [model.data(model.index(row, at), role) for row in range(model.rowCount())]


def test_small_lesions_come_first_by_whatever_is_sorted(model):
    assert column(model, "voxels") == ["8", "27", "125", "216"]
    model.sort(VOXELS, Qt.SortOrder.DescendingOrder)
    assert column(model, "voxels") == ["27", "8", "216", "125"]
    model.sort(TITLES.index("i"), Qt.SortOrder.AscendingOrder)
    assert column(model, "voxels") == ["27", "8", "125", "216"]
    model.sort(PROBABILITY, Qt.SortOrder.AscendingOrder)
    assert column(model, "voxels") == ["8", "27", "216", "125"]


def test_texts_values_and_tips(model, lesions):
    assert column(model, "") == ["○", "○", "", ""]
    assert column(model, "ml")[3] == "0.216"
    assert column(model, "R")[0] == format(lesions[0].centroid_ras_mm[0], ".0f")
    assert column(model, "voxels", Qt.ItemDataRole.UserRole) == [8, 27, 125, 216]
    first, last = (column(model, f"i {end}")[0] for end in ("first", "last"))
    assert (int(first), int(last)) == (lesions[0].box[0][0], lesions[0].box[0][1] - 1)
    assert "8 voxels" in column(model, "ml", Qt.ItemDataRole.ToolTipRole)[0]
    header = model.headerData(VOXELS, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert header == "Number of voxels"


def test_an_unknown_probability_is_a_dash_and_sorts_last(lesions):
    from dataclasses import replace

    model = LesionsModel()
    model.set_lesions([replace(lesions[0], mean_probability=None), lesions[1]])
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        model.sort(PROBABILITY, order)
        assert column(model, "p")[1] == "–"


def test_order_survives_new_lesions_and_selection_survives_sorting(model, lesions):
    model.sort(VOXELS, Qt.SortOrder.DescendingOrder)
    kept = QPersistentModelIndex(model.index(model.row_of(lesions[0]), 0))
    model.sort(VOXELS, Qt.SortOrder.AscendingOrder)
    assert model.lesion(kept.row()) == lesions[0]
    model.sort(VOXELS, Qt.SortOrder.DescendingOrder)
    model.set_lesions(lesions[1:])
    assert column(model, "voxels") == ["27", "216", "125"]
    assert model.row_of(lesions[0]) is None


def test_accepted_rows_are_marked(model, lesions):
    model.set_lesions(lesions, [False, True, False, False])
    assert column(model, "") == ["○", "✓", "", ""]
    model.sort(VOXELS, Qt.SortOrder.DescendingOrder)
    assert column(model, "") == ["✓", "○", "", ""]


def test_nothing_beyond_the_rows(model):
    assert model.lesion(-1) is None and model.lesion(4) is None
    assert model.data(model.index(9, 0)) is None
    assert model.rowCount(model.index(0, 0)) == 0

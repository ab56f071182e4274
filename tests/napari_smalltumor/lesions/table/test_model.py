"""The table model: rows, order, texts; no display, not even an application."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPersistentModelIndex, Qt
from smalltumor.data.midsagittal_plane import MidsagittalPlane
from smalltumor.geometry.grid import Grid
from smalltumor.lesions import find_lesions

from napari_smalltumor.lesions.table.columns import COLUMNS, PROBABILITY, VOLUME
from napari_smalltumor.lesions.table.model import LesionsModel

TITLES = [column.title for column in COLUMNS]


@pytest.fixture
def lesions():
    mask = np.zeros((30, 30, 30), bool)
    for start, edge in ((1, 3), (8, 2), (14, 5), (22, 6)):  # 27, 8, 125 and 216 voxels
        mask[start : start + edge, 2 : 2 + edge, start : start + edge] = True
    probabilities = np.zeros((4, *mask.shape), np.float32)
    probabilities[3] = np.linspace(1, 0, mask.size).reshape(mask.shape)
    grid = Grid(mask.shape, np.diag([-1.0, -1, 1, 1]))
    return find_lesions(
        mask,
        grid,
        threshold=100,
        probabilities=probabilities,
        plane=MidsagittalPlane((1.0, 0.0, 0.0), -16.0, 1.0),
    )


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
    model.sort(VOLUME, Qt.SortOrder.DescendingOrder)
    assert column(model, "voxels") == ["27", "8", "216", "125"]
    model.sort(TITLES.index("sag"), Qt.SortOrder.AscendingOrder)
    assert column(model, "voxels") == ["27", "8", "125", "216"]
    model.sort(PROBABILITY, Qt.SortOrder.AscendingOrder)
    assert column(model, "voxels") == ["8", "27", "216", "125"]


def test_cells_give_units_sides_and_slices_and_their_tips_the_rest(model, lesions):
    assert column(model, "") == ["○", "○", "", ""]
    assert column(model, "ml")[3] == "0.216"
    assert column(model, "R")[0] == format(lesions[0].centroid_ras_mm[0], ".0f")
    assert column(model, "voxels", Qt.ItemDataRole.UserRole) == [8, 27, 125, 216]
    assert column(model, "side") == ["right", "right", "midline", "left"]
    assert column(model, "ax") == [str(lesion.slices[0]) for lesion in lesions]
    tip = column(model, "ml", Qt.ItemDataRole.ToolTipRole)[0]
    axial, coronal, sagittal = lesions[0].slices
    assert f"patient's right; axial {axial}, coronal {coronal}, sagittal {sagittal}" in tip
    assert "8 voxels" in column(model, "ml", Qt.ItemDataRole.ToolTipRole)[0]
    header = model.headerData(VOLUME, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert header == "Volume in cubic millimetres"


def test_an_unknown_probability_is_a_dash_and_sorts_last(lesions):
    from dataclasses import replace

    model = LesionsModel()
    model.set_lesions([replace(lesions[0], mean_probability=None), lesions[1]])
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        model.sort(PROBABILITY, order)
        assert column(model, "prob.")[1] == "–"


def test_order_survives_new_lesions_and_selection_survives_sorting(model, lesions):
    model.sort(VOLUME, Qt.SortOrder.DescendingOrder)
    kept = QPersistentModelIndex(model.index(model.row_of(lesions[0]), 0))
    model.sort(VOLUME, Qt.SortOrder.AscendingOrder)
    assert model.lesion(kept.row()) == lesions[0]
    model.sort(VOLUME, Qt.SortOrder.DescendingOrder)
    model.set_lesions(lesions[1:])
    assert column(model, "voxels") == ["27", "216", "125"]
    assert model.row_of(lesions[0]) is None


def test_accepted_rows_are_marked(model, lesions):
    model.set_lesions(lesions, lesions[1:2])
    assert column(model, "") == ["○", "✓", "", ""]
    model.sort(VOLUME, Qt.SortOrder.DescendingOrder)
    assert column(model, "") == ["✓", "○", "", ""]


def test_a_row_that_does_not_exist_holds_nothing(model):
    assert model.lesion(-1) is None and model.lesion(4) is None
    assert model.data(model.index(9, 0)) is None
    assert model.rowCount(model.index(0, 0)) == 0


def test_the_sorting_arrow_stands_before_its_title(model):
    def titles():
        shown = (model.headerData(n, Qt.Orientation.Horizontal) for n in range(len(COLUMNS)))
        return [title for title in shown if title not in TITLES]

    assert titles() == ["▴ mm³"]
    model.sort(TITLES.index("3D mm"), Qt.SortOrder.DescendingOrder)
    assert titles() == ["▾ 3D mm"]


@pytest.fixture
def folded(lesions):
    """A table whose two smallest lesions are specks, folded into the last row."""
    model = LesionsModel()
    model.set_lesions(lesions, specks=lesions[:2], specks_title="2 specks")
    return model


def test_specks_are_one_row_at_the_end(folded, lesions):
    assert column(folded, "voxels") == ["125", "216", None]
    assert folded.specks_row == 2 and column(folded, "")[2] == "▸ 2 specks"
    assert folded.lesion(2) is None
    assert folded.lesions_at([1, 2]) == [lesions[3], *lesions[:2]]
    assert len(folded.lesions) == 4  # they are saved and copied with the others


def test_unfolded_specks_follow_their_row_and_are_sorted_among_themselves(folded, lesions):
    folded.set_lesions(lesions, specks=lesions[:2], specks_title="2 specks", unfolded=True)
    assert column(folded, "")[2] == "▾ 2 specks"
    folded.sort(VOLUME, Qt.SortOrder.DescendingOrder)
    assert column(folded, "voxels") == ["216", "125", None, "27", "8"]
    assert folded.lesions_at([2, 3]) == [lesions[1], lesions[0]]
    assert folded.row_of(lesions[0]) == 4


def test_a_row_of_specks_stays_selected_when_it_is_sorted(folded):
    kept = QPersistentModelIndex(folded.index(2, 0))
    folded.sort(VOLUME, Qt.SortOrder.DescendingOrder)
    assert kept.row() == folded.specks_row


def test_the_lesion_after_some_is_the_next_row_or_the_last_before(model, lesions):
    assert model.following(lesions[:1]) == lesions[1]
    assert model.following([lesions[1], lesions[2]]) == lesions[3]
    assert model.following([lesions[3]]) == lesions[2]
    assert model.following(lesions) is None

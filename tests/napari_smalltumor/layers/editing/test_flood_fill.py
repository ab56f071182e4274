"""A fill outside a closed outline is taken back; one inside it stays."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_layers import show_regions, synthetic_case

from napari_smalltumor import notify


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(notify, "warn", shown.append)
    return shown


@pytest.fixture
def layer(viewer, warnings):
    show_regions(viewer, synthetic_case())
    layer = viewer.layers["Pat ET"]
    layer.mode, layer.selected_label, layer.contour = "fill", 1, 1
    return layer


def click(layer, *voxel: int) -> None:
    """Fill at a voxel as a click does, in one step of undo."""
    with layer.block_history():
        layer.fill(voxel, layer.selected_label)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_fill_of_the_background_is_taken_back_with_a_warning(viewer, layer, warnings, dimensions):
    layer.n_edit_dimensions = dimensions
    before = {x.name: x.data.copy() for x in viewer.layers}
    click(layer, 0, 0, 0)
    assert all(np.array_equal(x.data, before[x.name]) for x in viewer.layers)
    assert warnings == [
        "Fill undone: it reached the edge of the image. Fill Pat ET only inside a closed outline."
    ]
    layer.redo()  # a user who means it can repeat it
    assert np.count_nonzero(layer.data) > np.count_nonzero(before["Pat ET"])


def test_a_fill_inside_a_closed_outline_stays_and_can_be_undone(viewer, layer, warnings):
    shape = layer.data.shape
    middle = [n // 2 for n in shape]
    before = layer.data.copy()
    for b in range(middle[1] - 3, middle[1] + 4):
        for c in range(middle[2] - 3, middle[2] + 4):
            if b in (middle[1] - 3, middle[1] + 3) or c in (middle[2] - 3, middle[2] + 3):
                layer.data[0, b, c] = 1
    outlined = layer.data.copy()
    click(layer, 0, middle[1], middle[2])
    assert np.count_nonzero(layer.data != outlined) == 25
    assert np.all(viewer.layers["Pat WT"].data[layer.data != before] != 0)
    assert warnings == []
    layer.undo()
    assert np.array_equal(layer.data, outlined)


def test_other_strokes_may_reach_the_edge(layer, warnings):
    layer.mode = "paint"
    layer.brush_size = 4
    layer.paint((0, 0, 0), 1)
    assert layer.data[0, 0, 0] == 1
    assert warnings == []

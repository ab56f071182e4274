"""Layers of a case cannot be moved away from where they are measured and saved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Labels
from napari_cases import case_along
from qtpy.QtWidgets import QApplication
from shown_layers import open_segmented
from smalltumor.geometry.grid import Grid

from napari_smalltumor import notify
from napari_smalltumor.layers.create import image_layers
from napari_smalltumor.patients.layer_rules.fixed_places import place_of

CHANGES = {
    "affine": np.array([[1, 0, 0, 5], [0, 1, 0, -20], [0, 0, 1, 3], [0, 0, 0, 1.0]]),
    "translate": (1.0, 2.0, 3.0),
    "scale": (2.0, 1.0, 1.0),
    "rotate": (10.0, 20.0, 30.0),
    "shear": (0.1, 0.2, 0.3),
}


@pytest.fixture(autouse=True)
def said(monkeypatch) -> list[str]:
    """Messages, given at once, also where an earlier test has created an application."""
    shown: list[str] = []
    monkeypatch.setattr(notify, "info", shown.append)
    monkeypatch.setattr(QApplication, "instance", lambda: None)
    return shown


@pytest.mark.parametrize("name", ["Pat ET", "Pat T1CE"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_layer_that_is_moved_is_put_back_and_named(viewer, said, name: str, change: str) -> None:
    open_segmented(viewer)
    layer = viewer.layers[name]
    before, world = place_of(layer), layer.data_to_world((1, 2, 3))
    setattr(layer, change, CHANGES[change])
    for kept, value in place_of(layer).items():
        np.testing.assert_allclose(value, before[kept], atol=1e-12)
    np.testing.assert_allclose(layer.data_to_world((1, 2, 3)), world)
    assert len(said) == 1 and said[0].startswith(f"{name} was put back")


@pytest.mark.parametrize("name", ["Pat ET", "Pat T1CE"])
def test_the_tool_that_moves_a_layer_is_left_at_once(viewer, said, name: str) -> None:
    open_segmented(viewer)
    viewer.layers[name].mode = "transform"
    assert viewer.layers[name].mode == "pan_zoom"
    assert (
        viewer.status
        == f"{name} cannot be moved, because its voxels have a fixed place in the patient"
    )


def test_a_copy_of_a_mask_is_not_moved_either(viewer, said) -> None:
    open_segmented(viewer)
    original = viewer.layers["Pat ET"]
    copy = Labels(np.array(original.data), metadata=original.metadata, **_place(original))
    viewer.add_layer(copy)
    copy.translate = (9.0, 9.0, 9.0)
    np.testing.assert_allclose(copy.translate, original.translate)


def test_a_layer_of_another_patient_is_put_back_without_a_word(viewer, said) -> None:
    open_segmented(viewer, "First")
    open_segmented(viewer, "Second")
    hidden = viewer.layers["First ET"]
    before = place_of(hidden)
    hidden.translate = (9.0, 9.0, 9.0)
    np.testing.assert_allclose(hidden.translate, before["translate"])
    assert not said


def test_linked_layers_of_patients_on_other_grids_keep_their_own_places(viewer, said) -> None:
    open_segmented(viewer, "First")
    first, grid = viewer.layers["First T1CE"], case_along().grid
    elsewhere = replace(case_along(name="Second"), grid=shifted(grid, 30.0))
    data, attributes, _ = image_layers(elsewhere)[-1]
    second = viewer.add_image(data, **attributes)
    before = [place_of(layer) for layer in (first, second)]
    viewer.layers.link_layers([first, second])
    for moved in (first, second):
        moved.translate = (1.0, 2.0, 3.0)
        for layer, place in zip((first, second), before, strict=True):
            np.testing.assert_allclose(layer.translate, place["translate"])
    first.gamma = 0.7
    assert second.gamma == 0.7


def shifted(grid: Grid, mm: float) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] += mm
    return Grid(grid.shape, affine)


def test_layers_of_no_case_are_moved_as_in_napari(viewer, said) -> None:
    open_segmented(viewer)
    points = viewer.add_points(np.zeros((1, 3)))
    points.translate = (1.0, 2.0, 3.0)
    atlas = viewer.add_image(np.zeros((4, 4, 4)), name="atlas")
    atlas.mode = "transform"
    atlas.translate = (1.0, 2.0, 3.0)
    assert tuple(points.translate) == tuple(atlas.translate) == (1, 2, 3)
    assert atlas.mode == "transform" and not said


def _place(layer: Labels) -> dict[str, object]:
    names = ("scale", "translate", "axis_labels", "units")
    return {name: getattr(layer, name) for name in names}

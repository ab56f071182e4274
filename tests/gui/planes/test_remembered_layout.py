"""The layout of the planes: that of the last session, and what it slices."""

from __future__ import annotations

import numpy as np

from napari_smalltumor import settings
from napari_smalltumor.main_window.planes_area import Layout
from napari_smalltumor.main_window.planes_window import planes_window, sliced_axes
from napari_smalltumor.main_window.toolbar import ensure_toolbar


def test_a_new_window_shows_the_layout_that_was_chosen_last(make_napari_viewer):
    first = make_napari_viewer()
    ensure_toolbar(first)
    assert planes_window(first).layout is Layout.CANVAS
    planes_window(first).show(Layout.CORONAL)
    assert settings.get("views") == "Coronal"
    second = make_napari_viewer()
    toolbar = ensure_toolbar(second)
    assert planes_window(second).layout is Layout.CORONAL
    assert toolbar.layout_actions[Layout.CORONAL].isChecked()
    planes_window(second).toggle()
    assert settings.get("views") == "napari"


def test_the_axes_that_are_sliced_are_those_of_what_is_shown(make_napari_viewer):
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((4, 5, 6)))
    for layout, axes in (
        (Layout.CANVAS, (0,)),
        (Layout.FOUR, (0, 1, 2)),
        (Layout.CORONAL, (1,)),
        (Layout.SURFACES, ()),
    ):
        planes_window(viewer).show(layout)
        assert sliced_axes(viewer) == axes
